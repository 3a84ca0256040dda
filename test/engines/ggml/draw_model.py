"""Writes a small GGUF model of random weights: draw_model.py <libggml-base.so> <file> <architecture> <type> [tied] [shared] [rows] [float=<file>]

architecture  llama, qwen3 or qwen3moe
type          of ggml, for all matrices of the layers and the head: q4_0
shared, rows  the blocks of TQ1_0 and TQ2_0 have one scale for a tensor, or for a row
tied          the head has the weights of the embedding
float         another file, for the values of that type in F32
"""
import array
import ctypes
import random
import struct
import sys

HIDDEN, FFN, LAYERS, HEADS, KEY_HEADS, HEAD, VOCABULARY, EXPERTS, TOP, EXPERT_FFN = 256, 512, 2, 4, 2, 64, 160, 6, 2, 256


class Traits(ctypes.Structure):
    _fields_ = [("name", ctypes.c_char_p), ("block", ctypes.c_int64), ("interleave", ctypes.c_int64), ("bytes", ctypes.c_size_t),
                ("quantized", ctypes.c_bool), ("to_float", ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64))]


class Ggml:
    def __init__(self, path):
        self.library = ctypes.CDLL(path)
        self.library.ggml_type_name.restype = ctypes.c_char_p
        self.library.ggml_get_type_traits.restype = ctypes.POINTER(Traits)
        self.library.ggml_quantize_chunk.restype = ctypes.c_size_t
        self.library.ggml_quantize_chunk.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p] + [ctypes.c_int64] * 3 + [ctypes.c_void_p]

    def type_of(self, name):
        for number in range(64):
            known = self.library.ggml_type_name(number)
            if known and known.decode().lower() == name:
                return number
        sys.exit(f"ggml has no type {name}")

    def quantize(self, number, values, k):
        traits = self.library.ggml_get_type_traits(number).contents
        blocks = ctypes.create_string_buffer(len(values) // traits.block * traits.bytes)
        ones = array.array("f", [1.0]) * k
        self.library.ggml_quantize_chunk(number, values.buffer_info()[0], blocks, 0, len(values) // k, k, ones.buffer_info()[0])
        return blocks.raw

    def dequantize(self, number, blocks, count):
        values = array.array("f", bytes(4 * count))
        self.library.ggml_get_type_traits(number).contents.to_float(blocks, values.buffer_info()[0], count)
        return values.tobytes()


def shapes(architecture, tied):
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
            yield block + "ffn_gate_inp.weight", (HIDDEN, EXPERTS)
            yield block + "ffn_gate_exps.weight", (HIDDEN, EXPERT_FFN, EXPERTS)
            yield block + "ffn_up_exps.weight", (HIDDEN, EXPERT_FFN, EXPERTS)
            yield block + "ffn_down_exps.weight", (EXPERT_FFN, HIDDEN, EXPERTS)
        else:
            yield block + "ffn_gate.weight", (HIDDEN, FFN)
            yield block + "ffn_up.weight", (HIDDEN, FFN)
            yield block + "ffn_down.weight", (FFN, HIDDEN)


def metadata(architecture):
    yield "general.architecture", architecture
    yield "tokenizer.ggml.model", "no_vocab"
    sizes = {"vocab_size": VOCABULARY, "context_length": 4096, "block_count": LAYERS, "embedding_length": HIDDEN,
             "feed_forward_length": FFN, "attention.head_count": HEADS, "attention.head_count_kv": KEY_HEADS,
             "attention.key_length": HEAD, "attention.value_length": HEAD, "attention.layer_norm_rms_epsilon": 1e-5,
             "rope.freq_base": 10000.0}
    if architecture == "qwen3moe":
        sizes.update({"expert_count": EXPERTS, "expert_used_count": TOP, "expert_feed_forward_length": EXPERT_FFN})
    for key, value in sizes.items():
        yield f"{architecture}.{key}", value


def text(value):
    return struct.pack("<Q", len(value)) + value.encode()


def pair(key, value):
    if isinstance(value, str):
        return text(key) + struct.pack("<I", 8) + text(value)
    return text(key) + (struct.pack("<If", 6, value) if isinstance(value, float) else struct.pack("<II", 4, value))


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
        self.ggml, self.number, self.options = ggml, ggml.type_of(kind), options
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
            return 0, values, values
        values = self.draw(count, 1.0 if name == "token_embd.weight" else shape[0] ** -0.5)
        if name.endswith("ffn_gate_inp.weight"):
            return 0, values.tobytes(), values.tobytes()
        blocks = self.ggml.quantize(self.number, values, shape[0])
        if "shared" in self.options or "rows" in self.options:
            rows = count // shape[0]
            blocks = share_scales(blocks, len(blocks) * 256 // count, "rows" in self.options, rows)
        return self.number, blocks, self.ggml.dequantize(self.number, blocks, count)


def write(path, architecture, tensors):
    pairs = list(metadata(architecture))
    head = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(pairs)) + b"".join(pair(*it) for it in pairs)
    offset = 0
    for name, shape, number, data in tensors:
        head += text(name) + struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, number, offset)
        offset += (len(data) + 31) // 32 * 32
    with open(path, "wb") as out:
        out.write(head + bytes(-len(head) % 32))
        for _, _, _, data in tensors:
            out.write(data + bytes(-len(data) % 32))


def main():
    library, path, architecture, kind, *options = sys.argv[1:]
    weights = Weights(Ggml(library), kind, options)
    tensors = [(name, shape, *weights.tensor(name, shape)) for name, shape in shapes(architecture, "tied" in options)]
    write(path, architecture, [(name, shape, number, blocks) for name, shape, number, blocks, _ in tensors])
    for option in options:
        if option.startswith("float="):
            write(option[6:], architecture, [(name, shape, 0, values) for name, shape, _, _, values in tensors])


if __name__ == "__main__":
    main()
