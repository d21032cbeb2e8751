#!/usr/bin/env python3
"""A real kernel's V4L2: in a small virtual machine the program lists the cameras of the driver `vivid`, looks at its test picture, and takes
in the codes of `qr print` that are fed to the driver's output and come back at its HDMI input, in each format the program reads.

    camera_vivid.py --binary target/release/anchorite [--show]

A shim that hides formats (LD_PRELOAD) makes the program ask for another than the first, twice with gaps between the rows. What comes back is what the driver passes on: no lens
and no light, and no MJPG, which vivid lacks. Needs qemu-system-x86_64, busybox-static, cpio, cc, Pillow and Debian's kernel, fetched with apt-get
into tests/.judges. By hand: not part of tests/all.
"""
import argparse, hashlib, pathlib, re, shutil, subprocess, sys, tempfile
sys.path.insert(0, str(pathlib.Path(__file__).parent))
import drill
from drill import ROOT, Broken, need

WIDTH, HEIGHT = 1280, 720
FORMATS = "GREY YUYV UYVY NV12 NV21 YU12 YV12".split()
FEEDER = r"""
#include <errno.h>
#include <fcntl.h>
#include <linux/videodev2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
static int fail(const char *what) { fprintf(stderr, "feeder: %s: %s\n", what, strerror(errno)); return 1; }
/* feeder DEVICE input N | set NAME VALUE | feed FOURCC FRAMES HOLD */
int main(int n, char **arg) {
    int file = open(arg[1], O_RDWR);
    if (file < 0) return fail(arg[1]);
    if (!strcmp(arg[2], "input")) {
        int input = atoi(arg[3]);
        return ioctl(file, VIDIOC_S_INPUT, &input) ? fail("input") : 0;
    }
    if (!strcmp(arg[2], "set")) {
        struct v4l2_queryctrl asked = { .id = V4L2_CTRL_FLAG_NEXT_CTRL };
        for (; !ioctl(file, VIDIOC_QUERYCTRL, &asked); asked.id |= V4L2_CTRL_FLAG_NEXT_CTRL) {
            struct v4l2_ext_control one = { .id = asked.id, .value = atoi(arg[4]) };
            struct v4l2_ext_controls all = { .which = V4L2_CTRL_WHICH_CUR_VAL, .count = 1, .controls = &one };
            if (!strcmp((char *)asked.name, arg[3])) return ioctl(file, VIDIOC_S_EXT_CTRLS, &all) ? fail(arg[3]) : 0;
        }
        return fail("no such control");
    }
    struct v4l2_format format = { .type = V4L2_BUF_TYPE_VIDEO_OUTPUT };
    format.fmt.pix.width = WIDTH, format.fmt.pix.height = HEIGHT, format.fmt.pix.field = V4L2_FIELD_NONE;
    memcpy(&format.fmt.pix.pixelformat, arg[3], 4);
    if (ioctl(file, VIDIOC_S_FMT, &format)) return fail("format");
    printf("feeder: %.4s %ux%u, %u octets a row, %u a frame\n", (char *)&format.fmt.pix.pixelformat, format.fmt.pix.width,
           format.fmt.pix.height, format.fmt.pix.bytesperline, format.fmt.pix.sizeimage);
    fflush(stdout);
    if (memcmp(&format.fmt.pix.pixelformat, arg[3], 4) || format.fmt.pix.width != WIDTH || format.fmt.pix.height != HEIGHT) return 1;
    static unsigned char grey[WIDTH * HEIGHT], frame[WIDTH * HEIGHT * 4];
    struct v4l2_requestbuffers buffers = { .count = 2, .type = format.type, .memory = V4L2_MEMORY_MMAP };
    if (ioctl(file, VIDIOC_REQBUFS, &buffers)) return fail("buffers");
    unsigned char *mapped[32];
    for (unsigned at = 0; at < buffers.count; at++) {
        struct v4l2_buffer buffer = { .index = at, .type = format.type, .memory = V4L2_MEMORY_MMAP };
        if (ioctl(file, VIDIOC_QUERYBUF, &buffer)) return fail("query");
        mapped[at] = mmap(0, buffer.length, PROT_READ | PROT_WRITE, MAP_SHARED, file, buffer.m.offset);
        if (mapped[at] == MAP_FAILED) return fail("mmap");
    }
    for (unsigned sent = 0;;) {
        FILE *frames = fopen(arg[4], "rb");
        if (!frames) return fail(arg[4]);
        while (fread(grey, 1, sizeof grey, frames) == sizeof grey) {
            int packed = strstr("YUYV UYVY", arg[3]) != 0, first = !strcmp(arg[3], "UYVY");
            memset(frame, 128, sizeof frame);
            if (packed) for (size_t at = 0; at < sizeof grey; at++) frame[2 * at + first] = grey[at];
            else memcpy(frame, grey, sizeof grey);
            for (int times = atoi(arg[5]); times--; sent++) {
                struct v4l2_buffer buffer = { .index = sent, .type = format.type, .memory = V4L2_MEMORY_MMAP };
                if (sent >= buffers.count && ioctl(file, VIDIOC_DQBUF, &buffer)) return fail("dequeue");
                memcpy(mapped[buffer.index], frame, format.fmt.pix.sizeimage);
                buffer.bytesused = format.fmt.pix.sizeimage, buffer.field = V4L2_FIELD_NONE;
                if (ioctl(file, VIDIOC_QBUF, &buffer)) return fail("enqueue");
                if (sent + 1 == buffers.count && ioctl(file, VIDIOC_STREAMON, &format.type)) return fail("stream");
            }
        }
        fclose(frames);
    }
}
"""
SHIM = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <linux/videodev2.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* Of the formats of a device, only the one ONLY names is there; its rows are ROW octets long. */
int ioctl(int file, unsigned long request, ...) {
    va_list rest;
    va_start(rest, request);
    void *argument = va_arg(rest, void *);
    va_end(rest);
    int (*real)(int, unsigned long, ...) = dlsym(RTLD_NEXT, "ioctl");
    struct v4l2_format *set = argument;
    if (request == VIDIOC_S_FMT && getenv("ROW")) {
        set->fmt.pix.bytesperline = atoi(getenv("ROW"));
        int result = real(file, request, argument);
        fprintf(stderr, "shim: rows of %u\n", set->fmt.pix.bytesperline);
        return result;
    }
    if (request != VIDIOC_ENUM_FMT || !getenv("ONLY")) return real(file, request, argument);
    struct v4l2_fmtdesc *format = argument;
    unsigned asked = format->index, found = 0;
    for (unsigned at = 0;; at++) {
        format->index = at;
        if (real(file, request, format)) return -1;
        if (!memcmp(&format->pixelformat, getenv("ONLY"), 4) && found++ == asked) return format->index = asked, 0;
    }
}
"""
INIT = """#!/bin/sh
mount -t proc proc /proc; mount -t sysfs sys /sys; mount -t devtmpfs dev /dev; mkdir -p /run /tmp
for module in {modules}; do insmod /m/$module.ko || echo "RC 1 insmod $module"; done
# One camera and one output; the camera has a lens (its test picture) and an HDMI input.
insmod /m/vivid.ko n_devs=1 node_types=0x101 num_inputs=2 input_types=12 num_outputs=1 output_types=1 vid_cap_nr=0 vid_out_nr=1 || echo "RC 1 insmod vivid"
say() {{ "$@" </dev/null; echo "RC $? $*"; }}
say anchorite qr scan --list-cameras
say anchorite qr scan --list-cameras --json
say anchorite qr scan --camera /dev/video1 --plain --out /tmp/wrong
say env ONLY=RGB3 LD_PRELOAD=/lib/shim.so anchorite qr scan --camera /dev/video0 --plain --out /tmp/wrong
say timeout 12 anchorite qr scan --camera /dev/video0 --plain --out /tmp/none
say feeder /dev/video0 input 1
say feeder /dev/video0 set "OSD Text Mode" 2
say feeder /dev/video0 set "Loop Video" 1
for format in {formats}; do
  feeder /dev/video1 feed $format /frames 30 & fed=$!
  sleep 1
  # Of all formats the program asks for GREY by itself.
  hide="ONLY=$format"; [ $format = GREY ] && hide=
  case $format in UYVY) hide="$hide ROW=2688";; NV21) hide="$hide ROW=1344";; esac
  say ${{hide:+env $hide LD_PRELOAD=/lib/shim.so}} timeout 90 anchorite qr scan --camera /dev/video0 --plain --out /tmp/$format
  kill $fed; wait $fed 2>/dev/null
  echo "SUM $format $(sha256sum < /tmp/$format)"
