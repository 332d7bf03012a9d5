"""Writes a tiny, untrained Stable Diffusion XL folder."""

import json
from pathlib import Path

import torch

from tiny_model import INDEX, tiny_scheduler, tiny_text_encoder, tiny_tokenizer, tiny_vae

WIDTHS = (16, 24)
PROJECTION = 12


def write_tiny_sdxl(folder: Path, *, dtype: torch.dtype = torch.float16) -> Path:
    """The folder, written; the weights are random but always the same."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        parts = {
            "unet": sdxl_unet(),
            "vae": tiny_vae(),
            "text_encoder": tiny_text_encoder(WIDTHS[0], layers=3),
            "text_encoder_2": projected_text_encoder(),
        }
    for name, module in parts.items():
        module.to(dtype).save_pretrained(folder / name, safe_serialization=True)
    tiny_tokenizer().save_pretrained(folder / "tokenizer")
    # The second tokenizer of these models pads with another token.
    second = tiny_tokenizer()
    second.pad_token = "!"
    second.save_pretrained(folder / "tokenizer_2")
    tiny_scheduler("epsilon").save_pretrained(folder / "scheduler")
    index = {
        **INDEX,
        "_class_name": "StableDiffusionXLPipeline",
        "force_zeros_for_empty_prompt": True,
        "image_encoder": [None, None],
        "text_encoder_2": ["transformers", "CLIPTextModelWithProjection"],
        "tokenizer_2": ["transformers", "CLIPTokenizer"],
    }
    for name in ("safety_checker", "requires_safety_checker"):
        del index[name]
    (folder / "model_index.json").write_text(json.dumps(index))
    return folder


def sdxl_unet():
    from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel

    return UNet2DConditionModel(
        sample_size=16,
        in_channels=4,
        out_channels=4,
        block_out_channels=(8, 16, 16),
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
        transformer_layers_per_block=(1, 1, 2),
        layers_per_block=1,
        norm_num_groups=4,
        cross_attention_dim=sum(WIDTHS),
        attention_head_dim=(1, 2, 2),
        use_linear_projection=True,
        addition_embed_type="text_time",
        addition_time_embed_dim=8,
        projection_class_embeddings_input_dim=PROJECTION + 6 * 8,
    )


def projected_text_encoder():
    from transformers import CLIPTextConfig, CLIPTextModelWithProjection

    plain = tiny_text_encoder(WIDTHS[1], layers=3).config.to_dict()
    return CLIPTextModelWithProjection(CLIPTextConfig(**{**plain, "projection_dim": PROJECTION}))
