"""Small models of every family: configs, and the tensors of their layers as published checkpoints name them.

Stated apart from what lutc knows, so that each checks the other. A matrix is (n, k); `Model.optional` are those that
are compiled on request only. Sizes are small and all different where a family could confuse them.
"""
H, F, V, HEADS, KV, D, EXPERTS, EXPERT_FFN, LAYERS = 64, 96, 160, 4, 2, 32, 3, 128, 4
Q, K = HEADS * D, KV * D
BASE = {"hidden_size": H, "intermediate_size": F, "num_hidden_layers": LAYERS, "num_attention_heads": HEADS,
        "num_key_value_heads": KV, "head_dim": D, "vocab_size": V, "rms_norm_eps": 1e-6, "tie_word_embeddings": False}


class Model:
    def __init__(self, model_type, layers="model.layers", head="lm_head", embedding="model.embed_tokens", norm="model.norm", nest=None,
                 architecture=None, without=(), **config):
        text = {"model_type": model_type, **{key: value for key, value in BASE.items() if key not in without}, **config}
        self.name, self.layers, self.outside = model_type, layers, (embedding, norm, head)
        self.title = f"{model_type}, {architecture}" if architecture == "BitnetForCausalLM" else model_type.removesuffix("_text")
        self.config = text
        for key in reversed(nest or []):
            self.config = {key: self.config}
        if architecture:
            self.config["architectures"] = [architecture]
        self.linear, self.optional, self.plain, self.stacks = {}, {head: (V, H)}, {norm + ".weight": [H]}, {}

    def add(self, layers, linear, norms=(), biases=(), router=None, plain=()):
        """In these layers; `norms` are of the hidden size; `biases` of some of the matrices."""
        for layer in layers:
            prefix = f"{self.layers}.{layer}."
            self.linear.update({prefix + name: shape for name, shape in linear.items()})
            self.plain.update({f"{prefix}{name}.weight": [H] for name in norms})
            self.plain.update({f"{prefix}{name}.bias": [linear[name][0]] for name in biases})
            self.plain.update({prefix + name: list(shape) for name, shape in dict(plain).items()})
            if router:
                self.optional[prefix + router] = (EXPERTS, H)
        return self

    def stack(self, layers, experts, hidden_first, gate_up="gate_up_proj", down="down_proj"):
        """Experts of those layers that share tensors of floats: [E][2 f][h] and [E][h][f], or transposed."""
        for layer in layers:
            prefix = f"{self.layers}.{layer}."
            for expert in range(EXPERTS):
                for name, shape in gated(EXPERT_FFN).items():
                    self.linear[f"{prefix}{experts}.{expert}.{name}"] = shape
                    self.stacks[f"{prefix}{experts}.{expert}.{name}"] = None
            owner = prefix + (experts + "." if "linear" not in gate_up else experts.removesuffix("experts"))
            shapes = {gate_up: [EXPERTS, 2 * EXPERT_FFN, H], down: [EXPERTS, H, EXPERT_FFN]}
            for name, (count, n, k) in shapes.items():
                self.plain[owner + name] = [count, k, n] if hidden_first else [count, n, k]
        return self


def attention(prefix="self_attn.", q=Q, out="o_proj"):
    return {f"{prefix}q_proj": (q, H), f"{prefix}k_proj": (K, H), f"{prefix}v_proj": (K, H), f"{prefix}{out}": (H, Q)}


def gated(ffn, prefix="", names=("gate_proj", "up_proj", "down_proj"), hidden=H):
    gate, up, down = names
    return {prefix + gate: (ffn, hidden), prefix + up: (ffn, hidden), prefix + down: (hidden, ffn)}


def experts(prefix="mlp.experts.", ffn=EXPERT_FFN, **more):
    return {name: shape for expert in range(EXPERTS) for name, shape in gated(ffn, f"{prefix}{expert}.", **more).items()}


def plain_norms(*names, size=D):
    return {f"self_attn.{name}.weight": [size] for name in names}


# What the engine has to do that it does not for most models.
AFTER, LINEAR_ATTENTION = "norms of results, then the residual", "convolution and state of linear layers"
SHARED_GATES, ONE_PLUS = "gates of shared experts", "norms take 1 + weight"
LEFT = {"gemma": [ONE_PLUS], "gemma2": [ONE_PLUS, AFTER], "gemma3": [ONE_PLUS, AFTER], "gemma3n": ["four streams", "per-layer inputs", AFTER],
        "gemma4": ["per-layer inputs", AFTER], "glm4": ["the activation", AFTER], "phi3": ["the activation"], "phi4mm": ["the activation", "adapters of vision and speech"],
        "chatglm": ["the activation"], "olmo2": [AFTER], "olmo3": [AFTER], "exaone4": [AFTER], "nemotron": [ONE_PLUS], "qwen2_moe": [SHARED_GATES],
        "qwen3_next": [ONE_PLUS, LINEAR_ATTENTION, "gates of attention", SHARED_GATES], "qwen3_5": [ONE_PLUS, LINEAR_ATTENTION, "gates of attention"],
        "qwen3_5_moe": [ONE_PLUS, LINEAR_ATTENTION, "gates of attention", SHARED_GATES], "llama4": ["tokens times gates before experts, whose gates are 1"],
        "deepseek_v32": ["the choice of tokens"], "glm_moe_dsa": ["the choice of tokens"], "nemotron_h": ["convolution and state of Mamba"],
        "falcon_h1": ["convolution and state of Mamba"], "lfm2": ["convolutions"], "granite": ["scales of results, then the residual"],
        "granitemoe": ["scales of results: of experts, as part of gates"], "minicpm": ["scales of results, then the residual"],
        "minicpm3": ["scales of results, then the residual"], "baichuan": ["lm_head of Baichuan 2, whose rows are normalized"]}
