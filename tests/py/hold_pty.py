#!/usr/bin/env python3
"""Runs a command in a pty of 120x40 and copies what it writes to standard output: a terminal window that a test can kill.

    hold_pty.py PIDFILE COMMAND [ARGUMENT...]      the command's process id is in PIDFILE before anything is copied
"""
import fcntl
import os
import pathlib
import pty
import struct
import sys
import termios


def main():
    child, master = pty.fork()
    if child == 0:
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
        os.environ["TERM"] = "xterm-256color"
        os.execv(sys.argv[2], sys.argv[2:])
    pathlib.Path(sys.argv[1]).write_text(str(child))
    while True:
        try:
            octets = os.read(master, 4096)
        except OSError:     # the command has ended
            return
        os.write(1, octets)


main()