done
# A camera that sends nothing, then one that is pulled.
(sleep 4; feeder /dev/video0 set "Percentage of Dropped Buffers" 100) & say timeout 60 anchorite qr scan --camera /dev/video0 --plain --out /tmp/none
feeder /dev/video0 set "Percentage of Dropped Buffers" 0
(sleep 4; feeder /dev/video0 set Disconnect 1) & say timeout 60 anchorite qr scan --camera /dev/video0 --plain --out /tmp/none
echo o > /proc/sysrq-trigger; sleep 60
"""


def kernel(cache):
    """Debian's kernel with all its drivers (the one for the cloud has no V4L2), unpacked once."""
    cache.mkdir(parents=True, exist_ok=True)
    if not list(cache.glob("boot/vmlinuz-*")):
        said = subprocess.run(["apt-cache", "depends", "linux-image-amd64"], capture_output=True, text=True).stdout
        name = re.search(r"Depends: (linux-image-\S+-amd64)", said)
        need(name, "apt knows no linux-image-amd64 (Debian): a judge that is absent is no pass")
        subprocess.run(["apt-get", "download", name[1]], cwd=cache, check=True, capture_output=True)
        subprocess.run(["dpkg", "-x", str(next(cache.glob("linux-image-*.deb"))), str(cache)], check=True)
    return next(cache.glob("boot/vmlinuz-*")), next(cache.glob("lib/modules/*/kernel"))


