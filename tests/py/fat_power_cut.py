#!/usr/bin/env python3
"""A real kernel's FAT: the program in a small virtual machine mounts sticks itself, reads what mtools wrote, writes for mtools to read,
and the power goes out the moment a write is acknowledged, with nothing unmounted.

    fat_power_cut.py --binary target/release/anchorite

The control must lose: a C program that writes in the textbook order (temp, fsync, rename, fsync of the folder) on the same disk before the
same cut. Needs qemu-system-x86_64, busybox-static, mtools, cc and Debian's cloud kernel, fetched with apt-get into tests/.judges.
"""
import argparse, hashlib, json, os, pathlib, re, shutil, subprocess, sys, tempfile
sys.path.insert(0, str(pathlib.Path(__file__).parent))
import drill, fat_media
from drill import ROOT, Broken, need
from fat_media import IMAGES, sh

DRIVERS = ("drivers/virtio/virtio_ring", "drivers/virtio/virtio", "drivers/virtio/virtio_pci_modern_dev", "drivers/virtio/virtio_pci_legacy_dev",
           "drivers/virtio/virtio_pci", "drivers/block/virtio_blk", "fs/nls/nls_cp437", "fs/nls/nls_ascii", "fs/nls/nls_utf8", "fs/fat/fat", "fs/fat/vfat")
TEXTBOOK = r"""
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>
int main(int n, char **path) {
    int file = open(path[1], O_CREAT | O_EXCL | O_WRONLY, 0600), folder = open(path[3], O_RDONLY);
    return n != 4 || write(file, "hello\n", 6) != 6 || fsync(file) || rename(path[1], path[2]) || fsync(folder);
}
"""
INIT = """#!/bin/sh
mount -t proc proc /proc; mount -t sysfs sys /sys; mount -t devtmpfs dev /dev; mkdir -p /run /tmp /mnt
for module in {modules}; do [ -e /m/$module.ko ] && insmod /m/$module.ko; done
echo hello > /tmp/hello.txt; echo certificate > /tmp/small-root.1.crl.pem
say() {{ "$@"; echo "RC $? $*"; }}
for disk in a b c; do say anchorite medium check /dev/vd$disk --label vault-a; say anchorite medium read /dev/vd$disk --out /tmp/$disk; done
for disk in d e f; do
  say anchorite medium init /dev/vd$disk --label vault-a
  say anchorite medium write /dev/vd$disk /tmp/hello.txt /tmp/small-root.1.crl.pem --label vault-a
done
grep -q /dev/vd /proc/mounts && echo "RC 1 something is left mounted"
say mount -t vfat /dev/vdg /mnt
say anchorite medium write /mnt /tmp/hello.txt /tmp/small-root.1.crl.pem --label vault-a
# After it, so that no syncfs of ours saves it.
say textbook /mnt/.lost.partial /mnt/lost.txt /mnt
echo o > /proc/sysrq-trigger; sleep 60
"""


def kernel(cache):
    """Debian's smallest kernel, unpacked once."""
    cache.mkdir(parents=True, exist_ok=True)
    if not list(cache.glob("boot/vmlinuz-*")):
        said = subprocess.run(["apt-cache", "depends", "linux-image-cloud-amd64"], capture_output=True, text=True).stdout
        name = re.search(r"Depends: (linux-image-\S+-cloud-amd64)", said)
        need(name, "apt knows no linux-image-cloud-amd64 (Debian): a judge that is absent is no pass")
        subprocess.run(["apt-get", "download", name[1]], cwd=cache, check=True, capture_output=True)
        subprocess.run(["dpkg", "-x", str(next(cache.glob("linux-image-*.deb"))), str(cache)], check=True)
    return next(cache.glob("boot/vmlinuz-*")), next(cache.glob("lib/modules/*/kernel"))


