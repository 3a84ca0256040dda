"""Bits a byte of small trained models on held-out text, stock against the plug-in: trained.py <engine directory> <plug-in> <models> <work>

<models> has tiny-float and tiny-ternary, byte-level Llamas as safetensors, and held-out.txt. The difference stays below LIMIT.
"""
import array
import json
import math
import os
import pathlib
import struct
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parents[3] / "examples/llama_cpp"))
import gguf
import llama

LIMIT = 0.01  # bits a byte
WINDOWS = 24
MODELS = [("tiny-float", kind) for kind in ("f16", "q8_0", "q6_k", "q4_0", "q4_k", "q2_k", "q1_0")] + [("tiny-ternary", "tq2_0")]
NAMES = {"input_layernorm": "attn_norm", "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v",
         "self_attn.o_proj": "attn_output", "post_attention_layernorm": "ffn_norm", "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up",
         "mlp.down_proj": "ffn_down"}
OUTSIDE = {"model.embed_tokens.weight": "token_embd.weight", "model.norm.weight": "output_norm.weight", "lm_head.weight": "output.weight"}


def read_bf16(data):
    wide = bytearray(2 * len(data))
    wide[2::4], wide[3::4] = data[0::2], data[1::2]
    return array.array("f", bytes(wide))


def read_safetensors(path):
    """(name, shape, floats) of tensors in BF16."""
    data = path.read_bytes()
    begin = 8 + struct.unpack("<Q", data[:8])[0]
    for name, tensor in json.loads(data[8:begin]).items():
        if name != "__metadata__":
            first, last = tensor["data_offsets"]
            yield name, tensor["shape"], read_bf16(data[begin + first:begin + last])


def gguf_name(name):
    if name in OUTSIDE:
        return OUTSIDE[name]
    _, _, layer, module = name.removesuffix(".weight").split(".", 3)
    return f"blk.{layer}.{NAMES[module]}.weight"


def rotate_pairs(values, k, head):
    """Rows of q or k: llama.cpp rotates neighbours, Hugging Face halves of a head."""
    rows = [values[i:i + k] for i in range(0, len(values), k)]
    order = [first + half * head // 2 + i for first in range(0, len(rows), head) for i in range(head // 2) for half in (0, 1)]
    return sum((rows[row] for row in order), array.array("f"))


def to_ternary(values):
    """As the model was trained: -1, 0, 1 times the mean magnitude."""
    scale = sum(map(abs, values)) / len(values)
    return array.array("f", (max(-1, min(1, round(value / scale))) * scale for value in values))


def write(path, model, kind, ggml):
    config = json.loads((model / "config.json").read_text())
    head, tensors = config["head_dim"], []
    for name, shape, values in read_safetensors(model / "model.safetensors"):
        k, name = shape[-1], gguf_name(name)
        of_layer = name.startswith("blk.")
        if "attn_q" in name or "attn_k" in name:
            values = rotate_pairs(values, k, head)
        if kind == "tq2_0" and of_layer and len(shape) == 2:
            values = to_ternary(values)
        this = "f32" if len(shape) == 1 else kind if of_layer or kind == "f16" else "q8_0"
        data = values.tobytes() if this == "f32" else ggml.quantize(this, values, k)
        tensors.append((name, tuple(reversed(shape)), ggml.number(this), len(data), [data]))
    sizes = gguf.llama_sizes("llama", config["num_hidden_layers"], config["hidden_size"], config["intermediate_size"],
                             config["num_attention_heads"], config["num_key_value_heads"], head, config["vocab_size"],
                             context=config["max_position_embeddings"], theta=config["rope_theta"], epsilon=config["rms_norm_eps"])
    gguf.write(path, {**sizes, "tokenizer.ggml.model": "no_vocab"}, tensors)
    return config["max_position_embeddings"]


def surprise(logits, token):
    """Bits."""
    most = max(logits)
    return (math.log(sum(math.exp(value - most) for value in logits)) + most - logits[token]) / math.log(2)


def bits_a_byte(directory, path, text, length):
    """Of windows of a text, each from its second byte on."""
    said = []
    context = llama.Context(llama.Model(llama.Llama(directory, said.append), path), length)
    bits, step = 0, (len(text) - length) // (WINDOWS - 1)
    for begin in range(0, WINDOWS * step, step):
        window = text[begin:begin + length]
        context.clear()
        context.decode(list(window), wanted="all")
        bits += sum(surprise(context.logits(i), window[i + 1]) for i in range(length - 1))
    print(bits / WINDOWS / (length - 1), any("lutc: multiplies" in line for line in said))


def run(directory, path, text, length, plugin=None):
    environment = {key: value for key, value in os.environ.items() if key != "GGML_BACKEND_PATH"}
    if plugin:
        environment["GGML_BACKEND_PATH"] = plugin
    done = subprocess.run([sys.executable, __file__, "--bits", directory, path, text, str(length)], env=environment, stdout=subprocess.PIPE,
                          text=True, check=True)
    bits, is_lutc = done.stdout.split()
    return float(bits), is_lutc == "True"


def main():
    if sys.argv[1:2] == ["--bits"]:
        directory, path, text, length = sys.argv[2:]
        bits_a_byte(directory, path, pathlib.Path(text).read_bytes(), int(length))
        return 0
    directory, plugin, models, work = sys.argv[1:]
    for missing, name in ((directory, "llama.cpp could not be installed"), (models, "no shared/models beside the project")):
        if not os.path.isdir(missing):
            print(f"not run: bits a byte of trained models: {name}")
            return 77
    os.makedirs(work, exist_ok=True)
    ggml, path, models, failures = gguf.Ggml(directory), os.path.join(work, "trained.gguf"), pathlib.Path(models), 0
    print("| model | layers in | llama.cpp | with lutc | difference |\n| --- | --- | --- | --- | --- |")
    for model, kind in MODELS:
        length = write(path, models / model, kind, ggml)
        stock, _ = run(directory, path, models / "held-out.txt", length)
        ours, is_lutc = run(directory, path, models / "held-out.txt", length, plugin)
        print(f"| {model} | {kind} | {stock:.4f} | {ours:.4f} | {ours - stock:+.4f} |", flush=True)
        if abs(ours - stock) >= LIMIT or is_lutc != (kind != "f16"):
            failures += 1
            print(f"FAILED: {model} {kind}: {ours - stock}, multiplied by lutc: {is_lutc}")
    os.unlink(path)
    return 1 if failures else 0


sys.exit(main())
