#!/usr/bin/env python3
"""Seed corpora of the fuzz targets: make_seeds.py <directory>. Small checkpoints of every kind, and some of their errors."""
import json
import os
import struct
import sys

import make_checkpoint as make

# Methods in the order of those of fuzz_weights, tensors by the order of fuzz_weights' suffixes and types.
SUFFIXES = ["qweight", "qzeros", "scales", "g_idx", "weight", "weight_scale", "weight_shape", "weight_zero_point", "weight_g_idx", "weight_packed",
            "experts.gate_up_proj", "experts.gate_up_proj_blocks", "experts.gate_up_proj_scales",
            "experts.down_proj", "experts.down_proj_blocks", "experts.down_proj_scales"]
TYPES = ["F32", "F16", "BF16", "F64", "I8", "I16", "I32", "I64", "U8"]
GGUF_TYPES = 34  # rows of the table of types, at least


FORMATS = 12


def layer(method, bits, group, flags, tensors, wanted=0):
    head = bytes([method, bits, group // 16, flags, wanted, len(tensors)])
    for suffix, dtype, shape in tensors:
        head += bytes([SUFFIXES.index(suffix), TYPES.index(dtype), len(shape), *shape])
    return head + bytes(range(64))


def layers():
    gptq = [("qweight", "I32", (8, 16)), ("qzeros", "I32", (2, 2)), ("scales", "F16", (2, 16)), ("g_idx", "I32", (64,))]
    three = [("qweight", "I32", (6, 32)), ("qzeros", "I32", (2, 3)), ("scales", "F16", (2, 32))]
    ten = [("qweight", "I32", (7, 32)), ("qzeros", "I32", (2, 4)), ("scales", "F16", (2, 32)), ("g_idx", "I32", (64,))]
    awq = [("qweight", "I32", (64, 2)), ("qzeros", "I32", (2, 2)), ("scales", "F16", (2, 16))]
    gemv = [("qweight", "I32", (16, 8)), ("qzeros", "I32", (16, 1)), ("scales", "F16", (16, 8))]
    packed = [("weight_packed", "I32", (16, 8)), ("weight_scale", "F16", (16, 2)), ("weight_shape", "I64", (2,)), ("weight_zero_point", "I32", (2, 2))]
    bitnet = [("weight", "U8", (4, 64)), ("weight_scale", "BF16", (1,))]
    floats = [("weight", "BF16", (4, 64))]
    for method, bits, tensors in [(0, 3, ten), (0, 4, gptq), (1, 4, gptq), (2, 4, gptq), (1, 3, three), (3, 4, gptq), (4, 4, awq), (5, 4, gemv), (6, 4, packed),
                                  (7, 2, bitnet), (8, 2, bitnet), (9, 4, packed), (10, 4, gptq)]:
        yield layer(method, bits, 32, 0, tensors)
    for wanted in range(FORMATS):
        yield layer(0, 0, 0, 8, floats, wanted)
    stacked = [("experts.gate_up_proj", "BF16", (2, 6, 32)), ("experts.down_proj", "F32", (2, 32, 3))]
    scaled = [("experts.gate_up_proj_blocks", "U8", (2, 6, 2, 16)), ("experts.gate_up_proj_scales", "U8", (2, 6, 2)),
              ("experts.down_proj_blocks", "U8", (2, 5, 1, 16)), ("experts.down_proj_scales", "U8", (2, 5, 1))]
    for flags in (16, 20, 48, 52):
        yield layer(0, 0, 0, flags | 8, stacked)
        yield layer(0, 0, 0, flags, scaled)
    for kind in range(GGUF_TYPES):
        yield bytes([11, 0, 0, 0, 0, 1, kind, 2, 2, 1]) + bytes(range(64))


def safetensors(directory):
    families = {"gptq": make.gptq, "awq": make.awq, "compressed": make.compressed, "bitnet": make.bitnet, "float": make.floats}
    for name, family in families.items():
        path = os.path.join(directory, name)
        make.write_safetensors(path, {"model.layers.0.mlp.up_proj." + suffix: tensor for suffix, tensor in family(8, 128).items()})
        with open(path, "rb") as file:
            content = file.read()
        yield content[: len(content) // 2]
    yield b""
    yield b"\xff" * 16


def gguf(directory):
    metadata = {"general.architecture": "llama", "llama.block_count": 1, "epsilon": 0.5, "tokens": ["a", "b"], "general.alignment": 32}
    for kind in make.TYPES:
        path = os.path.join(directory, kind)
        make.write_gguf(path, metadata, {"blk.0.attn_q.weight": (kind, (2, 256)), "blk.0.attn_norm.weight": ("F32", (4,))})
        with open(path, "rb") as file:
            content = file.read()
        yield content[: len(content) // 2]
    yield b"GGUF\x03\0\0\0" + b"\xff" * 16
    # A key of two lines before a string, and a list of them, that are not UTF-8.
    key, bad = struct.pack("<Q", 25) + b"two\nlines" + b"." * 16, struct.pack("<Q", 4) + b"\xff" * 4
    for value in [struct.pack("<I", 8) + bad, struct.pack("<IIQ", 9, 8, 1) + bad]:
        yield struct.pack("<4sIQQ", b"GGUF", 3, 0, 1) + key + value


def index(_):
    yield b'{"metadata": {"total_size": 1}, "weight_map": {"a": "model-00001-of-00002.safetensors"}}'
    yield b'{"x": [[{"a": 1.5e3, "b": null}], "\\u00e9\\ud83d\\ude00"], "weight_map": {}}'
    yield b'{"weight_map": {"a": "two\\nlines.safetensors"}}'
    yield b'{"weight_map": {"a\\nb": "a.safetensors"}}'


def configs(_):
    patterns = [r"(?!lm_head).*", r"(?i).*MLP\b", r"model\.layers\.\d+\.(?P<part>mlp|self_attn)", r"(a+)+$", "lm_head", "mlp.", r".*{,2}", "[a"]
    yield b"\1" + json.dumps({"a": [float("nan"), float("inf"), -float("inf")], "ignore": patterns, "lm_head": {"mlp": None}}).encode()
    yield b"\1" + json.dumps({"\u00e9\n\u001b": patterns[::-1]}, indent=1).encode()
    yield b"\0a: [1, 2.5e3, x]\nb: {c: 'd', e: \"f\"}\ng: |\n  text\n"
    yield b"\1{\"a\": 1, \"a\": 2}"


def kinds(_):
    for magic in (b"GGUF", b"LUTCFILE", b"version https://git-lfs.github.com/spec/v1", b"!<arch>\n", b"\x7fELF", b"PK\x03\x04", b"\x80\x02}q.",
                  b"\x1f\x8b", b"\xff\xfe", b"<!DOCTYPE html>", b"", b"\0", b"text", b"\2\0\0\0\0\0\0\0{}"):
        yield magic
    for key in ("weight_map", "lutc", "lutc_tuning", "model_type", "x"):
        yield json.dumps({"first": [1, {"y": "z"}], key: "value"}).encode()


def main():
    for name, seeds in [("safetensors", safetensors), ("gguf", gguf), ("index", index), ("weights", lambda _: layers()), ("config", configs),
                        ("kind", kinds)]:
        directory = os.path.join(sys.argv[1], name)
        os.makedirs(directory, exist_ok=True)
        for number, content in enumerate(seeds(directory)):
            with open(os.path.join(directory, f"seed-{number}"), "wb") as file:
                file.write(content)


main()
