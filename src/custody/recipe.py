# Combines anchorite shares. stdin: the shares, 80 characters each, any layout.
import re, sys
A = "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L"
BIP93 = (0x19dc500ce73fde210, 0x1bfae00def77fe529, 0x1fbd920fffe7bee52,
         0x1739640bdeee3fdad, 0x07729a039cfc75f5a)
BECH32 = (0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3)

def checksum(prefix, symbols, generator, length):
    c, p = 1, [ord(x) for x in prefix.lower()]
    for s in [x >> 5 for x in p] + [0] + [x & 31 for x in p] + symbols:
        top = c >> 5 * length - 5
        c = (c & (1 << 5 * length - 5) - 1) << 5 ^ s
        for i in range(5):
            c ^= generator[i] * (top >> i & 1)
    return c

def times(a, b):  # in GF(256) modulo x^8 + x^4 + x^3 + x + 1
    r = 0
    while b:
        r ^= a * (b & 1)
        a, b = a << 1 ^ (0x11b if a & 128 else 0), b >> 1
    return r

def divided(a, b):
    for _ in range(254):  # b^254 is 1/b
        a = times(a, b)
    return a

def regrouped(values, have, want):  # the same bits in other portions
    b = "".join(format(v, "0%db" % have) for v in values)
    return [int(b[i:i + want], 2) for i in range(0, len(b) - want + 1, want)]

text = re.sub(r"[\s-]", "", sys.stdin.read().upper())
head, points = None, {}
for n, t in enumerate(re.findall(".{1,80}", text), 1):
    if not re.fullmatch("K[SR]1[%s]{77}" % A, t):
        sys.exit("share %d: wrong length, prefix or character" % n)
    symbols = [A.index(x) for x in t[3:]]
    if checksum(t[:2], symbols, BIP93, 13) != 0x10ce0795c2fd1e62a:
        sys.exit("share %d: the checksum does not hold" % n)
    octets = regrouped(symbols[:64], 5, 8)
    if head not in (None, [t[:3]] + octets[:7]):
        sys.exit("share %d: from another set than share 1" % n)
    head, x = [t[:3]] + octets[:7], octets[7]
    if x == 0 or x > octets[6] or x in points:
        sys.exit("share %d: index %d is given twice or impossible" % (n, x))
    points[x] = octets[8:]
if not points or len(points) < max(head[6], 2):
    sys.exit("too few shares: %d" % len(points))
secret = [0] * 32
for x in points:
    weight = 1
    for other in points:
        if other != x:
            weight = divided(times(weight, other), other ^ x)
    secret = [s ^ times(weight, y) for s, y in zip(secret, points[x])]
symbols = regrouped(secret + [0], 8, 5)
end = checksum("AGE-SECRET-KEY-", symbols + [0] * 6, BECH32, 6) ^ 1
symbols += [end >> 25 - 5 * i & 31 for i in range(6)]
print("AGE-SECRET-KEY-1" + "".join(A[s] for s in symbols))
