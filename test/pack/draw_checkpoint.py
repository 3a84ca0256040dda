"""Writes a checkpoint of drawn weights with its config.json: draw_checkpoint.py KIND DIRECTORY SEED

KIND is one of:

gptq     a Llama in 4 bits with zero points, columns in order of activation (desc_act), in two shards
bitnet   a BitNet in ternary weights packed by four
experts  a Qwen3 mixture of experts in 2-bit GPTQ
gpt_oss  gpt-oss, experts in MXFP4
gguf     a Llama of llama.cpp's types with minimums, two levels and code books, with biases, as model.gguf
tied     a Gemma 2 in Q6_K whose lm_head is its embedding, as model.gguf
unknown    a model of a family that lutc does not know, in 4 bits as AutoRound packs GPTQ
large    two gigabytes in the shapes of Llama-3-8B, 4-bit GPTQ; nobody looks at its weights

All but the last also write DIRECTORY/truth: of every linear layer, before it is encoded, <module>.codes [n][k],
.scales and more, .columns among it, as lutc_weights has them once the columns are sorted by group; and of all others, by
their Hugging Face names, <tensor>.plain: what a packed file has by default, which is F32 for vectors.
"""
import json
import os
import random
import struct
import sys
from array import array

import draw_blocks

sys.path.append(os.path.join(os.path.dirname(__file__), "..", "checkpoint"))
import make_checkpoint

F16_ONE = 0x3C00


class Checkpoint:
    def __init__(self, directory):
        self.directory, self.tensors = directory, []
        os.makedirs(os.path.join(directory, "truth"), exist_ok=True)

    def add(self, name, dtype, shape, data):
        self.tensors.append((name, dtype, shape, data))

    def truth(self, module, kind, data):
        with open(os.path.join(self.directory, "truth", f"{module}.{kind}"), "wb") as file:
            file.write(data)

    def write_gguf(self, metadata):
        tensors = {name: (kind, shape, data) for name, kind, shape, data in self.tensors}
        make_checkpoint.write_gguf(os.path.join(self.directory, "model.gguf"), metadata, tensors)

    def write(self, config, shards):
        with open(os.path.join(self.directory, "config.json"), "w", encoding="utf-8") as file:
            json.dump(config, file, indent=1)
        names, places = [f"model-{i + 1:05}-of-{shards:05}.safetensors" for i in range(shards)], {}
        for i, name in enumerate(names):
            part = self.tensors[i::shards]
            places.update({tensor[0]: name for tensor in part})
            write_safetensors(os.path.join(self.directory, name), part)
        index = {"metadata": {"total_size": sum(len(tensor[-1]) for tensor in self.tensors)}, "weight_map": places}
        with open(os.path.join(self.directory, "model.safetensors.index.json"), "w", encoding="utf-8") as file:
            json.dump(index, file)


def write_safetensors(path, tensors):
    header, offset = {}, 0
    for name, dtype, shape, data in tensors:
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [offset, offset + len(data)]}
        offset += len(data)
    text = json.dumps(header).encode()
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for tensor in tensors:
            file.write(tensor[3])


def words(rows, bits):
    """Little-endian words of the codes in each row, the first code in the lowest bits."""
    per_word = 32 // bits
    packed = array("I")
    for row in rows:
        for begin in range(0, len(row), per_word):
            word = 0
            for j, code in enumerate(row[begin:begin + per_word]):
                word |= code << bits * j
            packed.append(word)
    return packed.tobytes()


def halves(draw, count):
    """Positive f16 numbers of a few binades."""
    return array("H", (draw.randint(6, 9) << 10 | draw.randint(0, 1023) for _ in range(count)))


