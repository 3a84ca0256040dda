#!/usr/bin/env python3
"""Writes checkpoints as others do: make_checkpoint.py <kind> <path> [<layers>]

Names, shapes and types are those of real models; weights are random, scales small. Kinds: gptq, gptq-ordered, awq,
awq-gemv, compressed-tensors, bitnet, bitnet-master, efficientqat, float, qwen-stacked, gpt-oss, gguf, gguf-k-m,
gguf-tq2, gguf-moe, gguf-fused, gguf-gpt-oss, gguf-k-f16, gguf-bitnet, gguf-bitnet-relu2, gguf-architecture (one that
nobody knows), and gguf-sizes and gguf-short-list with errors. A path that ends in .gguf
or .safetensors is one file without a config, others are directories; safetensors come in shards of two layers."""
import json
import os
import random
import struct
import sys

HIDDEN, FFN, HEADS, KV_HEADS, VOCABULARY = 256, 512, 4, 2, 320
HEAD_DIM = HIDDEN // HEADS
LINEARS = {
    "self_attn.q_proj": (HIDDEN, HIDDEN),
    "self_attn.k_proj": (KV_HEADS * HEAD_DIM, HIDDEN),
    "self_attn.v_proj": (KV_HEADS * HEAD_DIM, HIDDEN),
    "self_attn.o_proj": (HIDDEN, HIDDEN),
    "mlp.gate_proj": (FFN, HIDDEN),
    "mlp.up_proj": (FFN, HIDDEN),
    "mlp.down_proj": (HIDDEN, FFN),
}
GROUP = 128
EXPERTS, EXPERT_FFN = 4, 128
WIDTH = {"I32": 4, "F32": 4, "F16": 2, "BF16": 2, "U8": 1, "I64": 8}
draw = random.Random(1)


def elements(shape):
    count = 1
    for extent in shape:
        count *= extent
    return count


def random_bytes(shape, dtype):
    return draw.randbytes(elements(shape) * WIDTH[dtype])


def halves(shape):
    """f16 from 2^-6 to 2^-5."""
    return b"".join(struct.pack("<H", 0x2400 + draw.randrange(0x400)) for _ in range(elements(shape)))


def brains(shape):
    return b"".join(struct.pack("<H", 0x3C00 + draw.randrange(0x80) + 0x8000 * draw.randrange(2)) for _ in range(elements(shape)))


def tensor(dtype, shape, data=None):
    return dtype, shape, random_bytes(shape, dtype) if data is None else data


def scales(*shape):
    return tensor("F16", shape, halves(shape))


