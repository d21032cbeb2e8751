"""Looks for a secret in the memory of a running program, as somebody with a debugger or a cold machine would. Needs root, as the program is not
dumpable."""
import pathlib, re


def needles(share):
    """Runs of a share's text that chance does not make, plain and in groups."""
    groups = [share[i:i + 4] for i in range(0, len(share), 4)]
    runs = [share[i:i + 12] for i in range(20, len(share) - 11, 12)]
    return [n.encode() for n in runs + [" ".join(groups[i:i + 3]) for i in range(5, len(groups) - 2, 3)]]


def found(pid, shares):
    """Where in the memory of one process a part of a share lies, as `mapping: part`."""
    pattern = re.compile(b"|".join(re.escape(n) for share in shares for n in needles(share)), re.I)
    hits = []
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for line in pathlib.Path(f"/proc/{pid}/maps").read_text().splitlines():
            place = re.match(r"([0-9a-f]+)-([0-9a-f]+) rw", line)
            if not place:
                continue
            start, end = int(place[1], 16), int(place[2], 16)
            try:
                memory.seek(start)
                octets = memory.read(end - start)
            except OSError:
                continue
            hits += [f"{line.split()[-1]} +{m.start():x}: {m[0].decode()}" for m in pattern.finditer(octets)]
    return hits