ALL, TWO = range(LAYERS), ("input_layernorm", "post_attention_layernorm")
FOUR = ("input_layernorm", "post_attention_layernorm", "pre_feedforward_layernorm", "post_feedforward_layernorm")
QK = plain_norms("q_norm", "k_norm")
QKV = ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj")
DENSE = {**attention(), **gated(F, "mlp.")}
MOE = {"num_experts_per_tok": 2, "moe_intermediate_size": EXPERT_FFN}


def dense(model_type, norms=TWO, biases=(), plain=(), linear=None, **config):
    return Model(model_type, **config).add(ALL, linear or DENSE, norms, biases, plain=plain)


def mixture(model, router="mlp.gate", linear=None, shared=None, attention_of=attention, first=1, norms=TWO, biases=(), plain=(), ffn="mlp."):
    """The first layers dense."""
    shared = gated(*shared) if shared else {}
    model.add(range(first), {**attention_of(), **gated(F, ffn)}, norms, biases, plain=dict(plain))
    return model.add(range(first, LAYERS), {**attention_of(), **(experts() if linear is None else linear), **shared}, norms, biases, router, plain)


LATENT = {"q_lora_rank": 96, "kv_lora_rank": 64, "qk_rope_head_dim": 32, "qk_nope_head_dim": 64, "v_head_dim": 32, "n_routed_experts": EXPERTS,
          "n_shared_experts": 2, "first_k_dense_replace": 1, **MOE}
LATENT_NORMS = {"self_attn.q_a_layernorm.weight": [96], "self_attn.kv_a_layernorm.weight": [64]}


def latent(q_lora=96):
    queries = {"self_attn.q_a_proj": (q_lora, H), "self_attn.q_b_proj": (HEADS * 96, q_lora)} if q_lora else {"self_attn.q_proj": (HEADS * 96, H)}
    return {**queries, "self_attn.kv_a_proj_with_mqa": (64 + 32, H), "self_attn.kv_b_proj": (HEADS * (64 + 32), 64), "self_attn.o_proj": (H, HEADS * 32)}


def indexed():
    return {**latent(), "self_attn.indexer.wq_b": (2 * 64, 96), "self_attn.indexer.wk": (64, H), "self_attn.indexer.weights_proj": (2, H)}


def deepseek(model_type, attention_of=latent, plain=LATENT_NORMS, norms=TWO, **config):
    return mixture(Model(model_type, **{**LATENT, **config}), shared=(2 * EXPERT_FFN, "mlp.shared_experts."), attention_of=attention_of,
                   plain={**plain, "mlp.gate.e_score_correction_bias": [EXPERTS]} if model_type != "deepseek_v2" else plain, norms=norms)


def qwen_linear(split):
    key, value = 2 * 32, 4 * 32
    parts = {"qkv": 2 * key + value, "z": value, "b": 4, "a": 4} if split else {"qkvz": 2 * key + 2 * value, "ba": 8}
    return {**{f"linear_attn.in_proj_{name}": (n, H) for name, n in parts.items()}, "linear_attn.out_proj": (H, value)}


LINEAR = {"linear_num_key_heads": 2, "linear_key_head_dim": 32, "linear_num_value_heads": 4, "linear_value_head_dim": 32}
LINEAR_PLAIN = {"linear_attn.A_log": [4], "linear_attn.dt_bias": [4], "linear_attn.conv1d.weight": [256, 1, 4], "linear_attn.norm.weight": [32]}


def hybrid(model, split, ffn, router=None, plain=()):
    """Three layers of linear attention, then one of full attention whose output is gated."""
    model.add(range(3), {**qwen_linear(split), **ffn}, TWO, router=router, plain={**LINEAR_PLAIN, **dict(plain)})
    return model.add([3], {**attention(q=2 * Q), **ffn}, TWO, router=router, plain={**QK, **dict(plain)})


SHARED = {"shared_expert_intermediate_size": 160}
SHARED_EXPERT = gated(160, "mlp.shared_expert.")
SHARED_GATE = {"mlp.shared_expert_gate.weight": [1, H]}
SSM = {"mamba_d_ssm": 128, "mamba_d_state": 32, "mamba_n_groups": 1, "mamba_n_heads": 4}
SSM_IN = 2 * 128 + 2 * 32 + 4


