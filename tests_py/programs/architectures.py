"""Small models of mlx-lm: configurations of one architecture each, as a config.json would have them."""

from __future__ import annotations

from typing import Any

VOCABULARY = 128

_BASE = {
    "hidden_size": 64, "num_hidden_layers": 2, "intermediate_size": 128, "num_attention_heads": 4,
    "num_key_value_heads": 2, "rms_norm_eps": 1e-5, "vocab_size": VOCABULARY, "max_position_embeddings": 512,
    "rope_theta": 10000.0, "tie_word_embeddings": False,
}  # fmt: skip
_EXPERTS = {
    "num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 64, "decoder_sparse_step": 1,
    "mlp_only_layers": [], "norm_topk_prob": True, "head_dim": 16,
}  # fmt: skip
_LINEAR = {
    "linear_num_value_heads": 4, "linear_num_key_heads": 2, "linear_key_head_dim": 32, "linear_value_head_dim": 16,
    "linear_conv_kernel_dim": 4, "partial_rotary_factor": 0.5, "full_attention_interval": 2,
    "shared_expert_intermediate_size": 64,
}  # fmt: skip
_LATENT = {
    "n_shared_experts": 1, "n_routed_experts": 8, "n_group": 2, "topk_group": 1, "num_experts_per_tok": 2,
    "first_k_dense_replace": 1, "moe_intermediate_size": 64, "kv_lora_rank": 32, "q_lora_rank": 32,
    "qk_rope_head_dim": 16, "v_head_dim": 32, "qk_nope_head_dim": 32, "routed_scaling_factor": 1.5,
}  # fmt: skip
_MAMBA2 = {
    "num_heads": 8, "head_dim": 16, "vocab_size": VOCABULARY, "hidden_size": 64, "intermediate_size": 128,
    "state_size": 32, "num_hidden_layers": 2, "layer_norm_epsilon": 1e-5, "conv_kernel": 4, "n_groups": 2,
    "use_bias": False, "use_conv_bias": True, "tie_word_embeddings": True, "time_step_limit": [0.0, 100.0],
    "time_step_rank": "auto",
}  # fmt: skip
_LLAMA3_ROPE = {
    "rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
    "original_max_position_embeddings": 64,
}  # fmt: skip
_YARN = {
    "rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 32, "beta_fast": 32.0, "beta_slow": 1.0,
}  # fmt: skip
_LONGROPE = {
    "type": "longrope", "original_max_position_embeddings": 32, "short_factor": [1.0] * 8,
    "long_factor": [1.0, 1.1, 1.3, 1.7, 2.0, 3.0, 4.0, 6.0],
}  # fmt: skip


def _of(model_type: str, *parts: dict[str, Any], **more: Any) -> dict[str, Any]:
    config: dict[str, Any] = {"model_type": model_type}
    for part in (*parts, more):
        config |= part
    return config


