"""Writes a small GGUF model of random weights: draw_model.py <libggml-base.so> <file> <architecture> <type> [tied] [shared] [rows] [alone] [float=<file>]

architecture  llama, qwen3 or qwen3moe
type          of ggml, for all matrices of the layers and the head: q4_0
shared, rows  the blocks of TQ1_0 and TQ2_0 have one scale for a tensor, or for a row
alone         layers have one expert
tied          the head has the weights of the embedding
float         another file, for the values of that type in F32
"""
import array
import pathlib
import random
import struct
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parents[3] / "examples/llama_cpp"))
import gguf

HIDDEN, FFN, LAYERS, HEADS, KEY_HEADS, HEAD, VOCABULARY, EXPERTS, TOP, EXPERT_FFN = 256, 512, 2, 4, 2, 64, 160, 6, 2, 256


def shapes(architecture, tied, experts):
    """Names and shapes, the contiguous dimension first, of all tensors."""
    yield "token_embd.weight", (HIDDEN, VOCABULARY)
    yield "output_norm.weight", (HIDDEN,)
    if not tied:
        yield "output.weight", (HIDDEN, VOCABULARY)
    for layer in range(LAYERS):
        block = f"blk.{layer}."
        yield block + "attn_norm.weight", (HIDDEN,)
        yield block + "attn_q.weight", (HIDDEN, HEADS * HEAD)
        yield block + "attn_k.weight", (HIDDEN, KEY_HEADS * HEAD)
        yield block + "attn_v.weight", (HIDDEN, KEY_HEADS * HEAD)
        yield block + "attn_output.weight", (HEADS * HEAD, HIDDEN)
        if architecture != "llama":
            yield block + "attn_q_norm.weight", (HEAD,)
            yield block + "attn_k_norm.weight", (HEAD,)
        yield block + "ffn_norm.weight", (HIDDEN,)
        if architecture == "qwen3moe":
            yield block + "ffn_gate_inp.weight", (HIDDEN, experts)
            yield block + "ffn_gate_exps.weight", (HIDDEN, EXPERT_FFN, experts)
            yield block + "ffn_up_exps.weight", (HIDDEN, EXPERT_FFN, experts)
            yield block + "ffn_down_exps.weight", (EXPERT_FFN, HIDDEN, experts)
        else:
            yield block + "ffn_gate.weight", (HIDDEN, FFN)
            yield block + "ffn_up.weight", (HIDDEN, FFN)
            yield block + "ffn_down.weight", (FFN, HIDDEN)


def metadata(architecture, experts):
    pairs = gguf.llama_sizes(architecture, LAYERS, HIDDEN, FFN, HEADS, KEY_HEADS, HEAD, VOCABULARY)
    if architecture == "qwen3moe":
        pairs.update({"qwen3moe.expert_count": experts, "qwen3moe.expert_used_count": min(TOP, experts), "qwen3moe.expert_feed_forward_length": EXPERT_FFN})
    return {**pairs, "tokenizer.ggml.model": "no_vocab"}


def share_scales(blocks, block_bytes, per_row, rows):
    """Gives blocks the scale, at their end, of the first one, or that of each row; every fifth block is zeros."""
    blocks = bytearray(blocks)
    row_bytes = len(blocks) // rows
    for at in range(0, len(blocks), block_bytes):
        scale = struct.pack("<H", 0x2c00 + (at // row_bytes % 7 if per_row else 0))
        blocks[at + block_bytes - 2:at + block_bytes] = bytes(2) if at // block_bytes % 5 == 4 else scale
    return bytes(blocks)


class Weights:
    def __init__(self, ggml, kind, options):
        self.ggml, self.kind, self.options = ggml, kind, options
        draw = random.Random(1)
        self.pool = array.array("f", (draw.gauss(0, 1) for _ in range(65521)))
        self.at = 0

    def draw(self, count, deviation):
        values = array.array("f")
        while len(values) < count:
            taken = self.pool[self.at:self.at + count - len(values)]
            self.at = (self.at + len(taken)) % len(self.pool)
            values.extend(taken)
        return array.array("f", (value * deviation for value in values))

    def tensor(self, name, shape):
        """Type, bytes, and the values of that type in F32."""
        count = 1
        for size in shape:
            count *= size
        if len(shape) == 1:
            values = (array.array("f", [1.0]) * count).tobytes()
            return "f32", values, values
        values = self.draw(count, 1.0 if name == "token_embd.weight" else shape[0] ** -0.5)
        if name.endswith("ffn_gate_inp.weight"):
            return "f32", values.tobytes(), values.tobytes()
        blocks = self.ggml.quantize(self.kind, values, shape[0])
        if "shared" in self.options or "rows" in self.options:
            rows = count // shape[0]
            blocks = share_scales(blocks, len(blocks) * 256 // count, "rows" in self.options, rows)
        return self.kind, blocks, self.ggml.dequantize(self.kind, blocks, count).tobytes()


def main():
    library, path, architecture, kind, *options = sys.argv[1:]
    ggml = gguf.Ggml(pathlib.Path(library).parent)
    if ggml.number(kind) is None:
        sys.exit(f"ggml has no type {kind}")
    weights = Weights(ggml, kind, options)
    experts = 1 if "alone" in options else EXPERTS
    tensors = [(name, shape, *weights.tensor(name, shape)) for name, shape in shapes(architecture, "tied" in options, experts)]

    def write(path, parts):
        gguf.write(path, metadata(architecture, experts), [(name, shape, ggml.number(kind), len(data), [data]) for name, shape, kind, data in parts])

    write(path, [(name, shape, kind, blocks) for name, shape, kind, blocks, _ in tensors])
    for option in options:
        if option.startswith("float="):
            write(option[6:], [(name, shape, "f32", values) for name, shape, _, _, values in tensors])


if __name__ == "__main__":
    main()