def gemma4():
    """Five layers: sliding, full, then two that share keys and have wide feed-forward layers."""
    kinds = ["sliding_attention", "full_attention", "sliding_attention", "full_attention"]
    model = Model("gemma4_text", layer_types=kinds, global_head_dim=64, num_kv_shared_layers=2, use_double_wide_mlp=True, attention_k_eq_v=False,
                  hidden_size_per_layer_input=32, hidden_activation="gelu_pytorch_tanh")
    for layer, kind in enumerate(kinds):
        d = 64 if kind == "full_attention" else D
        keys = {"self_attn.k_proj": (KV * d, H), "self_attn.v_proj": (KV * d, H)} if layer < 2 else {}
        model.add([layer], {"self_attn.q_proj": (HEADS * d, H), **keys, "self_attn.o_proj": (H, HEADS * d), **gated(F if layer < 2 else 2 * F, "mlp."),
                            "per_layer_input_gate": (32, H), "per_layer_projection": (H, 32)}, (*FOUR, "post_per_layer_input_norm"),
                  plain={**plain_norms("q_norm", size=d), **(plain_norms("k_norm", size=d) if layer < 2 else {}), "layer_scalar": [1]})
    return model


def gemma4_moe():
    """All layers have feed-forward layers and experts; full attention has one matrix for keys and values."""
    kinds = ["sliding_attention", "full_attention"] * 2
    model = Model("gemma4", nest=["text_config"], layers="model.language_model.layers", layer_types=kinds, global_head_dim=64, attention_k_eq_v=True, num_global_key_value_heads=1,
                  enable_moe_block=True, num_experts=EXPERTS, top_k_experts=2, moe_intermediate_size=EXPERT_FFN, hidden_size_per_layer_input=0,
                  embedding="model.language_model.embed_tokens", norm="model.language_model.norm", hidden_activation="gelu_pytorch_tanh")
    norms = (*FOUR, "pre_feedforward_layernorm_2", "post_feedforward_layernorm_1", "post_feedforward_layernorm_2")
    for layer, kind in enumerate(kinds):
        d = 64 if kind == "full_attention" else D
        keys = {"self_attn.k_proj": (64, H)} if kind == "full_attention" else {"self_attn.k_proj": (K, H), "self_attn.v_proj": (K, H)}
        model.add([layer], {"self_attn.q_proj": (HEADS * d, H), **keys, "self_attn.o_proj": (H, HEADS * d), **gated(F, "mlp.")}, norms, router="router.proj",
                  plain={**plain_norms("q_norm", "k_norm", size=d), "layer_scalar": [1], "router.scale": [H], "router.per_expert_scale": [EXPERTS]})
    return model.stack(ALL, "experts", hidden_first=False)


def nemotron_h():
    model = Model("nemotron_h", "backbone.layers", embedding="backbone.embeddings", norm="backbone.norm_f", hybrid_override_pattern="M*-E",
                  mamba_num_heads=4, mamba_head_dim=32, ssm_state_size=32, n_groups=1, n_routed_experts=EXPERTS, num_experts_per_tok=2,
                  moe_intermediate_size=EXPERT_FFN, moe_shared_expert_intermediate_size=160, n_shared_experts=1, mlp_hidden_act="relu2", layer_norm_epsilon=1e-5)
    mamba = {"mixer.A_log": [4], "mixer.D": [4], "mixer.dt_bias": [4], "mixer.conv1d.weight": [192, 1, 4], "mixer.norm.weight": [128]}
    model.add([0], {"mixer.in_proj": (SSM_IN, H), "mixer.out_proj": (H, 128)}, ["norm"], plain=mamba)
    model.add([1], attention("mixer."), ["norm"])
    model.add([2], {"mixer.up_proj": (F, H), "mixer.down_proj": (H, F)}, ["norm"])
    routed = {f"mixer.experts.{e}.{name}": shape for e in range(EXPERTS) for name, shape in (("up_proj", (EXPERT_FFN, H)), ("down_proj", (H, EXPERT_FFN)))}
    return model.add([3], {**routed, "mixer.shared_experts.up_proj": (160, H), "mixer.shared_experts.down_proj": (H, 160)}, ["norm"], router="mixer.gate",
                     plain={"mixer.gate.e_score_correction_bias": [EXPERTS]})


def lfm2():
    kinds = ["conv", "full_attention", "conv", "full_attention"]
    model = Model("lfm2", layer_types=kinds, norm_eps=1e-5, norm="model.embedding_norm", block_auto_adjust_ff_dim=True, block_ff_dim=96 * 3 // 2, block_multiple_of=32,
                  without=("intermediate_size", "rms_norm_eps"))
    ffn = gated(96, "feed_forward.", ("w1", "w3", "w2"))
    for layer, kind in enumerate(kinds):
        if kind == "conv":
            model.add([layer], {"conv.in_proj": (3 * H, H), "conv.out_proj": (H, H), **ffn}, ("operator_norm", "ffn_norm"), plain={"conv.conv.weight": [H, 1, 3]})
        else:
            model.add([layer], {**attention(out="out_proj"), **ffn}, ("operator_norm", "ffn_norm"), plain=plain_norms("q_layernorm", "k_layernorm"))
    return model