def gptq(n, k, group_index=None):
    index = group_index or [i // GROUP for i in range(k)]
    return {
        "qweight": tensor("I32", (k // 8, n)),
        "qzeros": tensor("I32", (k // GROUP, n // 8), b"\x77" * (k // GROUP * n // 2)),
        "scales": scales(k // GROUP, n),
        "g_idx": tensor("I32", (k,), struct.pack(f"<{k}i", *index)),
    }


def gptq_ordered(n, k):
    index = [i // GROUP for i in range(k)]
    draw.shuffle(index)
    return gptq(n, k, index)


def efficientqat(n, k):
    """3 bits, ten to a word."""
    words = lambda count: (count + 9) // 10
    tensors = gptq(n, k)
    tensors["qweight"] = tensor("I32", (words(k), n))
    tensors["qzeros"] = tensor("I32", (k // GROUP, words(n)))
    return tensors


def awq(n, k):
    return {"qweight": tensor("I32", (k, n // 8)), "qzeros": tensor("I32", (k // GROUP, n // 8)), "scales": scales(k // GROUP, n)}


def awq_gemv(n, k):
    width = (k // GROUP + 7) // 8
    return {"qweight": tensor("I32", (n, k // 8)), "qzeros": tensor("I32", (n, width)), "scales": scales(n, width * 8)}


def compressed(n, k):
    return {
        "weight_packed": tensor("I32", (n, k // 8)),
        "weight_scale": scales(n, k // GROUP),
        "weight_shape": tensor("I64", (2,), struct.pack("<2q", n, k)),
    }


def bitnet(n, k):
    codes = bytes(sum(draw.randrange(3) << shift for shift in (0, 2, 4, 6)) for _ in range(n // 4 * k))
    return {"weight": tensor("U8", (n // 4, k), codes), "weight_scale": tensor("BF16", (1,), b"\x80\x3f")}


def floats(n, k):
    return {"weight": tensor("BF16", (n, k), brains((n, k)))}


def experts_of(count, suffix, n, k, tensor_of):
    """Tensors of all experts, under the names of transformers 5."""
    gate_up, down = tensor_of(count, 2 * n, k), tensor_of(count, k, n)
    return {f"mlp.experts.{name}{suffix[i]}": content for name, tensors in (("gate_up_proj", gate_up), ("down_proj", down))
            for i, content in enumerate(tensors)}


def stacked(n, k):
    return experts_of(EXPERTS, [""], n, k, lambda *shape: [tensor("BF16", shape, brains(shape))])


def microscaled(n, k):
    def pair(count, rows, columns):
        blocks, exponents = (count, rows, columns // 32, 16), (count, rows, columns // 32)
        return tensor("U8", blocks), tensor("U8", exponents, bytes(118 + draw.randrange(4) for _ in range(elements(exponents))))

    bias = lambda *shape: tensor("BF16", shape, brains(shape))
    return {**experts_of(EXPERTS, ["_blocks", "_scales"], n, k, pair),
            "mlp.experts.gate_up_proj_bias": bias(EXPERTS, 2 * n), "mlp.experts.down_proj_bias": bias(EXPERTS, k)}


BITNET = {"quant_method": "bitnet", "linear_class": "autobitlinear", "quantization_mode": "offline", "modules_to_not_convert": None}
GPTQ = {"quant_method": "gptq", "bits": 4, "group_size": GROUP, "desc_act": False, "sym": True, "checkpoint_format": "gptq"}
AWQ = {"quant_method": "awq", "bits": 4, "group_size": GROUP, "zero_point": True, "version": "gemm"}
MXFP4 = {"quant_method": "mxfp4", "modules_to_not_convert": ["model.layers.*.self_attn", "model.layers.*.mlp.router", "model.embed_tokens", "lm_head"]}
WEIGHTS = {"num_bits": 4, "type": "int", "symmetric": True, "strategy": "group", "group_size": GROUP, "actorder": None}
KINDS = {
    "gptq": (gptq, GPTQ),
    "gptq-ordered": (gptq_ordered, {**GPTQ, "desc_act": True}),
    "awq": (awq, AWQ),
    "awq-gemv": (awq_gemv, {**AWQ, "version": "gemv"}),
    "compressed-tensors": (
        compressed,
        {
            "quant_method": "compressed-tensors",
            "format": "pack-quantized",
            "ignore": ["lm_head"],
            "config_groups": {"group_0": {"targets": ["Linear"], "weights": WEIGHTS}},
        },
    ),
    "bitnet": (bitnet, BITNET),
    "bitnet-master": (floats, {**BITNET, "quantization_mode": "online"}),
    "efficientqat": (efficientqat, None),
    "float": (floats, None),
    "qwen-stacked": (floats, None),
    "gpt-oss": (floats, MXFP4),
}
# Kinds with experts: the tensors of a layer, the router, and the keys of the config.
STACKED = {
    "qwen-stacked": (stacked, "mlp.gate", {"model_type": "qwen3_moe", "num_experts": EXPERTS, "num_experts_per_tok": 2,
                                           "moe_intermediate_size": EXPERT_FFN, "head_dim": HEAD_DIM}),
    "gpt-oss": (microscaled, "mlp.router", {"model_type": "gpt_oss", "num_local_experts": EXPERTS, "num_experts_per_tok": 2,
                                            "intermediate_size": EXPERT_FFN, "head_dim": HEAD_DIM, "attention_bias": True}),
}


def config(layers, quantization, more):
    fields = {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "hidden_size": HIDDEN,
        "intermediate_size": FFN,
        "num_hidden_layers": layers,
        "num_attention_heads": HEADS,
        "num_key_value_heads": KV_HEADS,
        "hidden_act": "silu",
        "rms_norm_eps": 1e-5,
        "rope_theta": 500000.0,
        "vocab_size": VOCABULARY,
        "tie_word_embeddings": False,
    }
    fields.update(more)
    if quantization:
        fields["quantization_config"] = quantization
    return json.dumps(fields, indent=2) + "\n"


def write_safetensors(path, tensors):
    header, data = {"__metadata__": {"format": "pt"}}, b""
    for name, (dtype, shape, content) in tensors.items():
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [len(data), len(data) + len(content)]}
        data += content
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + data)


def llama_tensors(layers, linear, experts=None, router=None):
    """One dictionary for each shard of two layers."""
    norm = lambda: tensor("BF16", (HIDDEN,), brains((HIDDEN,)))
    shards = [{"model.embed_tokens.weight": floats(VOCABULARY, HIDDEN)["weight"]}]
    for layer in range(layers):
        if layer and layer % 2 == 0:
            shards.append({})
        shard, prefix = shards[-1], f"model.layers.{layer}."
        shard[prefix + "input_layernorm.weight"] = norm()
        for name, (n, k) in LINEARS.items():
            if experts and name.startswith("mlp"):
                continue
            for suffix, content in linear(n, k).items():
                shard[f"{prefix}{name}.{suffix}"] = content
        if experts:
            shard[f"{prefix}{router}.weight"] = floats(EXPERTS, HIDDEN)["weight"]
            shard.update({prefix + name: content for name, content in experts(EXPERT_FFN, HIDDEN).items()})
        shard[prefix + "post_attention_layernorm.weight"] = norm()
    shards[-1]["model.norm.weight"] = norm()
    shards[-1]["lm_head.weight"] = floats(VOCABULARY, HIDDEN)["weight"]
    return shards


def write_llama(kind, path, layers):
    linear, quantization = KINDS[kind]
    experts, router, more = STACKED.get(kind, (None, None, {}))
    shards = llama_tensors(layers, linear, experts, router)
    if path.endswith(".safetensors"):
        write_safetensors(path, {name: value for shard in shards for name, value in shard.items()})
        return
    os.makedirs(path, exist_ok=True)
    with open(os.path.join(path, "config.json"), "w", encoding="utf-8") as file:
        file.write(config(layers, quantization, more))
    if len(shards) == 1:
        write_safetensors(os.path.join(path, "model.safetensors"), shards[0])
        return
    places = {}
    for index, shard in enumerate(shards, 1):
        name = f"model-{index:05}-of-{len(shards):05}.safetensors"
        write_safetensors(os.path.join(path, name), shard)
        places.update({tensor: name for tensor in shard})
    size = sum(len(content) for shard in shards for _, _, content in shard.values())
    with open(os.path.join(path, "model.safetensors.index.json"), "w", encoding="utf-8") as file:
        json.dump({"metadata": {"total_size": size}, "weight_map": places}, file, indent=2)


# ggml's number, elements and bytes of a block, and where its f16 scales and minimums are.
TYPES = {
    "F32": (0, 1, 4, []),
    "F16": (1, 1, 2, [0]),
    "BF16": (30, 1, 2, [0]),
    "Q4_0": (2, 32, 18, [0]),
    "Q4_1": (3, 32, 20, [0, 2]),
    "Q5_1": (7, 32, 24, [0, 2]),
    "Q8_0": (8, 32, 34, [0]),
    "Q2_K": (10, 256, 84, [80, 82]),
    "Q3_K": (11, 256, 110, [108]),
    "Q4_K": (12, 256, 144, [0, 2]),
    "Q5_K": (13, 256, 176, [0, 2]),
    "Q6_K": (14, 256, 210, [208]),
    "IQ4_NL": (20, 32, 18, [0]),
    "TQ2_0": (35, 256, 66, [64]),
    "MXFP4": (39, 32, 17, []),
    "NVFP4": (40, 64, 36, []),
}


def blocks(type_name, count):
    _, size, width, places = TYPES[type_name]
    data = bytearray(draw.randbytes(count // size * width))
    for start in range(0, len(data), width):
        if type_name == "F32":
            data[start : start + 4] = struct.pack("<f", 1)
        if type_name == "MXFP4":
            data[start] = 118 + draw.randrange(4)
        if type_name == "TQ2_0":
            for i in range(start, start + 64):
                data[i] &= ~(data[i] >> 1 & 0x55)
        for place in places:
            data[start + place : start + place + 2] = struct.pack("<H", 0x2C00)
    return bytes(data)


def text(value):
    return struct.pack("<Q", len(value)) + value.encode()


def value(content):
    if isinstance(content, str):
        return struct.pack("<I", 8) + text(content)
    if isinstance(content, float):
        return struct.pack("<If", 6, content)
    if isinstance(content, list):
        if content and isinstance(content[0], int):
            return struct.pack("<IIQ", 9, 4, len(content)) + struct.pack(f"<{len(content)}I", *content)
        return struct.pack("<IIQ", 9, 8, len(content)) + b"".join(map(text, content))
    return struct.pack("<II", 4, content)


def write_gguf(path, metadata, tensors):
    head = struct.pack("<4sIQQ", b"GGUF", 3, len(tensors), len(metadata))
    head += b"".join(text(key) + value(content) for key, content in metadata.items())
    data = b""
    for name, (type_name, shape, *content) in tensors.items():
        head += text(name) + struct.pack("<I", len(shape)) + b"".join(struct.pack("<Q", extent) for extent in reversed(shape))
        head += struct.pack("<IQ", TYPES[type_name][0], len(data))
        data += content[0] if content else blocks(type_name, elements(shape))
        data += bytes(-len(data) % 32)
    with open(path, "wb") as file:
        file.write(head + bytes(-len(head) % 32) + data)


GGUF_NAMES = {
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}


def type_of(kind, name, layer, layers):
    """By llama.cpp's llama_tensor_get_type: Q4_K_M keeps more bits of some layers."""
    more_bits = layer < layers // 8 or layer >= 7 * layers // 8 or (layer - layers // 8) % 3 == 2
    if kind == "gguf-k-m":
        return "Q6_K" if name in ("attn_v", "ffn_down") and more_bits else "Q4_K"
    if kind == "gguf-k-f16":
        return "F16" if name == "attn_output" else "Q4_K"
    return {"gguf-tq2": "TQ2_0", "gguf-gpt-oss": "MXFP4" if name.startswith("ffn") else "Q8_0"}.get(kind, "Q4_0")


def write_gguf_llama(kind, path, layers):
    """Q4_0 but for Q6_K where llama.cpp keeps more bits; or Q4_K_M; or ternary; or four experts."""
    experts = 4 if kind in ("gguf-moe", "gguf-fused", "gguf-gpt-oss") else 0
    architecture = {"gguf-gpt-oss": "gpt-oss", "gguf-bitnet": "bitnet", "gguf-bitnet-relu2": "bitnet"}.get(kind, "llama")
    metadata = {
        "general.architecture": "llama",
        "general.name": "Test",
        "general.file_type": 2,
        "llama.block_count": layers,
        "llama.context_length": 2048,
        "llama.embedding_length": HIDDEN,
        "llama.feed_forward_length": FFN,
        "llama.attention.head_count": HEADS,
        "llama.attention.head_count_kv": KV_HEADS,
        "llama.attention.layer_norm_rms_epsilon": 1e-5,
        "llama.rope.freq_base": 500000.0,
        "tokenizer.ggml.tokens": [f"<{i}>" for i in range(VOCABULARY)],
    }
    if kind == "gguf-architecture":
        metadata["general.architecture"] = "lama"
    if kind == "gguf-sizes":
        metadata["llama.embedding_length"] = 0
    if kind == "gguf-bitnet-relu2":
        metadata["llama.hidden_act"] = "relu2"
    if kind == "gguf-short-list":
        metadata["llama.attention.head_count_kv"] = [KV_HEADS]
    if experts:
        metadata.update({"llama.expert_count": experts, "llama.expert_used_count": 2, "llama.expert_feed_forward_length": FFN})
    metadata = {key.replace("llama.", architecture + "."): content for key, content in metadata.items()}
    if architecture != "llama":
        metadata["general.architecture"] = architecture
    tensors = {"token_embd.weight": ("F16", (VOCABULARY, HIDDEN)), "output.weight": ("Q6_K", (VOCABULARY, HIDDEN)), "output_norm.weight": ("F32", (HIDDEN,))}
    for layer in range(layers):
        prefix = f"blk.{layer}."
        second_norm = "post_attention_norm" if architecture == "gpt-oss" else "ffn_norm"
        tensors[prefix + "attn_norm.weight"] = tensors[f"{prefix}{second_norm}.weight"] = ("F32", (HIDDEN,))
        if experts:
            tensors[prefix + "ffn_gate_inp.weight"] = ("F32", (experts, HIDDEN))
        for module, shape in LINEARS.items():
            name = GGUF_NAMES[module]
            weights = type_of(kind, name, layer, layers)
            if kind == "gguf-fused" and name in ("ffn_gate", "ffn_up"):
                tensors[prefix + "ffn_gate_up_exps.weight"] = (weights, (experts, 2 * shape[0], shape[1]))
            elif experts and name.startswith("ffn"):
                tensors[prefix + name + "_exps.weight"] = (weights, (experts, *shape))
            else:
                tensors[prefix + name + ".weight"] = (weights, shape)
    write_gguf(path, metadata, tensors)


def main():
    kind, path, layers = sys.argv[1], sys.argv[2], int(sys.argv[3]) if len(sys.argv) > 3 else 2
    if kind.startswith("gguf"):
        write_gguf_llama(kind, path, layers)
    else:
        write_llama(kind, path, layers)


if __name__ == "__main__":
    main()
