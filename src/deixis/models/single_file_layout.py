"""Architectures of Stable Diffusion read off the shapes of a single file's tensors.

Such a file, as Stable Diffusion's own training code writes it, holds all networks and no configuration. What shapes do
not tell (heads, activations, the latent's scale) follows from the generation: 1, 2 or XL.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from torch import Tensor

State = Mapping[str, Tensor]
Generation = Literal["1", "2", "xl"]

UNET, VAE = "model.diffusion_model.", "first_stage_model."
# Where each generation keeps its text encoders: CLIP as transformers names it, or OpenCLIP.
CLIP, OPEN_CLIP = "cond_stage_model.transformer.text_model.", "cond_stage_model.model."
XL_CLIP, XL_OPEN_CLIP = "conditioner.embedders.0.transformer.text_model.", "conditioner.embedders.1.model."
# Attention: 8 heads in the first generation (Rombach et al., CVPR 2022), heads of 64 in the later ones and in CLIP.
HEADS, HEAD_WIDTH = 8, 64
# Factor between the autoencoder's posterior mean and the latent, per generation.
SCALES: Mapping[Generation, float] = {"1": 0.18215, "2": 0.18215, "xl": 0.13025}
# Sinusoids per size that XL is told (its adm_in_channels are the pooled text's width and six of these).
TIME_WIDTH = 256


def generation(keys: State | set[str]) -> Generation | None:
    """Which Stable Diffusion a file holds, by its keys; None where it is none, or lacks a part."""
    if not {f"{UNET}input_blocks.0.0.weight", f"{VAE}encoder.conv_in.weight"} <= set(keys):
        return None
    marks: dict[Generation, str] = {"1": CLIP, "2": OPEN_CLIP, "xl": XL_OPEN_CLIP}
    return next((name for name, prefix in marks.items() if any(key.startswith(prefix) for key in keys)), None)


def unet_config(state: State, which: Generation, side: int) -> dict[str, Any]:
    """Arguments of UNet2DConditionModel; `side` is that of the latent."""
    first = state[f"{UNET}input_blocks.0.0.weight"]
    levels = _levels(state)
    channels = [level[0] for level in levels]
    attends = [level[2] > 0 for level in levels]
    projection = next(value for key, value in state.items() if key.startswith(UNET) and key.endswith("proj_in.weight"))
    config: dict[str, Any] = {
        "sample_size": side,
        "in_channels": first.shape[1],
        "out_channels": state[f"{UNET}out.2.weight"].shape[0],
        "block_out_channels": channels,
        "layers_per_block": levels[0][1],
        "down_block_types": ["CrossAttnDownBlock2D" if one else "DownBlock2D" for one in attends],
        "up_block_types": ["CrossAttnUpBlock2D" if one else "UpBlock2D" for one in reversed(attends)],
        "transformer_layers_per_block": [max(1, level[2]) for level in levels[:-1]] + [_middle_depth(state)],
        "cross_attention_dim": text_width(state),
        "attention_head_dim": HEADS if which == "1" else [width // HEAD_WIDTH for width in channels],
        "use_linear_projection": projection.ndim == 2,
    }
    if which == "xl":
        told = state[f"{UNET}label_emb.0.0.weight"].shape[1]
        config |= {
            "addition_embed_type": "text_time",
            "addition_time_embed_dim": TIME_WIDTH,
            "projection_class_embeddings_input_dim": told,
        }
    return config


def vae_config(state: State, which: Generation) -> dict[str, Any]:
    """Arguments of AutoencoderKL."""
    levels = _count(state, f"{VAE}encoder.down.")
    return {
        "in_channels": state[f"{VAE}encoder.conv_in.weight"].shape[1],
        "out_channels": state[f"{VAE}decoder.conv_out.weight"].shape[0],
        "block_out_channels": [state[f"{VAE}encoder.down.{i}.block.0.conv1.weight"].shape[0] for i in range(levels)],
        "layers_per_block": _count(state, f"{VAE}encoder.down.0.block."),
        "down_block_types": ["DownEncoderBlock2D"] * levels,
        "up_block_types": ["UpDecoderBlock2D"] * levels,
        "latent_channels": state[f"{VAE}decoder.conv_in.weight"].shape[1],
        "scaling_factor": SCALES[which],
    }


def clip_config(state: State, prefix: str) -> dict[str, Any]:
    """Arguments of CLIPTextConfig for an encoder that transformers wrote."""
    vocabulary, width = state[f"{prefix}embeddings.token_embedding.weight"].shape
    return {
        "vocab_size": vocabulary,
        "hidden_size": width,
        "projection_dim": width,
        "intermediate_size": state[f"{prefix}encoder.layers.0.mlp.fc1.weight"].shape[0],
        "num_hidden_layers": _count(state, f"{prefix}encoder.layers."),
        "num_attention_heads": max(1, width // HEAD_WIDTH),
        "max_position_embeddings": state[f"{prefix}embeddings.position_embedding.weight"].shape[0],
        "hidden_act": "quick_gelu",
        "bos_token_id": vocabulary - 2,
        "eos_token_id": vocabulary - 1,
    }


def open_clip_config(state: State, prefix: str, *, layers: int) -> dict[str, Any]:
    """Arguments of CLIPTextConfig for an encoder that OpenCLIP wrote, of which the first `layers` are read."""
    vocabulary, width = state[f"{prefix}token_embedding.weight"].shape
    return {
        "vocab_size": vocabulary,
        "hidden_size": width,
        "projection_dim": state[f"{prefix}text_projection"].shape[1] if f"{prefix}text_projection" in state else width,
        "intermediate_size": state[f"{prefix}transformer.resblocks.0.mlp.c_fc.weight"].shape[0],
        "num_hidden_layers": layers,
        "num_attention_heads": max(1, width // HEAD_WIDTH),
        "max_position_embeddings": state[f"{prefix}positional_embedding"].shape[0],
        "hidden_act": "gelu",
        "bos_token_id": vocabulary - 2,
        "eos_token_id": vocabulary - 1,
    }


def open_clip_layers(state: State, prefix: str) -> int:
    """How many layers an OpenCLIP encoder has."""
    return _count(state, f"{prefix}transformer.resblocks.")


def text_width(state: State) -> int:
    """Width of the states that the UNet takes."""
    width: int = next(value for key, value in state.items() if key.endswith("attn2.to_k.weight")).shape[1]
    return width


def _levels(state: State) -> list[tuple[int, int, int]]:
    """Per resolution, from fine to coarse: channels, residual blocks, and transformer layers in each of them."""
    levels: list[list[tuple[int, int]]] = [[]]
    for index in range(1, _count(state, f"{UNET}input_blocks.")):
        block = f"{UNET}input_blocks.{index}"
        if f"{block}.0.op.weight" in state:
            levels.append([])
        else:
            channels = state[f"{block}.0.in_layers.2.weight"].shape[0]
            levels[-1].append((channels, _count(state, f"{block}.1.transformer_blocks.")))
    return [(level[0][0], len(level), level[0][1]) for level in levels]


def _middle_depth(state: State) -> int:
    return max(1, _count(state, f"{UNET}middle_block.1.transformer_blocks."))


def _count(state: State, prefix: str) -> int:
    """How many numbered parts stand under a prefix."""
    return len({key[len(prefix) :].partition(".")[0] for key in state if key.startswith(prefix)})