def falcon(**config):
    heads = HEADS + 2 * (config["num_kv_heads"] if config["new_decoder_architecture"] else 1)
    norms = ("ln_attn", "ln_mlp") if config["new_decoder_architecture"] else ("input_layernorm",)
    model = Model("falcon", "transformer.h", embedding="transformer.word_embeddings", norm="transformer.ln_f", layer_norm_epsilon=1e-5, multi_query=True,
                  without=("intermediate_size", "num_key_value_heads", "head_dim", "rms_norm_eps"), hidden_act="gelu", **config)
    return model.add(ALL, {"self_attention.query_key_value": (heads * 16, H), "self_attention.dense": (H, HEADS * 16), "mlp.dense_h_to_4h": (4 * H, H),
                           "mlp.dense_4h_to_h": (H, 4 * H)}, norms, plain={f"{norm}.bias": [H] for norm in norms})


def chatglm():
    model = Model("chatglm", "transformer.encoder.layers", "transformer.output_layer", "transformer.embedding.word_embeddings", "transformer.encoder.final_layernorm",
                  num_layers=LAYERS, ffn_hidden_size=F, multi_query_group_num=KV, kv_channels=D, padded_vocab_size=V, layernorm_epsilon=1e-5, add_qkv_bias=True,
                  without=("num_hidden_layers", "intermediate_size", "num_key_value_heads", "head_dim", "vocab_size", "rms_norm_eps"))
    return model.add(ALL, {"self_attention.query_key_value": (Q + 2 * K, H), "self_attention.dense": (H, Q), "mlp.dense_h_to_4h": (2 * F, H), "mlp.dense_4h_to_h": (H, F)},
                     TWO, ["self_attention.query_key_value"])


def phi4mm():
    linear = {"self_attn.qkv_proj": (Q + 2 * K, H), "self_attn.o_proj": (H, Q), "mlp.gate_up_proj": (2 * F, H), "mlp.down_proj": (H, F)}
    adapters = {f"{name}.lora_{side}.{kind}.weight": shape for name, (n, k) in linear.items() for kind in ("vision", "speech")
                for side, shape in (("A", [8, k]), ("B", [n, 8]))}
    return Model("phi4mm").add(ALL, {f"{name}.base_layer": shape for name, shape in linear.items()}, TWO, plain=adapters)


def gemma3n():
    altup = {"altup.correction_coefs.weight": [4, 4], "altup.prediction_coefs.weight": [16, 4], "altup.modality_router.weight": [4, H], "altup.router_norm.weight": [H],
             "altup.correct_output_scale": [H], **QK}
    model = Model("gemma3n", "model.language_model.layers", nest=["text_config"], intermediate_size=[F] * LAYERS, hidden_size_per_layer_input=32, laurel_rank=64,
                  embedding="model.language_model.embed_tokens", norm="model.language_model.norm", hidden_activation="gelu_pytorch_tanh", architecture="Gemma3nForConditionalGeneration")
    return model.add(ALL, {**DENSE, "laurel.linear_left": (64, H), "laurel.linear_right": (H, 64), "per_layer_input_gate": (32, H), "per_layer_projection": (H, 32)},
                     (*FOUR, "laurel.post_laurel_norm", "post_per_layer_input_norm"), plain=altup)


def internlm2():
    model = Model("internlm2", head="output", embedding="model.tok_embeddings", bias=False, architecture="InternLM2ForCausalLM")
    return model.add(ALL, {"attention.wqkv": (Q + 2 * K, H), "attention.wo": (H, Q), **gated(F, "feed_forward.", ("w1", "w3", "w2"))}, ("attention_norm", "ffn_norm"))


def layer_norm(model_type, linear, biases, norms=TWO, **config):
    return Model(model_type, without=("rms_norm_eps",), **config).add(ALL, linear, norms, biases, plain={f"{norm}.bias": [H] for norm in norms})


def up_down(up="up_proj", down="down_proj", out="o_proj"):
    return {**attention(out=out), f"mlp.{up}": (F, H), f"mlp.{down}": (H, F)}


def llama4():
    model = Model("llama4_text", nest=["text_config"], layers="language_model.model.layers", embedding="language_model.model.embed_tokens", norm="language_model.model.norm",
                  head="language_model.lm_head", intermediate_size=EXPERT_FFN, intermediate_size_mlp=F, num_local_experts=EXPERTS, num_experts_per_tok=1, interleave_moe_layer_step=2)
    model.add([0, 2], {**attention(), **gated(F, "feed_forward.")}, TWO)
    model.add([1, 3], {**attention(), **gated(EXPERT_FFN, "feed_forward.shared_expert.")}, TWO, router="feed_forward.router")
    return model.stack([1, 3], "feed_forward.experts", hidden_first=True)


def phimoe():
    linear = {**attention(), **experts("block_sparse_moe.experts.", F, names=("w1", "w3", "w2"))}
    return Model("phimoe", num_local_experts=EXPERTS, num_experts_per_tok=2, attention_bias=True, lm_head_bias=True).add(
        ALL, linear, TWO, list(attention()), "block_sparse_moe.gate", {f"{norm}.bias": [H] for norm in TWO})


