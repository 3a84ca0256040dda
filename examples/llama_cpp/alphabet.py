"""A model that knows the alphabet: random weights, but the head says the letter after the one that was read."""
import array
import random

import gguf

LAYERS, HIDDEN, FFN, HEADS, HEAD = 8, 1024, 4096, 16, 64
SOFT = 0.1  # of what layers add to a token, so that it stays legible


def after(byte):
    return byte + 1 if byte < ord("z") else ord("a")


def tensors():
    """Names, shapes with the contiguous size first, standard deviations of values."""
    for layer in range(LAYERS):
        block, deep = f"blk.{layer}.", HIDDEN ** -0.5
        for name in ("attn_norm.weight", "ffn_norm.weight"):
            yield block + name, (HIDDEN,), 0
        for name in ("attn_q.weight", "attn_k.weight", "attn_v.weight"):
            yield block + name, (HIDDEN, HEADS * HEAD), deep
        yield block + "attn_output.weight", (HEADS * HEAD, HIDDEN), SOFT * deep
        yield block + "ffn_gate.weight", (HIDDEN, FFN), deep
        yield block + "ffn_up.weight", (HIDDEN, FFN), deep
        yield block + "ffn_down.weight", (FFN, HIDDEN), SOFT * FFN ** -0.5


def write(path, llama_directory, kind="q4_0"):
    ggml, draw = gguf.Ggml(llama_directory), random.Random(1)
    normal = array.array("f", (draw.gauss(0, 1) for _ in range(65521))) * (HIDDEN * FFN // 65521 + 1)
    letters = [array.array("f", (draw.gauss(0, 1) for _ in range(HIDDEN))) for _ in range(256)]
    head = [letters[0]] * 256
    for byte in range(ord("a"), ord("z") + 1):
        head[after(byte)] = letters[byte]
    done, drawn = [], {}

    def add(name, shape, kind, data):
        done.append((name, shape, ggml.number(kind), len(data), [data]))

    add("token_embd.weight", (HIDDEN, 256), "f32", b"".join(letter.tobytes() for letter in letters))
    add("output.weight", (HIDDEN, 256), kind, ggml.quantize(kind, sum(head, array.array("f")), HIDDEN))
    add("output_norm.weight", (HIDDEN,), "f32", (array.array("f", [1.0]) * HIDDEN).tobytes())
    for name, shape, deviation in tensors():
        if not deviation:
            add(name, shape, "f32", (array.array("f", [1.0]) * HIDDEN).tobytes())
            continue
        if (shape, deviation) not in drawn:
            values = array.array("f", (value * deviation for value in normal[:shape[0] * shape[1]]))
            drawn[shape, deviation] = ggml.quantize(kind, values, shape[0])
        add(name, shape, kind, drawn[shape, deviation])
    gguf.write(path, {**gguf.llama_sizes("llama", LAYERS, HIDDEN, FFN, HEADS, HEADS, HEAD, 256), **gguf.byte_tokens()}, done)
