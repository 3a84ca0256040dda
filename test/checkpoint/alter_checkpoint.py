#!/usr/bin/env python3
"""Changes a checkpoint of one safetensors file and its config.json: alter_checkpoint.py <directory> <change>...

A change is drop=<start of names>, rename=<from>,<to> (parts of names), add=<name>,<dtype>,<extent>x<extent>,
zero=<name> (its bytes), config=<key>,<JSON> or unset=<key> (a dotted path)."""
import json
import os
import struct
import sys

WIDTH = {"I32": 4, "F32": 4, "F16": 2, "BF16": 2, "U8": 1, "I64": 8, "F8_E4M3": 1}


def read(path):
    with open(path, "rb") as file:
        data = file.read()
    size = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8 : 8 + size])
    header.pop("__metadata__", None)
    content = data[8 + size :]
    return {name: (it["dtype"], it["shape"], content[it["data_offsets"][0] : it["data_offsets"][1]]) for name, it in header.items()}


def write(path, tensors):
    header, data = {}, b""
    for name, (dtype, shape, content) in tensors.items():
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [len(data), len(data) + len(content)]}
        data += content
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + data)


def change_config(config, kind, argument):
    path, _, value = argument.partition(",")
    *parents, last = path.split(".")
    for parent in parents:
        config = config[parent]
    if kind == "config":
        config[last] = json.loads(value)
    else:
        del config[last]


def change_tensors(tensors, kind, argument):
    if kind == "drop":
        return {name: it for name, it in tensors.items() if not name.startswith(argument)}
    if kind == "rename":
        old, new = argument.split(",")
        return {name.replace(old, new): it for name, it in tensors.items()}
    if kind == "zero":
        dtype, shape, content = tensors[argument]
        return {**tensors, argument: (dtype, shape, bytes(len(content)))}
    name, dtype, extents = argument.split(",")
    shape = [int(extent) for extent in extents.split("x")]
    count = WIDTH[dtype]
    for extent in shape:
        count *= extent
    return {**tensors, name: (dtype, shape, b"\x3c" * count)}


def main():
    directory = sys.argv[1]
    weights, settings = os.path.join(directory, "model.safetensors"), os.path.join(directory, "config.json")
    tensors = read(weights)
    with open(settings, encoding="utf-8") as file:
        config = json.load(file)
    for text in sys.argv[2:]:
        kind, _, argument = text.partition("=")
        if kind in ("config", "unset"):
            change_config(config, kind, argument)
        else:
            tensors = change_tensors(tensors, kind, argument)
    write(weights, tensors)
    with open(settings, "w", encoding="utf-8") as file:
        json.dump(config, file, indent=2)


if __name__ == "__main__":
    main()