def minimax_m2():
    linear = {**attention(), **experts("block_sparse_moe.experts.", F, names=("w1", "w3", "w2"))}
    return Model("minimax_m2", num_local_experts=EXPERTS, num_experts_per_tok=2, architecture="MiniMaxM2ForCausalLM").add(
        ALL, linear, TWO, router="block_sparse_moe.gate",
        plain={"self_attn.q_norm.weight": [Q], "self_attn.k_norm.weight": [K], "block_sparse_moe.e_score_correction_bias": [EXPERTS]})


def hunyuan_moe():
    linear = {**attention(), **experts(), **gated(F, "mlp.shared_mlp.")}
    return Model("hunyuan_v1_moe", num_experts=EXPERTS, moe_topk=[2] * LAYERS, num_shared_expert=[1] * LAYERS, moe_intermediate_size=[EXPERT_FFN] * LAYERS,
                 architecture="HunYuanMoEV1ForCausalLM").add(ALL, linear, TWO, router="mlp.gate.wg", plain=plain_norms("query_layernorm", "key_layernorm"))


def minicpm3():
    config = {key: LATENT[key] for key in ("q_lora_rank", "kv_lora_rank", "qk_rope_head_dim", "qk_nope_head_dim", "v_head_dim")}
    return Model("minicpm3", scale_depth=1.4, **config).add(ALL, {**latent(), **gated(F, "mlp.")}, TWO, plain=LATENT_NORMS)


def falcon_h1():
    plain = {"mamba.A_log": [4], "mamba.D": [4], "mamba.dt_bias": [4], "mamba.conv1d.weight": [192, 1, 4], "mamba.conv1d.bias": [192]}
    return Model("falcon_h1", norm="model.final_layernorm", **SSM).add(
        ALL, {**attention(), "mamba.in_proj": (SSM_IN, H), "mamba.out_proj": (H, 128), **gated(F, "feed_forward.")}, ("input_layernorm", "pre_ff_layernorm"), plain=plain)


def stacked(model_type, hidden_first, **config):
    return Model(model_type, num_experts=EXPERTS, **MOE, **config)


