#!/usr/bin/env python3
"""Real FAT on both sides: images made and filled with mtools are read by the program, and what the program writes is read with mtools.

    fat_media.py --binary target/release/anchorite

The program's side is, where the kernel has FAT and we are root, its own mount of the image's loop device; else `fusefat`, a FAT in
user space. Where there is neither it says so, and only folders cross: mtools copies out what the program reads, and in what it wrote.
"""
import argparse, contextlib, hashlib, json, os, pathlib, shutil, subprocess, sys, tempfile, time
sys.path.insert(0, str(pathlib.Path(__file__).parent))
import drill
from drill import Broken, need

ID = "00112233445566778899aabbccddeeff"
IMAGES = {"FAT12": ["-f", "1440"], "FAT16": ["-T", "65536"], "FAT32": ["-F", "-T", "163840"]}


def sh(*argv, code=0):
    done, said = drill.run(argv)
    need(done == code, f"{' '.join(map(str, argv))[:200]}: exit {done}, expected {code}: {said[-600:]}")
    return said


def report(*argv, code=0):
    said = sh(*argv, "--json", code=code)
    return json.loads(next(line for line in said.splitlines() if line.startswith("{")))


def image(work, name):
    path = work / f"{name}.img"
    sh("mformat", "-C", "-i", path, *IMAGES[name], "::")
    return path


def manifest(files):
    rows = [{"name": n, "sha256": hashlib.sha256(o).hexdigest(), "size": len(o)} for n, o in sorted(files.items())]
    value = {"export": "EXP-0001", "files": rows, "format": "anchorite-export/1", "medium": ID, "realm": "production"}
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def filled_by_mtools(work, path, files, **changed):
    """A whole medium written by a stranger who has only media/README.md and mtools."""
    volume = json.dumps({"format": "anchorite-volume/1", "id": ID, "label": "vault-a"}, separators=(",", ":")).encode()
    sh("mmd", "-i", path, "::EXP-0001", "::INBOX")
    for name, octets in {"VOLUME": volume, "INBOX/loose.pem": b"loose\n", **{f"EXP-0001/{n}": o for n, o in files.items()},
                         "EXP-0001/MANIFEST": manifest(files), **changed}.items():
        source = work / "source"
        source.write_bytes(octets)
        sh("mcopy", "-o", "-i", path, source, f"::{name}")


def taken_by_mtools(work, path):
    """Everything in an image, by name."""
    out = work / "taken"
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir()
    sh("mcopy", "-s", "-n", "-i", path, "::*", out)
    return {str(p.relative_to(out)): p.read_bytes() for p in out.rglob("*") if p.is_file()}


class Kernel:
    cannot = ()
    """The program mounts the loop device itself, and has unmounted it when it ends."""
    name = "the program's own mount of a loop device (kernel vfat)"

    @staticmethod
    def here():
        return os.geteuid() == 0 and b"\tvfat\n" in pathlib.Path("/proc/filesystems").read_bytes() + modules() and shutil.which("losetup")

    @staticmethod
    @contextlib.contextmanager
    def medium(path, work):
        device = sh("losetup", "--find", "--show", path).strip()
        try:
            yield pathlib.Path(device)
            need(not any(line.startswith(device + " ") for line in pathlib.Path("/proc/mounts").read_text().splitlines()), "left mounted")
        finally:
            subprocess.run(["losetup", "-d", device], check=False)


def modules():
    """Kernels load vfat when it is asked for."""
    done = subprocess.run(["modprobe", "vfat"], capture_output=True) if shutil.which("modprobe") else None
    return pathlib.Path("/proc/filesystems").read_bytes() if done and done.returncode == 0 else b""


class Fuse:
    name = "fusefat (FAT in user space)"
    # It writes 0x8000 over the second entry of a FAT16, mounted or not, and mtools then takes the image for none.
    cannot = ("FAT16",)

    @staticmethod
    def here():
        return shutil.which("fusefat") and os.access("/dev/fuse", os.R_OK | os.W_OK)

    @staticmethod
    @contextlib.contextmanager
    def medium(path, work):
        folder = work / "mounted"
        folder.mkdir(exist_ok=True)
        done = subprocess.run(["fusefat", "-o", "rw+", str(path), str(folder)], capture_output=True)
        need(done.returncode == 0 and os.path.ismount(folder), f"fusefat: {done.stderr.decode()[-300:]}")
        try:
            yield folder
        finally:
            subprocess.run(["fusermount", "-u", str(folder)], check=False)
            deadline = time.monotonic() + 10
            while subprocess.run(["pgrep", "-f", f"fusefat .*{path}"], capture_output=True).returncode == 0 and time.monotonic() < deadline:
                time.sleep(0.05)


