"""Models of random weights of the real size, as GGUF files."""
import array
import dataclasses
import random

import gguf

EXPERTS, TOP, WINDOW = 32, 4, 128  # of gpt-oss
DRAWN = 1 << 20  # values that are quantized; a tensor repeats their blocks


@dataclasses.dataclass
class Model:
    architecture: str
    layers: int
    hidden: int
    ffn: int
    heads: int
    key_heads: int
    head: int
    vocabulary: int
    theta: float
    kinds: dict  # types of tensors, by the begin of their names; of one layer after another
    tied: bool = False

    def metadata(self):
        pairs = gguf.llama_sizes(self.architecture, self.layers, self.hidden, self.ffn, self.heads, self.key_heads, self.head, self.vocabulary,
                                 theta=self.theta)
        pairs["tokenizer.ggml.model"] = "no_vocab"
        if self.architecture == "gpt-oss":
            pairs.update({"gpt-oss.expert_count": EXPERTS, "gpt-oss.expert_used_count": TOP, "gpt-oss.expert_feed_forward_length": self.ffn,
                          "gpt-oss.attention.sliding_window": WINDOW})
        return pairs

    def tensors(self):
        """Names, shapes and types."""
        yield "token_embd.weight", (self.hidden, self.vocabulary), self.kind("token_embd", 0)
        yield "output_norm.weight", (self.hidden,), "f32"
        if not self.tied:
            yield "output.weight", (self.hidden, self.vocabulary), self.kind("output", 0)
        for layer in range(self.layers):
            for name, *shape in self.layer():
                is_plain = len(shape) == 1 or name.endswith(".bias") or name.startswith("ffn_gate_inp")
                yield f"blk.{layer}.{name}", tuple(shape), "f32" if is_plain else self.kind(name, layer)

    def kind(self, name, layer):
        kinds = next(kinds for begin, kinds in self.kinds.items() if name.startswith(begin))
        return kinds if isinstance(kinds, str) else kinds[layer % len(kinds)]

    def layer(self):
        hidden, ffn, query, key = self.hidden, self.ffn, self.heads * self.head, self.key_heads * self.head
        tensors = [("attn_norm.weight", hidden), ("attn_q.weight", hidden, query), ("attn_k.weight", hidden, key),
                   ("attn_v.weight", hidden, key), ("attn_output.weight", query, hidden)]
        if self.architecture == "qwen3":
            tensors += [("attn_q_norm.weight", self.head), ("attn_k_norm.weight", self.head)]
        if self.architecture == "gpt-oss":
            return tensors + [
                ("attn_q.bias", query), ("attn_k.bias", key), ("attn_v.bias", key), ("attn_output.bias", hidden),
                ("attn_sinks.weight", self.heads), ("post_attention_norm.weight", hidden),
                ("ffn_gate_inp.weight", hidden, EXPERTS), ("ffn_gate_inp.bias", EXPERTS),
                ("ffn_gate_exps.weight", hidden, ffn, EXPERTS), ("ffn_gate_exps.bias", ffn, EXPERTS),
                ("ffn_up_exps.weight", hidden, ffn, EXPERTS), ("ffn_up_exps.bias", ffn, EXPERTS),
                ("ffn_down_exps.weight", ffn, hidden, EXPERTS), ("ffn_down_exps.bias", hidden, EXPERTS)]
        return tensors + [("ffn_norm.weight", hidden), ("ffn_gate.weight", hidden, ffn), ("ffn_up.weight", hidden, ffn),
                          ("ffn_down.weight", ffn, hidden)]

    def layers_alone(self):
        """Without a head to speak of."""
        return dataclasses.replace(self, vocabulary=32, kinds={"token_embd": "f32", "": self.kinds[""]}, tied=True)


MODELS = {
    "BitNet-2B TQ2_0": Model("llama", 30, 2560, 6912, 20, 5, 128, 128256, 5e5, {"token_embd": "q6_k", "": "tq2_0"}, tied=True),
    "Llama-2-7B Q2_K": Model("llama", 32, 4096, 11008, 32, 32, 128, 32000, 1e4, {"output": "q6_k", "": "q2_k"}),
    "Llama-3-8B Q4_K_M": Model("llama", 32, 4096, 14336, 32, 8, 128, 128256, 5e5,
                               {"output": "q6_k", "attn_v": ("q6_k", "q4_k"), "ffn_down": ("q6_k", "q4_k"), "": "q4_k"}),
    "Qwen3-0.6B Q4_0": Model("qwen3", 28, 1024, 3072, 16, 8, 128, 151936, 1e6, {"token_embd": "q6_k", "": "q4_0"}, tied=True),
    "Qwen3-1.7B Q1_0": Model("qwen3", 28, 2048, 6144, 16, 8, 128, 151936, 1e6, {"": "q1_0"}, tied=True),
    "gpt-oss (6 layers) MXFP4": Model("gpt-oss", 6, 2880, 2880, 64, 8, 64, 201088, 1.5e5, {"ffn": "mxfp4", "": "q8_0"}),
}


class Weights:
    """Chunks of tensors' bytes."""

    def __init__(self, ggml):
        self.ggml, self.drawn = ggml, {}
        draw = random.Random(1)
        self.values = array.array("f", (draw.gauss(0, 1) for _ in range(65521)))

    def normal(self, count, deviation):
        repeated = self.values * (count // len(self.values) + 1)
        return array.array("f", (value * deviation for value in repeated[:count]))

    def blocks(self, kind, k):
        """Some rows of k."""
        if (kind, k) not in self.drawn:
            blocks = self.ggml.quantize(kind, self.normal(DRAWN // k * k, k ** -0.5), k)
            self.drawn[kind, k] = with_one_scale(blocks) if kind == "tq2_0" else blocks
        return self.drawn[kind, k]

    def chunks(self, name, shape, kind, size):
        if kind == "f32":
            yield (array.array("f", [1.0]) * (size // 4) if "norm" in name else self.normal(size // 4, shape[0] ** -0.5)).tobytes()
            return
        blocks = self.blocks(kind, shape[0])
        for begin in range(0, size, len(blocks)):
            yield blocks[:size - begin]


def with_one_scale(blocks, block_bytes=66):
    """TQ2_0 as BitNet has it: the scales, at the ends of blocks, are the first one."""
    blocks = bytearray(blocks)
    for byte in (1, 2):
        last = blocks[block_bytes - byte]
        blocks[block_bytes - byte::block_bytes] = bytes([last]) * (len(blocks) // block_bytes)
    return bytes(blocks)


def write(path, model, ggml):
    weights, tensors = Weights(ggml), []
    for name, shape, kind in model.tensors():
        count = 1
        for size in shape:
            count *= size
        size = ggml.bytes_of(kind, count)
        tensors.append((name, shape, ggml.number(kind), size, weights.chunks(name, shape, kind, size)))
    gguf.write(path, model.metadata(), tensors)
