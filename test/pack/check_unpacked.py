"""Compares what lutc unpack wrote with what draw_checkpoint.py drew: check_unpacked.py CHECKPOINT UNPACKED INSPECTED

INSPECTED is what `lutc inspect --json` says of the packed file: formats by name. A weight is worked out from its code as
runtime/lutc.h defines it, each product and sum rounded to f32. Every tensor of the one has to be in the other.
"""
import json
import os
import re
import struct
import sys
from array import array

NL4 = [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113]
FP4 = [0, .5, 1, 1.5, 2, 3, 4, 6, 0, -.5, -1, -1.5, -2, -3, -4, -6]


def single(value):
    return struct.unpack("<f", struct.pack("<f", value))[0]


def read(path):
    with open(path, "rb") as file:
        return file.read()


def read_safetensors(path):
    data = read(path)
    size = struct.unpack_from("<Q", data)[0]
    assert size % 8 == 0
    header, tensors, end = json.loads(data[8:8 + size]), {}, 0
    assert header.pop("__metadata__") == {"format": "pt"}
    for name, entry in sorted(header.items(), key=lambda item: item[1]["data_offsets"]):
        begin, stop = entry["data_offsets"]
        assert begin == end, f"{name}: a gap"
        end = stop
        tensors[name] = entry["dtype"], entry["shape"], data[8 + size + begin:8 + size + stop]
    assert 8 + size + end == len(data)
    return tensors


def book(stem, plain):
    """What codes stand for before scales."""
    if plain:
        return range(256)
    if stem in ("nl4", "fp4"):
        return NL4 if stem == "nl4" else FP4
    if stem == "w158":
        return [-1, 0, 1]
    bits = int(stem[1:])
    return [-1, 1] if bits == 1 else range(-(1 << bits - 1), 1 << bits - 1)


class Truth:
    def __init__(self, directory, module, form, n, k):
        def part(kind):
            path = os.path.join(directory, f"{module}.{kind}")
            return read(path) if os.path.exists(path) else b""

        stem, group, ending, letter = re.fullmatch(r"(w158r?|w\d|nl4|fp4)(?:[gk](\d+))?([zm]?)([es]?)p?", form).groups()
        two_level = re.search(r"k\d", form)
        self.values = book(stem.removesuffix("r") if stem == "w158r" else stem, ending in ("z", "m") and ending)
        self.k, self.group = k, 256 if two_level else int(group or k)
        self.subgroup = int(group) if two_level else self.group
        self.groups, self.subgroups = -(-k // self.group), -(-k // self.subgroup)
        self.codes, self.zeros = part("codes"), part("zeros") if ending == "z" else b""
        self.scales = self.numbers(part("scales"), stem, letter)
        self.minimums = struct.unpack(f"<{len(part('minimums')) // 2}e", part("minimums")) if ending == "m" else ()
        self.multiples, self.minimum_multiples = array("b", part("multiples")), array("b", part("minimum_multiples"))
        columns = array("i", part("columns"))
        self.columns = columns if len(columns) else range(k)
        assert len(self.codes) == n * k, f"{module}: no truth"

    @staticmethod
    def numbers(data, stem, letter):
        if stem.startswith("w158") or letter == "s":
            return struct.unpack(f"<{len(data) // 4}f", data)
        if letter == "e":
            return [2.0 ** (byte - 127) for byte in data]
        return struct.unpack(f"<{len(data) // 2}e", data)

    def weight(self, row, i):
        at, sub = row * self.groups + i // self.group, row * self.subgroups + i // self.subgroup
        scale = self.scales[0 if len(self.scales) == 1 else at]
        value = self.values[self.codes[row * self.k + i]] - (self.zeros[at] if self.zeros else 0)
        weight = single(scale * (self.multiples[sub] if self.multiples else 1) * value)
        if self.minimums:
            weight = single(weight + self.minimums[at] * (self.minimum_multiples[sub] if self.minimum_multiples else 1))
        return weight

    def row(self, row):
        weights = [0.0] * self.k
        for i, column in enumerate(self.columns):
            weights[column] = self.weight(row, i)
        return weights


def main():
    directory, unpacked, inspected = sys.argv[1:]
    tensors = read_safetensors(unpacked)
    listed = json.loads(read(inspected))["tensors"]
    assert sorted(tensors) == sorted(entry["name"] for entry in listed)
    for entry in listed:
        name, form, shape = entry["name"], entry["type"], entry["shape"]
        dtype, extents, data = tensors[name]
        assert extents == shape, name
        if entry["role"] == "plain":
            path = os.path.join(directory, "truth", f"{name}.plain")
            assert dtype == form and (not os.path.exists(path) or data == read(path)), name
            continue
        n, k = shape
        assert dtype == "F32", name
        truth = Truth(os.path.join(directory, "truth"), name.removesuffix(".weight"), form, n, k)
        values = array("f", data)
        for row in range(n):
            expected = array("f", truth.row(row))
            assert values[row * k:(row + 1) * k] == expected, f"{name}: row {row}"
    print(f"{sum(entry['role'] == 'packed' for entry in listed)} packed, "
          f"{sum(entry['role'] == 'plain' for entry in listed)} plain tensors as drawn")


main()