def add_gptq(checkpoint, draw, module, n, k, bits, group, permuted):
    """permuted: the format's columns are; layer 1 has them in order all the same, but for its down_proj."""
    groups, top = k // group, (1 << bits) - 1
    codes = [draw.choices(range(top + 1), k=k) for _ in range(n)]
    zeros = [[draw.randint(0, top) for _ in range(groups)] for _ in range(n)]
    scales = [halves(draw, groups) for _ in range(n)]
    group_of = [column // group for column in range(k)]
    if permuted and (".layers.1." not in module or "down_proj" in module):
        draw.shuffle(group_of)
    order = sorted(range(k), key=lambda column: group_of[column])
    checkpoint.truth(module, "codes", b"".join(bytes(row[column] for column in order) for row in codes))
    checkpoint.truth(module, "scales", b"".join(row.tobytes() for row in scales))
    checkpoint.truth(module, "zeros", b"".join(map(bytes, zeros)))
    checkpoint.truth(module, "columns", array("i", order if permuted else []).tobytes())
    # qweight has codes along k in its words, a column for each of the n rows; version 1 stores zero - 1.
    per_word = 32 // bits
    by_row = [array("I", words([row], bits)) for row in codes]
    qweight = array("I", (by_row[row][word] for word in range(k // per_word) for row in range(n)))
    stored = [[(zeros[row][g] - 1) & top for row in range(n)] for g in range(groups)]
    checkpoint.add(f"{module}.qweight", "I32", [k // per_word, n], qweight.tobytes())
    checkpoint.add(f"{module}.qzeros", "I32", [groups, n // per_word], words(stored, bits))
    checkpoint.add(f"{module}.scales", "F16", [groups, n],
                   array("H", (scales[row][g] for g in range(groups) for row in range(n))).tobytes())
    checkpoint.add(f"{module}.g_idx", "I32", [k], array("i", group_of).tobytes())


def add_bitnet(checkpoint, draw, module, n, k):
    codes = [draw.choices(range(3), k=k) for _ in range(n)]
    scale = draw.uniform(0.5, 2)
    bfloat = struct.unpack("<I", struct.pack("<f", scale))[0] >> 16
    checkpoint.truth(module, "codes", b"".join(map(bytes, codes)))
    checkpoint.truth(module, "scales", struct.pack("<I", bfloat << 16))
    quarter = n // 4
    packed = bytes(codes[row][i] | codes[row + quarter][i] << 2 | codes[row + 2 * quarter][i] << 4 |
                   codes[row + 3 * quarter][i] << 6 for row in range(quarter) for i in range(k))
    checkpoint.add(f"{module}.weight", "U8", [quarter, k], packed)
    checkpoint.add(f"{module}.weight_scale", "BF16", [1], struct.pack("<H", bfloat))


def add_truth_of_blocks(checkpoint, module, rows):
    def join(values_of):
        return b"".join(values_of(row) for row in rows)

    checkpoint.truth(module, "codes", join(lambda row: bytes(row.codes)))
    checkpoint.truth(module, "scales", join(lambda row: row.scales))
    checkpoint.truth(module, "minimums", join(lambda row: row.minimums))
    checkpoint.truth(module, "multiples", join(lambda row: draw_blocks.signed(row.multiples)))
    checkpoint.truth(module, "minimum_multiples", join(lambda row: draw_blocks.signed(row.minimum_multiples)))


def add_blocks(checkpoint, draw, module, name, n, k, kind, heads):
    """Those of NVFP4 have a factor of the whole tensor, times which f16 does not hold their scales."""
    rows = [draw_blocks.row(draw, kind, k) for _ in range(n)]
    add_truth_of_blocks(checkpoint, module, rows)
    if kind == "NVFP4":
        factor = struct.pack("<f", 0.3)
        checkpoint.add(name.replace(".weight", ".scale"), "F32", [1], factor)
        scales = ((1 + byte % 8 / 8) * 2.0 ** (byte // 8 - 7) for byte in b"".join(row.scales for row in rows))
        checkpoint.truth(module, "scales", array("f", (scale * struct.unpack("<f", factor)[0] for scale in scales)).tobytes())
    checkpoint.add(name, kind, [n, k], b"".join(row.data for row in interleaved(rows, heads)))


def add_microscaled(checkpoint, draw, config, prefix):
    """All experts of a layer; elements 2 j and 2 j + 1 share a byte."""
    h, f = config["hidden_size"], config["intermediate_size"]
    experts = config["num_local_experts"]

    def draw_rows(module, n, k):
        rows = [draw_blocks.row(draw, "MXFP4", k) for _ in range(n)]
        add_truth_of_blocks(checkpoint, f"{prefix}mlp.experts.{module}_proj", rows)
        return rows

    def add(name, k, rows):
        blocks = b"".join(bytes(row.codes[i] | row.codes[i + 1] << 4 for i in range(0, k, 2)) for row in rows)
        n = len(rows) // experts
        checkpoint.add(f"{prefix}mlp.experts.{name}_proj_blocks", "U8", [experts, n, k // 32, 16], blocks)
        checkpoint.add(f"{prefix}mlp.experts.{name}_proj_scales", "U8", [experts, n, k // 32], b"".join(row.scales for row in rows))
        add_float(checkpoint, draw, f"{prefix}mlp.experts.{name}_proj_bias", [experts, n])

    gate_up, down = [], []
    for expert in range(experts):
        for pair in zip(draw_rows(f"{expert}.gate", f, h), draw_rows(f"{expert}.up", f, h)):
            gate_up += pair
        down += draw_rows(f"{expert}.down", h, f)
    add("gate_up", h, gate_up)
    add("down", f, down)


def interleaved(rows, heads):
    """Rows of each head stand half by half in transformers, and one of each in turn in llama.cpp."""
    size = len(rows) // heads if heads else 0
    return [rows[head + i % 2 * (size // 2) + i // 2] for head in range(0, len(rows), size) for i in range(size)] if heads else rows


def add_float(checkpoint, draw, name, shape, stored_name=None, heads=0):
    count = 1
    for extent in shape:
        count *= extent
    data = draw.randbytes(2 * count)
    wide = b"".join(bytes(2) + data[i:i + 2] for i in range(0, len(data), 2))
    checkpoint.truth(name, "plain", wide if len(shape) == 1 else data)
    width = len(data) // shape[0]
    rows = interleaved([data[i:i + width] for i in range(0, len(data), width)], heads)
    checkpoint.add(stored_name or name, "BF16", shape, b"".join(rows))


def add_linear_layers(config, add):
    """The projections of each layer, by Llama's names."""
    h, f, d = config["hidden_size"], config["intermediate_size"], config["head_dim"]
    q, kv = config["num_attention_heads"] * d, config["num_key_value_heads"] * d
    for layer in range(config["num_hidden_layers"]):
        prefix = f"model.layers.{layer}."
        for name, n, k in (("q", q, h), ("k", kv, h), ("v", kv, h), ("o", h, q)):
            add(f"{prefix}self_attn.{name}_proj", n, k)
        experts = config.get("num_experts", 0)
        for owner in [f"experts.{i}." for i in range(experts)] or [""]:
            width = config["moe_intermediate_size"] if experts else f
            for name, n, k in (("gate", width, h), ("up", width, h), ("down", h, width)):
                add(f"{prefix}mlp.{owner}{name}_proj", n, k)


def add_others(checkpoint, draw, config):
    h = config["hidden_size"]
    add_float(checkpoint, draw, "model.embed_tokens.weight", [config["vocab_size"], h])
    add_float(checkpoint, draw, "model.norm.weight", [h])
    add_float(checkpoint, draw, "lm_head.weight", [config["vocab_size"], h])
    for layer in range(config["num_hidden_layers"]):
        add_float(checkpoint, draw, f"model.layers.{layer}.input_layernorm.weight", [h])
        add_float(checkpoint, draw, f"model.layers.{layer}.self_attn.q_proj.bias",
                  [config["num_attention_heads"] * config["head_dim"]])
        if "num_experts" in config:
            add_float(checkpoint, draw, f"model.layers.{layer}.mlp.gate.weight", [config["num_experts"], h])


def sizes(model_type, **more):
    return {"model_type": model_type, "hidden_size": 256, "intermediate_size": 512, "num_hidden_layers": 2,
            "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 64, "vocab_size": 320,
            "rms_norm_eps": 1e-5, "hidden_act": "silu", **more}


def gptq_config(bits, group, desc_act):
    return {"quant_method": "gptq", "bits": bits, "group_size": group, "sym": False, "desc_act": desc_act}


def gptq(checkpoint, draw):
    config = sizes("llama", quantization_config=gptq_config(4, 128, True))
    add_linear_layers(config, lambda *layer: add_gptq(checkpoint, draw, *layer, 4, 128, True))
    return config, 2


def bitnet(checkpoint, draw):
    config = sizes("bitnet", quantization_config={"quant_method": "bitnet", "linear_class": "autobitlinear",
                                                  "quantization_mode": "offline"})
    add_linear_layers(config, lambda *layer: add_bitnet(checkpoint, draw, *layer))
    return config, 1


def experts(checkpoint, draw):
    config = sizes("qwen3_moe", num_experts=4, num_experts_per_tok=2, moe_intermediate_size=128,
                   quantization_config=gptq_config(2, 64, False))
    add_linear_layers(config, lambda *layer: add_gptq(checkpoint, draw, *layer, 2, 64, False))
    return config, 3


def unknown(checkpoint, draw):
    config = sizes("nobodys_model", quantization_config={"quant_method": "auto-round", "packing_format": "auto_round:auto_gptq",
                                                         "bits": 4, "group_size": 128, "sym": False})
    add_linear_layers(config, lambda *layer: add_gptq(checkpoint, draw, *layer, 4, 128, False))
    return config, 2


def gpt_oss(checkpoint, draw):
    config = sizes("gpt_oss", intermediate_size=128, num_local_experts=3, num_experts_per_tok=2, attention_bias=True,
                   quantization_config={"quant_method": "mxfp4", "modules_to_not_convert": ["model.layers.*.self_attn"]})
    for layer in range(config["num_hidden_layers"]):
        prefix = f"model.layers.{layer}."
        hidden, query, keys = config["hidden_size"], 64 * config["num_attention_heads"], 64 * config["num_key_value_heads"]
        for name, shape in {"q": [query, hidden], "k": [keys, hidden], "v": [keys, hidden], "o": [hidden, query]}.items():
            add_float(checkpoint, draw, f"{prefix}self_attn.{name}_proj.weight", shape)
        add_microscaled(checkpoint, draw, config, prefix)
        add_float(checkpoint, draw, f"{prefix}mlp.router.weight", [config["num_local_experts"], config["hidden_size"]])
    return config, 2


# For each projection, the types of the two layers: llama.cpp's mixtures have several.
GGUF_TYPES = {"self_attn.q": ("attn_q", "Q4_K", "MXFP4"), "self_attn.k": ("attn_k", "Q5_K", "Q5_K"),
              "self_attn.v": ("attn_v", "Q6_K", "Q4_K"), "self_attn.o": ("attn_output", "Q2_K", "NVFP4"),
              "mlp.gate": ("ffn_gate", "Q3_K", "Q3_K"), "mlp.up": ("ffn_up", "IQ4_NL", "Q5_1"),
              "mlp.down": ("ffn_down", "Q4_1", "Q4_1")}


def gguf(checkpoint, draw):
    config = sizes("llama")
    heads, kv_heads = config["num_attention_heads"], config["num_key_value_heads"]

    def add(module, n, k):
        layer, path = module.removeprefix("model.layers.").removesuffix("_proj").split(".", 1)
        name, *kinds = GGUF_TYPES[path]
        rotated = {"attn_q": heads, "attn_k": kv_heads}.get(name, 0)
        add_blocks(checkpoint, draw, module, f"blk.{layer}.{name}.weight", n, k, kinds[int(layer)], rotated)

    add_linear_layers(config, add)
    h = config["hidden_size"]
    for name, stored in (("model.embed_tokens", "token_embd"), ("lm_head", "output")):
        add_float(checkpoint, draw, f"{name}.weight", [config["vocab_size"], h], f"{stored}.weight")
    add_float(checkpoint, draw, "model.norm.weight", [h], "output_norm.weight")
    for layer in range(config["num_hidden_layers"]):
        prefix, stored = f"model.layers.{layer}.", f"blk.{layer}."
        add_float(checkpoint, draw, f"{prefix}input_layernorm.weight", [h], f"{stored}attn_norm.weight")
        add_float(checkpoint, draw, f"{prefix}post_attention_layernorm.weight", [h], f"{stored}ffn_norm.weight")
        for name, own, count, rotated in (("q", "q", heads, True), ("k", "k", kv_heads, True), ("v", "v", kv_heads, False),
                                          ("o", "output", heads, False)):
            add_float(checkpoint, draw, f"{prefix}self_attn.{name}_proj.bias", [count * config["head_dim"]],
                      f"{stored}attn_{own}.bias", count if rotated else 0)
    return gguf_metadata("llama", config), 0


def gguf_metadata(architecture, config):
    keys = {"block_count": "num_hidden_layers", "embedding_length": "hidden_size", "feed_forward_length": "intermediate_size",
            "attention.head_count": "num_attention_heads", "attention.head_count_kv": "num_key_value_heads",
            "attention.key_length": "head_dim", "attention.layer_norm_rms_epsilon": "rms_norm_eps"}
    return {"general.architecture": architecture, **{f"{architecture}.{key}": config[name] for key, name in keys.items()}}


def add_gemma_norm(checkpoint, draw, name, stored_name, size):
    """llama.cpp stores 1 + weight."""
    weights = [draw.randint(-1000, 1000) / 1024 for _ in range(size)]
    checkpoint.truth(name, "plain", struct.pack(f"<{size}f", *weights))
    checkpoint.add(stored_name, "F32", [size], struct.pack(f"<{size}f", *(1 + weight for weight in weights)))


GEMMA_NORMS = {"input_layernorm": "attn_norm", "post_attention_layernorm": "post_attention_norm",
               "pre_feedforward_layernorm": "ffn_norm", "post_feedforward_layernorm": "post_ffw_norm"}


def tied(checkpoint, draw):
    config = sizes("gemma2")
    h, names = config["hidden_size"], make_checkpoint.GGUF_NAMES

    def add(module, n, k):
        layer, path = module.removeprefix("model.layers.").split(".", 1)
        add_blocks(checkpoint, draw, module, f"blk.{layer}.{names[path]}.weight", n, k, "Q6_K", 0)

    add_linear_layers(config, add)
    add_blocks(checkpoint, draw, "lm_head", "token_embd.weight", config["vocab_size"], h, "Q6_K", 0)
    add_gemma_norm(checkpoint, draw, "model.norm.weight", "output_norm.weight", h)
    for layer in range(config["num_hidden_layers"]):
        for name, stored in GEMMA_NORMS.items():
            add_gemma_norm(checkpoint, draw, f"model.layers.{layer}.{name}.weight", f"blk.{layer}.{stored}.weight", h)
    return gguf_metadata("gemma2", config), 0


def large(checkpoint, draw):
    config = sizes("llama", hidden_size=4096, intermediate_size=14336, num_hidden_layers=12, num_attention_heads=32,
                   num_key_value_heads=8, head_dim=128, vocab_size=64128, quantization_config=gptq_config(4, 128, False))
    pool = memoryview(draw.randbytes(1 << 26) * 9)

    def some(size):
        begin = draw.randrange(0, len(pool) - size + 1)
        return pool[begin:begin + size]

    def add(module, n, k):
        checkpoint.add(f"{module}.qweight", "I32", [k // 8, n], some(k * n // 2))
        checkpoint.add(f"{module}.qzeros", "I32", [k // 128, n // 8], some(k // 128 * n // 2))
        checkpoint.add(f"{module}.scales", "F16", [k // 128, n], struct.pack("<H", F16_ONE) * (k // 128 * n))

    add_linear_layers(config, add)
    for name in ("model.embed_tokens.weight", "lm_head.weight"):
        checkpoint.add(name, "BF16", [64128, 4096], some(64128 * 4096 * 2))
    return config, 4


def main():
    kind, directory, seed = sys.argv[1:]
    draw, checkpoint = random.Random(int(seed)), Checkpoint(directory)
    kinds = {"gptq": gptq, "bitnet": bitnet, "experts": experts, "gpt_oss": gpt_oss, "gguf": gguf, "tied": tied,
             "unknown": unknown, "large": large}
    config, shards = kinds[kind](checkpoint, draw)
    if kind in ("gguf", "tied"):
        return checkpoint.write_gguf(config)
    if kind != "large":
        add_others(checkpoint, draw, config)
    checkpoint.write(config, shards)


main()
