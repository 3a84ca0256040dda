"""Blocks of llama.cpp's types, drawn and encoded by the description in ggml-common.h and ggml-quants.c.

Each function draws one block: its bytes as stored, and what lutc_weights has of it. F16 numbers are their bits.
"""
import struct
from dataclasses import dataclass, field


@dataclass
class Block:
    data: bytes
    codes: list
    scales: bytes  # f16, or a byte of e8m0 or e4m3
    minimums: bytes = b""
    multiples: list = field(default_factory=list)
    minimum_multiples: list = field(default_factory=list)


def half(draw):
    """Of a few binades and either sign."""
    return draw.randint(0, 1) << 15 | draw.randint(6, 9) << 10 | draw.randint(0, 1023)


def halves(*values):
    return struct.pack(f"<{len(values)}H", *values)


def signed(values):
    return struct.pack(f"{len(values)}b", *values)


def codes(draw, count, bits):
    return draw.choices(range(1 << bits), k=count)


def nibbles(values, distance):
    """Runs of 2 * distance values, of which those that are `distance` apart share a byte."""
    return bytes(values[run + j] & 15 | (values[run + j + distance] & 15) << 4
                 for run in range(0, len(values), 2 * distance) for j in range(distance))


def bit(values, place):
    """One bit of each of eight lines of 32: bit s of byte l."""
    return bytes(sum((values[32 * s + l] >> place & 1) << s for s in range(len(values) // 32)) for l in range(32))


def pairs(values):
    """Two bits of four lines of 32 to 32 bytes."""
    return bytes(sum((values[half + 32 * s + l] & 3) << 2 * s for s in range(4)) for half in (0, 128) for l in range(32))


def q4_1(draw):
    q, d, m = codes(draw, 32, 4), half(draw), half(draw)
    return Block(halves(d, m) + nibbles(q, 16), q, halves(d), halves(m))


def q5_1(draw):
    q, d, m = codes(draw, 32, 5), half(draw), half(draw)
    high = sum((value >> 4) << j for j, value in enumerate(q))
    return Block(halves(d, m) + struct.pack("<I", high) + nibbles(q, 16), q, halves(d), halves(m))


def subtracted(d, dmin, data, q, scales, minimums):
    return Block(data, q, halves(d), halves(dmin ^ 0x8000), scales, minimums)


def q2_k(draw):
    q, d, dmin, s, m = codes(draw, 256, 2), half(draw), half(draw), codes(draw, 16, 4), codes(draw, 16, 4)
    return subtracted(d, dmin, bytes(a | b << 4 for a, b in zip(s, m)) + pairs(q) + halves(d, dmin), q, s, m)


def q3_k(draw):
    q, d, s = codes(draw, 256, 3), half(draw), codes(draw, 16, 6)
    low = bytes(s[i] & 15 | (s[i + 8] & 15) << 4 for i in range(8))
    high = bytes(sum((s[i + 4 * j] >> 4) << 2 * j for j in range(4)) for i in range(4))
    return Block(bit(q, 2) + pairs(q) + low + high + halves(d), q, halves(d), multiples=[value - 32 for value in s])


def six_bits(s, m):
    return (bytes(s[j] | s[j + 4] >> 4 << 6 for j in range(4)) + bytes(m[j] | m[j + 4] >> 4 << 6 for j in range(4)) +
            bytes(s[j + 4] & 15 | (m[j + 4] & 15) << 4 for j in range(4)))


def q4_k(draw):
    q, d, dmin, s, m = codes(draw, 256, 4), half(draw), half(draw), codes(draw, 8, 6), codes(draw, 8, 6)
    return subtracted(d, dmin, halves(d, dmin) + six_bits(s, m) + nibbles(q, 32), q, s, m)


def q5_k(draw):
    q, d, dmin, s, m = codes(draw, 256, 5), half(draw), half(draw), codes(draw, 8, 6), codes(draw, 8, 6)
    return subtracted(d, dmin, halves(d, dmin) + six_bits(s, m) + bit(q, 4) + nibbles(q, 32), q, s, m)


def q6_k(draw):
    q, d, s = codes(draw, 256, 6), half(draw), [value - 128 for value in codes(draw, 16, 8)]
    low = b"".join(nibbles(q[first:first + 128], 64) for first in (0, 128))
    return Block(low + pairs([value >> 4 for value in q]) + signed(s) + halves(d), q, halves(d), multiples=s)


def iq4_nl(draw):
    q, d = codes(draw, 32, 4), half(draw)
    return Block(halves(d) + nibbles(q, 16), q, halves(d))


def mxfp4(draw):
    q, exponent = codes(draw, 32, 4), bytes([draw.randint(116, 130)])
    return Block(exponent + nibbles(q, 16), q, exponent)


def nvfp4(draw):
    """Scales of e4m3."""
    q, scales = codes(draw, 64, 4), bytes(draw.randint(0x20, 0x5F) for _ in range(4))
    return Block(scales + nibbles(q, 8), q, scales)


DRAW = {"Q4_1": q4_1, "Q5_1": q5_1, "Q2_K": q2_k, "Q3_K": q3_k, "Q4_K": q4_k, "Q5_K": q5_k, "Q6_K": q6_k,
        "IQ4_NL": iq4_nl, "MXFP4": mxfp4, "NVFP4": nvfp4}


def row(draw, kind, k):
    """A row of k as one Block."""
    whole = Block(b"", [], b"")
    while len(whole.codes) < k:
        block = DRAW[kind](draw)
        for name in vars(whole):
            setattr(whole, name, getattr(whole, name) + getattr(block, name))
    return whole