def models():
    glm4 = {**attention(), "mlp.gate_up_proj": (2 * F, H), "mlp.down_proj": (H, F)}
    out_norms, shared = ("post_attention_layernorm", "post_feedforward_layernorm"), (2 * EXPERT_FFN, "mlp.shared_experts.")
    routed = {"n_routed_experts": EXPERTS, "n_shared_experts": 2, "first_k_dense_replace": 1, **MOE}
    yield dense("llama")
    yield dense("mistral")
    yield dense("ministral3", nest=["text_config"], layers="language_model.model.layers", embedding="language_model.model.embed_tokens",
                norm="language_model.model.norm", head="language_model.lm_head")
    yield dense("qwen2", biases=QKV)
    yield dense("qwen2_vl", biases=QKV, architecture="Qwen2VLForConditionalGeneration")
    yield dense("qwen2_5_vl_text", biases=QKV, nest=["text_config"], layers="model.language_model.layers", embedding="model.language_model.embed_tokens", norm="model.language_model.norm")
    yield dense("qwen2_5_vl_text", biases=QKV, nest=["thinker_config", "text_config"], layers="thinker.model.layers", embedding="thinker.model.embed_tokens",
                norm="thinker.model.norm", head="thinker.lm_head")
    yield dense("qwen2", biases=QKV, nest=["llm_config"], layers="language_model.model.layers", embedding="language_model.model.embed_tokens",
                norm="language_model.model.norm", head="language_model.lm_head")
    yield dense("qwen3", plain=QK)
    yield dense("qwen3_vl_text", plain=QK, nest=["text_config"], layers="model.language_model.layers", embedding="model.language_model.embed_tokens", norm="model.language_model.norm")
    yield dense("gemma", hidden_act="gelu")
    yield dense("gemma2", FOUR)
    yield dense("gemma3_text", FOUR, plain=QK)
    yield gemma3n()
    yield gemma4()
    yield gemma4_moe()
    yield layer_norm("phi", up_down("fc1", "fc2", "dense"), list(up_down("fc1", "fc2", "dense")), ["input_layernorm"], hidden_act="gelu_new", layer_norm_eps=1e-5, norm="model.final_layernorm")
    yield Model("phi3").add(ALL, {"self_attn.qkv_proj": (Q + 2 * K, H), "self_attn.o_proj": (H, Q), "mlp.gate_up_proj": (2 * F, H), "mlp.down_proj": (H, F)}, TWO)
    yield phi4mm()
    yield dense("bitnet", plain={"self_attn.attn_sub_norm.weight": [Q], "mlp.ffn_sub_norm.weight": [F]}, hidden_act="relu2", architecture="BitNetForCausalLM")
    yield dense("llama", plain={"self_attn.inner_attn_ln.weight": [Q], "mlp.ffn_layernorm.weight": [F]}, architecture="BitnetForCausalLM")
    for name in ("smollm3", "granite", "minicpm"):
        yield dense(name)
    yield dense("mimo", biases=QKV)
    yield dense("seed_oss", biases=QKV, attention_bias=True, attention_out_bias=False)
    yield dense("internlm3", qkv_bias=False)
    yield dense("ernie4_5", use_bias=False, architecture="Ernie4_5ForCausalLM")
    yield dense("hunyuan_v1_dense", plain=plain_norms("query_layernorm", "key_layernorm"), architecture="HunYuanDenseV1ForCausalLM")
    yield dense("arcee", linear=up_down(), hidden_act="relu2")
    yield dense("olmo2", out_norms, plain={"self_attn.q_norm.weight": [Q], "self_attn.k_norm.weight": [K]})
    yield dense("olmo3", out_norms, plain={"self_attn.q_norm.weight": [Q], "self_attn.k_norm.weight": [K]})
    yield dense("exaone4", out_norms, plain=QK)
    yield dense("glm4", (*TWO, "post_self_attn_layernorm", "post_mlp_layernorm"), QKV, linear=glm4, attention_bias=True)
    yield minicpm3()
    yield dense("apertus", ("attention_layernorm", "feedforward_layernorm"), linear=up_down(), hidden_act="xielu",
                plain={**QK, "mlp.act_fn.alpha_p": [1], "mlp.act_fn.alpha_n": [1], "mlp.act_fn.beta": [], "mlp.act_fn.eps": []})
    yield layer_norm("starcoder2", up_down("c_fc", "c_proj"), list(up_down("c_fc", "c_proj")), hidden_act="gelu_pytorch_tanh", norm_epsilon=1e-5, use_bias=True)
    yield layer_norm("stablelm", DENSE, (), layer_norm_eps=1e-5, use_qkv_bias=False)
    yield layer_norm("nemotron", up_down(), (), hidden_act="relu2", norm_eps=1e-5)
    yield Model("cohere", layer_norm_eps=1e-5, without=("rms_norm_eps",)).add(ALL, DENSE, ["input_layernorm"])
    yield Model("cohere2", layer_norm_eps=1e-5, without=("rms_norm_eps",)).add(ALL, DENSE, ["input_layernorm"])
    yield falcon(new_decoder_architecture=False, num_kv_heads=HEADS)
    yield falcon(new_decoder_architecture=True, num_kv_heads=2)
    yield chatglm()
    yield Model("baichuan", without=("num_key_value_heads", "head_dim")).add(ALL, {"self_attn.W_pack": (3 * H, H), "self_attn.o_proj": (H, H), **gated(F, "mlp.")}, TWO)
    yield internlm2()
    yield lfm2()
    yield falcon_h1()
    yield nemotron_h()
    yield Model("mixtral", num_local_experts=EXPERTS, num_experts_per_tok=2).add(
        ALL, {**attention(), **experts("block_sparse_moe.experts.", F, names=("w1", "w3", "w2"))}, TWO, router="block_sparse_moe.gate")
    yield minimax_m2()
    yield phimoe()
    yield mixture(Model("qwen2_moe", num_experts=EXPERTS, **MOE, **SHARED, decoder_sparse_step=1, mlp_only_layers=[0]), linear={**experts(), **SHARED_EXPERT}, biases=QKV, plain=SHARED_GATE)
    yield mixture(Model("qwen3_moe", num_experts=EXPERTS, **MOE, mlp_only_layers=[0]), plain=QK)
    vl_moe = Model("qwen3_vl_moe_text", nest=["text_config"], layers="model.language_model.layers", embedding="model.language_model.embed_tokens", norm="model.language_model.norm", num_experts=EXPERTS, **MOE)
    yield vl_moe.add(ALL, attention(), TWO, router="mlp.gate", plain=QK).stack(ALL, "mlp.experts", hidden_first=True)
    yield hybrid(Model("qwen3_next", num_experts=EXPERTS, **MOE, **SHARED, **LINEAR, full_attention_interval=4), False, {**experts(), **SHARED_EXPERT}, "mlp.gate", SHARED_GATE)
    kinds = ["linear_attention"] * 3 + ["full_attention"]
    nested = {"nest": ["text_config"], "layers": "model.language_model.layers", "embedding": "model.language_model.embed_tokens", "norm": "model.language_model.norm"}
    yield hybrid(Model("qwen3_5_text", **nested, **LINEAR, layer_types=kinds), True, gated(F, "mlp."))
    yield hybrid(Model("qwen3_5_moe_text", **nested, num_experts=EXPERTS, **MOE, **SHARED, **LINEAR, layer_types=kinds), True, SHARED_EXPERT, "mlp.gate",
                 SHARED_GATE).stack(ALL, "mlp.experts", hidden_first=False)
    yield Model("olmoe", num_experts=EXPERTS, num_experts_per_tok=2).add(
        ALL, {**attention(), **experts(ffn=F)}, TWO, router="mlp.gate", plain={"self_attn.q_norm.weight": [Q], "self_attn.k_norm.weight": [K]})
    yield llama4()
    yield mixture(Model("glm4_moe", **routed, attention_bias=True), shared=shared, plain={**QK, "mlp.gate.e_score_correction_bias": [EXPERTS]}, biases=QKV)
    yield mixture(Model("dots1", **routed), shared=shared, plain={**QK, "mlp.gate.e_score_correction_bias": [EXPERTS]})
    yield mixture(Model("ernie4_5_moe", moe_num_experts=EXPERTS, moe_k=2, moe_intermediate_size=EXPERT_FFN, moe_num_shared_experts=2, moe_layer_start_index=1, moe_layer_interval=1,
                        architecture="Ernie4_5_MoeForCausalLM"), shared=shared, plain={"mlp.moe_statics.e_score_correction_bias": [1, EXPERTS]})
    yield hunyuan_moe()
    granite = Model("granitemoe", intermediate_size=EXPERT_FFN, num_local_experts=EXPERTS, num_experts_per_tok=2).add(ALL, attention(), TWO, router="block_sparse_moe.router.layer")
    yield granite.stack(ALL, "block_sparse_moe.experts", False, "input_linear.weight", "output_linear.weight")
    yield deepseek("deepseek_v2", lambda: latent(0), {"self_attn.kv_a_layernorm.weight": [64]}, q_lora_rank=None)
    yield deepseek("deepseek_v3", num_nextn_predict_layers=1)
    yield deepseek("kimi_k2", architecture="DeepseekV3ForCausalLM")
    index = {**LATENT_NORMS, "self_attn.indexer.k_norm.weight": [64], "self_attn.indexer.k_norm.bias": [64]}
    for name in ("deepseek_v32", "glm_moe_dsa"):
        yield deepseek(name, indexed, index, index_n_heads=2, index_head_dim=64)