def machine(binary, work, modules):
    """A file system in memory: busybox, the program with its libraries, the drivers, the control."""
    root = work / "root"
    for folder in ("bin", "m", "proc", "sys", "dev"):
        (root / folder).mkdir(parents=True)
    shutil.copy("/bin/busybox", root / "bin/busybox")
    for name in "sh mount insmod mkdir grep sleep echo".split():
        (root / "bin" / name).symlink_to("busybox")
    shutil.copy(binary, root / "bin/anchorite")
    subprocess.run(["strip", str(root / "bin/anchorite")], check=False)
    linked = subprocess.run(["ldd", str(binary)], capture_output=True, text=True).stdout
    for library in re.findall(r"(/\S+)", linked):
        target = root / library.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(library, target)
    (work / "textbook.c").write_text(TEXTBOOK)
    sh("cc", "-static", "-o", root / "bin/textbook", work / "textbook.c")
    for driver in DRIVERS:
        if (modules / f"{driver}.ko").exists():
            shutil.copy(modules / f"{driver}.ko", root / "m")
    (root / "init").write_text(INIT.format(modules=" ".join(d.rpartition("/")[2] for d in DRIVERS)))
    (root / "init").chmod(0o755)
    archive = work / "initrd"
    with archive.open("wb") as out:
        names = subprocess.run(["find", "."], cwd=root, capture_output=True).stdout
        subprocess.run(["cpio", "-o", "-H", "newc", "--quiet"], cwd=root, input=names, stdout=out, check=True)
    return archive


def whole(work, path, files, name):
    taken = fat_media.taken_by_mtools(work, path)
    manifest = json.loads(taken.get("EXP-0001/MANIFEST") or b"{}")
    listed = {f["name"]: f["sha256"] for f in manifest.get("files", [])}
    need(listed == {n: hashlib.sha256(o).hexdigest() for n, o in files.items()}, f"{name}: the manifest lists {listed}")
    need({n: taken.get(f"EXP-0001/{n}") for n in files} == files, f"{name}: other files than were written: { {n: len(o) for n, o in taken.items()} }")
    return taken


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", required=True, type=pathlib.Path)
    args = parser.parse_args()
    for judge in ("qemu-system-x86_64", "mcopy", "cpio", "cc", "busybox"):
        if not shutil.which(judge):
            sys.exit(f"fat_power_cut.py: needs {judge}: a judge that is absent is no pass")
    with tempfile.TemporaryDirectory(prefix="anchorite-cut-") as work:
        work = pathlib.Path(work)
        try:
            image, modules = kernel(ROOT / "tests/.judges/kernel")
            initrd = machine(args.binary.resolve(), work, modules)
            theirs = {"root.crt.pem": b"certificate\n" * 60, "a-long-name.with-dots.crl.pem": b"crl\n", "B.BIN": os.urandom(40_000)}
            disks = []
            for name in IMAGES:
                path = fat_media.image(work, name)
                fat_media.filled_by_mtools(work, path, theirs)
                disks.append(path.rename(work / f"theirs-{name}.img"))
            for name in IMAGES:
                disks.append(fat_media.image(work, name).rename(work / f"ours-{name}.img"))
            cut = fat_media.image(work, "FAT32").rename(work / "cut.img")
            (work / "VOLUME").write_bytes(json.dumps({"format": "anchorite-volume/1", "id": fat_media.ID, "label": "vault-a"}, separators=(",", ":")).encode())
            sh("mcopy", "-i", cut, work / "VOLUME", "::VOLUME")
            disks.append(cut)
            qemu = ["qemu-system-x86_64", "-m", "512", "-nic", "none", "-nographic", "-no-reboot", "-kernel", image, "-initrd", initrd, "-append", "console=ttyS0 quiet panic=1"]
            for disk in disks:
                qemu += ["-drive", f"file={disk},if=virtio,format=raw"]
            code, said = drill.run(qemu, timeout=300)
            results = re.findall(r"^RC (\d+) (.*?)\r?$", said, re.M)
            need(code == 0 and len(results) == 15, f"exit {code}, {len(results)} of 15 commands: {said[-1500:]}")
            need(all(rc == "0" for rc, _ in results), f"failed: {[r for r in results if r[0] != '0']}: {said[-3000:]}")
            ours = {"hello.txt": b"hello\n", "small-root.1.crl.pem": b"certificate\n"}
            for disk in disks[3:6]:
                whole(work, disk, ours, disk.name)
            taken = whole(work, cut, ours, "after the power cut")
            lost = taken.get("lost.txt")
            need(lost != b"hello\n", "control: the textbook order lost nothing, so this cut cuts nothing")
        except (Broken, subprocess.CalledProcessError, subprocess.TimeoutExpired) as bad:
            print("BAD", bad)
            return 1
    print(f"fat_power_cut.py: {', '.join(IMAGES)} both ways with a real kernel's FAT, mounted by the program; after the cut every file is whole, "
          f"and the textbook order left {'nothing' if lost is None else f'{len(lost)} of 6 octets'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
