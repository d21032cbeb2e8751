#!/usr/bin/env python3
"""Nothing opens a socket (src/ARCHITECTURE.md, invariant I): the program runs under a seccomp filter by which the kernel kills a process on
`socket`, and on `io_uring_setup`, which could open one unseen. Every process it starts inherits the filter.

    no_socket.py --binary target/release/anchorite

One call is allowed: `socketpair` of AF_UNIX, which reaches nobody. The terminal library makes one to wake itself on SIGWINCH.
Controls first: a program that opens a socket of any family, in itself or in a child, must die of this filter, and one that
opens none must not.
"""
import argparse, ctypes, fcntl, os, pathlib, platform, pty, select, signal, struct, subprocess, sys, tempfile, termios, time
sys.path.insert(0, str(pathlib.Path(__file__).parent))
import drill
from drill import ROOT, Broken, need

DEADLINE = 120
# AUDIT_ARCH, then the numbers of socket, socketpair, io_uring_setup and, where there is one, the bit of the other ABI of this kernel.
MACHINES = {"x86_64": (0xC000003E, 41, 53, 425, 0x40000000), "aarch64": (0xC00000B7, 198, 199, 425, 0)}
LOAD, EQUAL, ANY_BIT, RETURN = 0x20, 0x15, 0x45, 0x06       # BPF_LD|W|ABS, BPF_JMP|JEQ|K, BPF_JMP|JSET|K, BPF_RET|K
ALLOW, KILL = 0x7FFF0000, 0x80000000
NUMBER, MACHINE, FIRST_ARGUMENT = 0, 4, 16                  # offsets in struct seccomp_data
PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 22, 2


def program():
    """The filter: octets of struct sock_filter, one jump distance each way."""
    if platform.machine() not in MACHINES:
        raise Broken(f"no numbers of system calls for {platform.machine()} in no_socket.py; add them")
    machine, socket, pair, ring, other = MACHINES[platform.machine()]
    lines = [
        (LOAD, 0, 0, MACHINE), (EQUAL, 0, 8, machine),        # calls of another machine: kill
        (LOAD, 0, 0, NUMBER), (ANY_BIT, 6, 0, other),         # and of its other ABI
        (EQUAL, 5, 0, socket), (EQUAL, 4, 0, ring), (EQUAL, 0, 2, pair),
        (LOAD, 0, 0, FIRST_ARGUMENT), (EQUAL, 0, 1, 1),       # AF_UNIX is 1
        (RETURN, 0, 0, ALLOW), (RETURN, 0, 0, KILL),
    ]
    return b"".join(struct.pack("HBBI", *line) for line in lines), len(lines)


class Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_char_p)]


FILTER, LENGTH = program()
LIBC = ctypes.CDLL(None, use_errno=True)


def confine():
    """Between fork and exec: from here on no socket, for this process and all it starts."""
    asked = Program(LENGTH, FILTER)
    zero = ctypes.c_ulong(0)
    if LIBC.prctl(PR_SET_NO_NEW_PRIVS, ctypes.c_ulong(1), zero, zero, zero) or LIBC.prctl(
            PR_SET_SECCOMP, ctypes.c_ulong(SECCOMP_MODE_FILTER), ctypes.byref(asked), zero, zero):
        os._exit(99)


def confined(argv, code=0):
    done = subprocess.run([str(a) for a in argv], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          preexec_fn=confine, timeout=DEADLINE, cwd=ROOT)
    said = done.stdout.decode(errors="replace")
    need(done.returncode == code, f"{' '.join(map(str, argv))[:160]}: exit {done.returncode}, expected {code}: {said[-600:]}")
    return said


def controls():
    python, dies = sys.executable, -signal.SIGSYS
    confined([python, "-c", "pass"])
    confined([python, "-c", "import _socket; _socket.socketpair()"])
    for family in ("AF_INET", "AF_INET6", "AF_UNIX", "AF_NETLINK", "AF_PACKET"):
        confined([python, "-c", f"import _socket; _socket.socket(_socket.{family}, _socket.SOCK_DGRAM)"], dies)
    confined([python, "-c", "import _socket; _socket.socketpair(_socket.AF_INET)"], dies)
    confined([python, "-c", "import ctypes; ctypes.CDLL(None).syscall(425, 1, 0)"], dies)
    child = "import subprocess, sys; sys.exit(subprocess.run([sys.executable, '-c', 'import _socket; _socket.socket()']).returncode == -31)"
    confined([python, "-c", child], 1)
    return 10


def plain(binary, work):
    """Whole rehearsals, and what is done with their folders afterwards."""
    for script in ("small-root", "root-ca"):
        out = work / script
        confined([binary, "rehearse", ROOT / "ceremony-scripts" / script, "--plain", "--auto", "--seed", "7", "--out", out])
        drill.closed_and_consistent(out)
        confined([binary, "verify", out / "evidence"], 8)
        confined([binary, "disclose", out / "evidence", "--level", "public", "--out", work / f"{script}-public"])
        confined([binary, "check", ROOT / "ceremony-scripts" / script])
        confined([binary, "runbook", ROOT / "ceremony-scripts" / script])
        confined([binary, "ledger", "keys", out / "state" / "ledger.sqlite"])
    # Its answer depends on the machine; that it gives one is what matters here.
    done = subprocess.run([binary, "doctor"], stdin=subprocess.DEVNULL, capture_output=True, preexec_fn=confine, timeout=DEADLINE)
    need(0 <= done.returncode < 9 and done.stdout + done.stderr, f"doctor: exit {done.returncode}")
    return 13


def full_screen(binary, work):
    """The full screen in a terminal, from its first prompt to its closed record, resized on the way."""
    out = work / "screen"
    child, master = pty.fork()
    if child == 0:
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
        os.environ["TERM"] = "xterm-256color"
        os.chdir(ROOT)
        confine()
        os.execv(binary, [str(binary), "rehearse", "ceremony-scripts/small-root", "--out", str(out)])
    shown, began, keys, wide = b"", time.monotonic(), [b"\x1b[6~", b"\x1b[6~", b"\x1b[15~"], 120
    try:
        while b'"kind":"closed"' not in drill.transcript(out) or wide == 120:
            need(time.monotonic() - began < DEADLINE, f"the ceremony did not get to its end: {drill.transcript(out)[-300:]!r}")
            if select.select([master], [], [], 0.05)[0]:
                try:
                    shown += os.read(master, 65536)
                except OSError:
                    _, status = os.waitpid(child, 0)
                    child = None
                    raise Broken(f"the full screen ended, {os.waitstatus_to_exitcode(status)}: {shown[-600:]!r}")
                continue
            if wide == 120 and len(drill.transcript(out).splitlines()) > 3:
                wide = 100
                fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", 30, wide, 0, 0))
            os.write(master, keys[0])
            keys.append(keys.pop(0))
    finally:
        if child:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
        os.close(master)
    need(len(shown) > 10_000, f"only {len(shown)} octets were drawn")
    return len(drill.transcript(out).splitlines())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", required=True, type=pathlib.Path)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="anchorite-no-socket-") as work:
        binary, work = args.binary.resolve(), pathlib.Path(work)
        try:
            print(f"controls: {controls()} of the filter")
            print(f"plain: {plain(binary, work)} commands without a socket")
            print(f"full screen: {full_screen(binary, work)} lines of record without a socket")
        except Broken as bad:
            print("BAD", bad)
            return 1
    print("no_socket.py: nothing opened a socket")
    return 0


if __name__ == "__main__":
    sys.exit(main())