# llama.cpp's names inside a layer, for each kind of model that says another than the usual one.
GGUF = {"self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v", "self_attn.o_proj": "attn_output", "self_attn.out_proj": "attn_output",
        "self_attn.dense": "attn_output", "self_attn.qkv_proj": "attn_qkv", "self_attention.query_key_value": "attn_qkv", "self_attention.dense": "attn_output",
        "attention.wo": "attn_output", "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up", "mlp.down_proj": "ffn_down", "mlp.gate_up_proj": "ffn_up",
        "mlp.fc1": "ffn_up", "mlp.fc2": "ffn_down", "mlp.c_fc": "ffn_up", "mlp.c_proj": "ffn_down", "mlp.dense_h_to_4h": "ffn_up", "mlp.dense_4h_to_h": "ffn_down",
        "feed_forward.gate_proj": "ffn_gate", "feed_forward.up_proj": "ffn_up", "feed_forward.down_proj": "ffn_down", "feed_forward.w1": "ffn_gate", "feed_forward.w3": "ffn_up",
        "feed_forward.w2": "ffn_down", "mlp.gate": "ffn_gate_inp", "block_sparse_moe.gate": "ffn_gate_inp", "feed_forward.router": "ffn_gate_inp", "mlp.gate.wg": "ffn_gate_inp",
        "block_sparse_moe.router.layer": "ffn_gate_inp", "mixer.gate": "ffn_gate_inp", "self_attn.q_a_proj": "attn_q_a", "self_attn.q_b_proj": "attn_q_b",
        "self_attn.kv_a_proj_with_mqa": "attn_kv_a_mqa", "self_attn.indexer.wq_b": "indexer.attn_q_b", "self_attn.indexer.wk": "indexer.attn_k",
        "self_attn.indexer.weights_proj": "indexer.proj", "linear_attn.in_proj_ba": "ssm_ba", "linear_attn.out_proj": "ssm_out", "conv.in_proj": "shortconv.in_proj", "conv.out_proj": "shortconv.out_proj",
        "mixer.in_proj": "ssm_in", "mixer.out_proj": "ssm_out", "mixer.q_proj": "attn_q", "mixer.k_proj": "attn_k", "mixer.v_proj": "attn_v", "mixer.o_proj": "attn_output",
        "mixer.up_proj": "ffn_up", "mixer.down_proj": "ffn_down", "laurel.linear_left": "laurel_l", "laurel.linear_right": "laurel_r", "per_layer_input_gate": "inp_gate",
        "per_layer_projection": "proj"}