def drivers(modules, wanted):
    """The module and what it needs, that first: every .ko says what it depends on."""
    found, order = {p.stem.replace("-", "_"): p for p in modules.rglob("*.ko")}, []

    def take(name):
        path = found[name.replace("-", "_")]
        if path not in order:
            for needed in re.search(rb"\0depends=([^\0]*)\0", path.read_bytes())[1].decode().split(","):
                if needed:
                    take(needed)
            order.append(path)
    take(wanted)
    return order


def frames(binary, work):
    """The pages of `qr print` at 150 dots an inch, cut into pictures of the camera's size that overlap by a code."""
    from PIL import Image
    sent = work / "sent.toml"
    sent.write_bytes((ROOT / "Cargo.toml").read_bytes()[:1500])
    need(drill.run([binary, "qr", "print", sent, "--kind", "order", "--out", work / "pages"])[0] == 0, "qr print refuses")
    cut = []
    for page in sorted((work / "pages").glob("*.png")):
        page = Image.open(page).convert("L").resize((1240, 1754), Image.BOX)
        for top in range(0, 1754 - HEIGHT // 2, 240):
            picture = Image.new("L", (WIDTH, HEIGHT), 255)
            picture.paste(page.crop((0, top, 1240, top + HEIGHT)), (20, 0))
            cut.append(picture.tobytes())
    (work / "root").mkdir()
    (work / "root/frames").write_bytes(b"".join(cut))
    return hashlib.sha256(sent.read_bytes()).hexdigest(), len(cut)


def machine(binary, work, modules):
    root = work / "root"
    for folder in ("bin", "lib", "m", "proc", "sys", "dev"):
        (root / folder).mkdir()
    shutil.copy("/bin/busybox", root / "bin/busybox")
    for name in "sh mount insmod mkdir sleep echo env timeout sha256sum kill".split():
        (root / "bin" / name).symlink_to("busybox")
    shutil.copy(binary, root / "bin/anchorite")
    subprocess.run(["strip", str(root / "bin/anchorite")], check=False)
    for name, source, how in (("feeder", FEEDER, ["-static", "-o", root / "bin/feeder"]), ("shim", SHIM, ["-shared", "-fPIC", "-o", root / "lib/shim.so"])):
        (work / f"{name}.c").write_text(source)
        subprocess.run(["cc", "-O2", f"-DWIDTH={WIDTH}", f"-DHEIGHT={HEIGHT}", *map(str, how), str(work / f"{name}.c"), "-ldl"], check=True)
    for library in re.findall(r"(/\S+)", subprocess.run(["ldd", str(binary)], capture_output=True, text=True).stdout):
        target = root / library.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(library, target)
    chain = drivers(modules, "vivid")
    for driver in chain:
        shutil.copy(driver, root / "m")
    (root / "init").write_text(INIT.format(modules=" ".join(d.stem for d in chain[:-1]), formats=" ".join(FORMATS)))
    (root / "init").chmod(0o755)
    with (work / "initrd").open("wb") as out:
        names = subprocess.run(["find", "."], cwd=root, capture_output=True).stdout
        subprocess.run(["cpio", "-o", "-H", "newc", "--quiet"], cwd=root, input=names, stdout=out, check=True)
    return work / "initrd"


def judged(said, digest):
    """Every command in its order, and what it had to say."""
    ran = re.split(r"^RC (\d+) (.*)\n", said, flags=re.M)
    ran = [(ran[at + 1], ran[at + 2], ran[at]) for at in range(0, len(ran) - 1, 3)]
    none = "no code found|blurred|nothing to see|looking for a code took|sees a code"
    awaited = [("0", "/dev/video0  vivid  .*GREY"), ("0", r'"device":"/dev/video0","card":"vivid".*"usable":true'), ("7", "/dev/video1: expected a device that captures video"),
               ("7", "expected GREY, YUYV, UYVY, NV12, YU12 or MJPG, found RGB3"), ("143", none), ("0", ""), ("0", ""), ("0", "")]
    gaps = {"UYVY": "(?s:.*)shim: rows of 2688$", "NV21": "(?s:.*)shim: rows of 1344$"}
    awaited += [("0", f"feeder: {name} {WIDTH}x{HEIGHT}{gaps.get(name, '')}(?s:.*)sha256 {digest}") for name in FORMATS]
    awaited += [("7", "/dev/video0: no picture for 5 seconds"), ("7", "/dev/video0: No such device")]
    need(len(ran) == len(awaited), f"{len(ran)} of {len(awaited)} commands: {said[-1500:]}")
    for (code, command, words), (expected, pattern) in zip(ran, awaited):
        need(code == expected and re.search(pattern, words, re.M), f"{command}: exit {code}: {words[-800:]}")
    need("video1" not in ran[0][2] + ran[1][2], "the output is listed as a camera")
    need(" parts" not in ran[4][2], "control: codes were read where none were shown")
    sums = dict(re.findall(r"^SUM (\S+) ([0-9a-f]{64})", said, re.M))
    need(sums == dict.fromkeys(FORMATS, digest), f"other octets than were sent: {sums}, sent {digest}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", required=True, type=pathlib.Path)
    parser.add_argument("--show", action="store_true", help="print all the machine said")
    args = parser.parse_args()
    for judge in ("qemu-system-x86_64", "cpio", "cc", "busybox"):
        if not shutil.which(judge):
            sys.exit(f"camera_vivid.py: needs {judge}: a judge that is absent is no pass")
    with tempfile.TemporaryDirectory(prefix="anchorite-vivid-") as work:
        work = pathlib.Path(work)
        try:
            binary = args.binary.resolve()
            image, modules = kernel(ROOT / "tests/.judges/vivid")
            digest, count = frames(binary, work)
            initrd = machine(binary, work, modules)
            code, said = drill.run(["qemu-system-x86_64", "-m", "1024", "-smp", "2", "-nic", "none", "-nographic", "-no-reboot", "-kernel", image,
                                    "-initrd", initrd, "-append", "console=ttyS0 quiet panic=1"], timeout=900)
            said = re.sub(r"^\[ *\d+\.\d+\] .*\n", "", said.replace("\r", ""), flags=re.M)
            if args.show:
                print(said)
            need(code == 0, f"exit {code}: {said[-1500:]}")
            judged(said, digest)
        except (Broken, subprocess.CalledProcessError, subprocess.TimeoutExpired) as bad:
            print("BAD", bad)
            return 1
    print(f"camera_vivid.py: {count} pictures of `qr print` through V4L2 as {', '.join(FORMATS)}: the same octets each time; a test picture, an output, "
          "a camera of another format, one that falls silent and one that is pulled, each by its own message")
    return 0


if __name__ == "__main__":
    sys.exit(main())