ARCHITECTURES: dict[str, dict[str, Any]] = {
    "llama": _of("llama", _BASE, rope_scaling=_LLAMA3_ROPE),
    "mistral": _of("mistral", _BASE, head_dim=32, rope_traditional=True),
    "qwen2": _of("qwen2", _BASE, tie_word_embeddings=True),
    "qwen3": _of("qwen3", _BASE, head_dim=32),
    "qwen3_moe": _of("qwen3_moe", _BASE, _EXPERTS),
    "gemma2": _of("gemma2", _BASE, head_dim=32),
    "gemma3": _of("gemma3_text", _BASE, head_dim=32, sliding_window=16, sliding_window_pattern=2, num_hidden_layers=4),
    "phi3": _of("phi3", _BASE, partial_rotary_factor=0.5),
    "mixtral": _of("mixtral", _BASE, num_local_experts=4),
    "deepseek_v3": _of("deepseek_v3", _BASE, _LATENT, rope_scaling=_YARN | {"type": "yarn", "mscale_all_dim": 1.0}),
    "mamba": _of("mamba", _MAMBA2, time_step_rank=8),
    "mamba2": _of("mamba2", _MAMBA2),
    "gpt2": _of(
        "gpt2", n_ctx=256, n_embd=64, n_head=4, n_layer=2, n_positions=256, layer_norm_epsilon=1e-5,
        vocab_size=VOCABULARY,
    ),
    "gpt_oss": _of(
        "gpt_oss", _BASE, head_dim=16, num_local_experts=4, num_experts_per_tok=2, sliding_window=16,
        intermediate_size=64, rope_scaling=_YARN,
    ),
    "qwen3_next": _of("qwen3_next", _BASE, _EXPERTS, _LINEAR),
    "qwen3_5": _of("qwen3_5", text_config=_of("qwen3_5_text", _BASE, _LINEAR, head_dim=16)),
    "olmo2": _of("olmo2", _BASE),
    "starcoder2": _of("starcoder2", _BASE, norm_epsilon=1e-5, tie_word_embeddings=True),
    "phi": _of("phi", _BASE, partial_rotary_factor=0.5, layer_norm_eps=1e-5),
    "stablelm": _of(
        "stablelm", _BASE, use_qkv_bias=True, partial_rotary_factor=0.25, layer_norm_eps=1e-5, qk_layernorm=True,
    ),
    "granite": _of(
        "granite", _BASE, logits_scaling=2.0, attention_multiplier=0.2, embedding_multiplier=3.0, attention_bias=True,
        residual_multiplier=0.7, mlp_bias=True,
    ),
    "exaone4": _of(
        "exaone4", _BASE, head_dim=16, sliding_window=16, sliding_window_pattern="LG", rope_scaling=_LLAMA3_ROPE,
    ),
    "glm4": _of("glm4", _BASE, head_dim=16, attention_bias=True, partial_rotary_factor=0.5),
    "minicpm3": _of(
        "minicpm3", _BASE, _LATENT, dim_model_base=32, scale_depth=1.4, scale_emb=2.0, rope_scaling=_LONGROPE,
    ),
    "lfm2": _of(
        "lfm2", _BASE, norm_eps=1e-5, conv_bias=False, conv_L_cache=3, block_dim=64, block_multiple_of=16,
        block_ff_dim=128, block_ffn_dim_multiplier=1.0, block_auto_adjust_ff_dim=False, full_attn_idxs=[1],
    ),
    "jamba": _of(
        "jamba", _BASE, attn_layer_offset=1, attn_layer_period=2, expert_layer_offset=1, expert_layer_period=2,
        mamba_d_conv=4, mamba_d_state=16, mamba_expand=2, num_experts=4, num_experts_per_tok=2,
    ),
    "falcon_h1": _of(
        "falcon_h1", _BASE, head_dim=16, mamba_d_head=16, mamba_d_ssm=128, mamba_d_state=16, mamba_n_heads=8,
    ),
    "recurrent_gemma": _of(
        "recurrent_gemma", _BASE, attention_bias=False, conv1d_width=4, logits_soft_cap=30.0, attention_window_size=16,
        block_types=["recurrent", "attention"],
    ),
    "kimi_linear": _of(
        "kimi_linear", _BASE, _LATENT, head_dim=16, model_max_length=512, num_experts=2, num_experts_per_token=2,
        linear_attn_config={
            "kda_layers": [1], "full_attn_layers": [2], "num_heads": 4, "head_dim": 16, "short_conv_kernel_size": 4,
        },
    ),
    "cohere2": _of("cohere2", _BASE, head_dim=16, sliding_window=16, num_hidden_layers=4, layer_norm_eps=1e-5),
    "rwkv7": _of(
        "rwkv7", vocab_size=VOCABULARY, hidden_size=64, intermediate_size=128, norm_eps=1e-5, head_dim=32,
        num_hidden_layers=2, a_low_rank_dim=16, v_low_rank_dim=16, gate_low_rank_dim=16, decay_low_rank_dim=16,
    ),
}  # fmt: skip