GGUF_EXPERT = {"gate_proj": "ffn_gate_exps", "up_proj": "ffn_up_exps", "down_proj": "ffn_down_exps", "w1": "ffn_gate_exps", "w3": "ffn_up_exps", "w2": "ffn_down_exps"}
GGUF_SHARED = {"gate_proj": "ffn_gate_shexp", "up_proj": "ffn_up_shexp", "down_proj": "ffn_down_shexp"}
# In GGUF in another form, under names of its own.
SPLIT = ("self_attn.kv_b_proj", "linear_attn.in_proj_qkvz")
ARCHITECTURES = {"llama": "llama", "mixtral": "llama", "ministral3": "mistral3", "qwen2": "qwen2", "qwen2_vl": "qwen2vl", "qwen3": "qwen3", "qwen3_moe": "qwen3moe",
                 "qwen3_vl_text": "qwen3vl", "qwen2_moe": "qwen2moe", "qwen3_next": "qwen3next", "gemma": "gemma", "gemma2": "gemma2", "gemma3_text": "gemma3",
                 "gemma3n": "gemma3n", "phi": "phi2", "phi3": "phi3", "phimoe": "phimoe", "bitnet": "bitnet", "smollm3": "smollm3", "granite": "granite",
                 "granitemoe": "granitemoe", "olmo2": "olmo2", "olmoe": "olmoe", "exaone4": "exaone4", "nemotron": "nemotron", "nemotron_h": "nemotron_h_moe",
                 "starcoder2": "starcoder2", "stablelm": "stablelm", "cohere": "command-r", "cohere2": "cohere2", "minicpm": "minicpm", "minicpm3": "minicpm3",
                 "ernie4_5": "ernie4_5", "ernie4_5_moe": "ernie4_5-moe", "seed_oss": "seed_oss", "hunyuan_v1_dense": "hunyuan-dense", "hunyuan_v1_moe": "hunyuan-moe",
                 "dots1": "dots1", "apertus": "apertus", "arcee": "arcee", "lfm2": "lfm2", "chatglm": "chatglm", "glm4": "glm4", "glm4_moe": "glm4moe",
                 "minimax_m2": "minimax-m2", "llama4_text": "llama4", "deepseek_v2": "deepseek2", "deepseek_v3": "deepseek2", "deepseek_v32": "deepseek32",
                 "glm_moe_dsa": "glm-dsa"}
METADATA = {"block_count": LAYERS, "embedding_length": H, "feed_forward_length": F, "attention.head_count": HEADS, "attention.head_count_kv": KV, "attention.key_length": D,
            "attention.layer_norm_rms_epsilon": 1e-6, "expert_used_count": 2, "expert_feed_forward_length": EXPERT_FFN}
LATENT_METADATA = {"attention.head_count_kv": 1, "attention.q_lora_rank": 96, "attention.kv_lora_rank": 64, "rope.dimension_count": 32, "attention.key_length": 96,
                   "attention.key_length_mla": 96, "attention.value_length_mla": 32, "expert_shared_count": 2, "attention.indexer.head_count": 2, "attention.indexer.key_length": 64}
MORE_METADATA = {"qwen2_moe": {"expert_shared_feed_forward_length": 160}, "qwen3_next": {"expert_shared_feed_forward_length": 160, "ssm.inner_size": 128, "ssm.time_step_rank": 4, "ssm.group_count": 2, "ssm.state_size": 32}, "glm4_moe": {"expert_shared_count": 2},
                 "dots1": {"expert_shared_count": 2}, "ernie4_5_moe": {"expert_shared_count": 2}, "hunyuan_v1_moe": {"expert_shared_count": 1},
                 "nemotron_h": {"ssm.inner_size": 128, "ssm.state_size": 32, "ssm.group_count": 1, "ssm.time_step_rank": 4, "expert_shared_feed_forward_length": 160,
                                "feed_forward_length": [0, 0, F, 0], "attention.head_count_kv": [0, KV, 0, 0]},
                 "lfm2": {"attention.head_count_kv": [0, KV, 0, KV]}, "granitemoe": {"feed_forward_length": EXPERT_FFN}, "olmoe": {"expert_feed_forward_length": F},
                 "gemma3n": {"embedding_length_per_layer_input": 32}}


def gguf_name(model, module):
    """Of a linear layer: its tensor, and the expert where it stacks them; none for what GGUF splits."""
    layer, inside = module.removeprefix(model.layers + ".").split(".", 1)
    if inside in SPLIT:
        return None, 0
    owner, _, last = inside.rpartition(".")
    if owner.rpartition(".")[2].isdigit():
        return f"blk.{layer}.{GGUF_EXPERT[last]}", int(owner.rpartition(".")[2])
    name = GGUF_SHARED[last] if "shared" in owner else GGUF[inside]
    return f"blk.{layer}.{name}", None


def gguf_of(model):
    """Metadata, tensors, and the linear layers by their names in transformers."""
    architecture = ARCHITECTURES[model.name]
    latent = "kv_lora_rank" in model.config
    metadata = {**METADATA, **(LATENT_METADATA if latent else {}), **MORE_METADATA.get(model.name, {})}
    routers = [module for module in model.optional if module != model.outside[2]]
    if routers:
        metadata["expert_count"] = EXPERTS
    tensors = {"token_embd.weight": ("F16", (V, H)), "output.weight": ("F16", (V, H)), "output_norm.weight": ("F32", (H,))}
    linear = {}
    for module, (n, k) in {**model.linear, **{router: model.optional[router] for router in routers}}.items():
        name, expert = gguf_name(model, module)
        if name:
            tensors[name + ".weight"] = ("F16", (n, k) if expert is None else (EXPERTS, n, k))
            if module in model.linear:
                linear[module] = (n, k)
    return {"general.architecture": architecture, **{f"{architecture}.{key}": value for key, value in metadata.items()}}, tensors, linear