class Folder:
    cannot = ()
    name = "folders only: neither a loop mount with vfat nor fusefat"

    @staticmethod
    def here():
        return True

    @staticmethod
    @contextlib.contextmanager
    def medium(path, work):
        folder = work / "copied"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        if sh("mdir", "-b", "-i", path, "::").strip():
            sh("mcopy", "-s", "-n", "-i", path, "::*", folder)
        before = {p for p in folder.rglob("*")}
        yield folder
        for new in sorted({p for p in folder.rglob("*")} - before):
            sh(*(["mmd", "-i", path] if new.is_dir() else ["mcopy", "-i", path, new]), f"::{new.relative_to(folder)}")


def theirs(binary, work, side, name):
    """Written with mtools, read by us; and refused by us when it was altered with mtools."""
    files = {"root.crt.pem": b"certificate\n" * 60, "a-long-name.with-dots.and_underscores.crl.pem": b"crl\n", "B.BIN": os.urandom(40_000)}
    path = image(work, name)
    filled_by_mtools(work, path, files)
    out = work / f"out-{name}"
    with side.medium(path, work) as medium:
        got = report(binary, "medium", "read", medium, "--label", "vault-a", "--out", out)
        need({p.name: p.read_bytes() for p in out.iterdir()} == files, f"{name}: other files than mtools wrote")
        need(got["id"] == ID and got["digest"] == hashlib.sha256(manifest(files)).hexdigest(), f"{name}: {got}")
    with side.medium(path, work) as medium:
        report(binary, "medium", "read", medium, "--loose", "loose.pem", "--out", work / f"loose-{name}")
        need((work / f"loose-{name}").read_bytes() == b"loose\n", "the loose file")
    with side.medium(path, work) as medium:
        sh(binary, "medium", "check", medium)
    sh("mcopy", "-i", path, work / "source", "::EXP-0001/extra.pem")
    with side.medium(path, work) as medium:
        need("does not list it" in sh(binary, "medium", "check", medium, code=4), f"{name}: an unlisted file")
    sh("mdel", "-i", path, "::EXP-0001/extra.pem", "::EXP-0001/MANIFEST")
    with side.medium(path, work) as medium:
        need("no MANIFEST" in sh(binary, "medium", "check", medium, code=4), f"{name}: no manifest")


def ours(binary, work, side, name):
    """Written by us, read with mtools; a second export leaves the first as it was."""
    path = image(work, name)
    sources = {"small-root.1.crl.pem": b"crl\n" * 9, "small-root.g1.key.age": os.urandom(700), "big.bin": os.urandom(90_000)}
    for file, octets in sources.items():
        (work / file).write_bytes(octets)
    with side.medium(path, work) as medium:
        volume = report(binary, "medium", "init", medium, "--label", "vault-a")
    argv = [work / file for file in sources]
    with side.medium(path, work) as medium:
        first = report(binary, "medium", "write", medium, *argv, "--label", "vault-a")
    taken = taken_by_mtools(work, path)
    need({n[9:]: o for n, o in taken.items() if n.startswith("EXP-0001/") and n[9:] != "MANIFEST"} == sources, f"{name}: {sorted(taken)}")
    need(hashlib.sha256(taken["EXP-0001/MANIFEST"]).hexdigest() == first["digest"], f"{name}: the manifest")
    need(json.loads(taken["VOLUME"])["id"] == volume["id"] == first["id"], f"{name}: the id")
    with side.medium(path, work) as medium:
        second = report(binary, "medium", "write", medium, argv[0])
    need(second["export"] == "EXP-0002", f"{name}: {second}")
    again = taken_by_mtools(work, path)
    need(all(again[n] == o for n, o in taken.items()) and not [n for n in again if n.endswith(".partial")], f"{name}: {sorted(again)}")
    sh("fsck.vfat", "-n", path) if side is Kernel and shutil.which("fsck.vfat") else None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", required=True, type=pathlib.Path)
    args = parser.parse_args()
    binary = args.binary.resolve()
    if not shutil.which("mcopy"):
        sys.exit("fat_media.py: needs mtools (apt-get install mtools): a judge that is absent is no pass")
    side = next(side for side in (Kernel, Fuse, Folder) if side.here())
    if side is Folder:
        print("fat_media.py: NOT TESTED HERE: our own writes to a mounted FAT; " + side.name)
    for name in side.cannot:
        print(f"fat_media.py: NOT TESTED HERE: {name}, which {side.name} damages")
    with tempfile.TemporaryDirectory(prefix="anchorite-fat-") as work:
        try:
            names = [name for name in IMAGES if name not in side.cannot]
            for name in names:
                theirs(binary, pathlib.Path(work), side, name)
                ours(binary, pathlib.Path(work), side, name)
        except Broken as bad:
            print("BAD", bad)
            return 1
    print(f"fat_media.py: {', '.join(names)} both ways with mtools; our side: {side.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
