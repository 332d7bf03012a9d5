"""Writes a tiny, untrained latent diffusion model in the layout of a Stable Diffusion folder."""

import json
from pathlib import Path

import torch

CAPACITY = 32
INDEX = {
    "_class_name": "StableDiffusionPipeline",
    "feature_extractor": [None, None],
    "safety_checker": [None, None],
    "requires_safety_checker": False,
    "scheduler": ["diffusers", "DDIMScheduler"],
    "text_encoder": ["transformers", "CLIPTextModel"],
    "tokenizer": ["transformers", "CLIPTokenizer"],
    "unet": ["diffusers", "UNet2DConditionModel"],
    "vae": ["diffusers", "AutoencoderKL"],
}


def write_tiny_model(
    folder: Path, *, prediction: str = "v_prediction", dtype: torch.dtype = torch.float16, width: int = 16
) -> Path:
    """The folder, written; the weights are random but always the same, stored in `dtype`."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        parts = {"unet": tiny_unet(), "vae": tiny_vae(), "text_encoder": tiny_text_encoder(width)}
    for name, module in parts.items():
        module.to(dtype).save_pretrained(folder / name, safe_serialization=True)
    tiny_tokenizer().save_pretrained(folder / "tokenizer")
    tiny_scheduler(prediction).save_pretrained(folder / "scheduler")
    (folder / "model_index.json").write_text(json.dumps(INDEX))
    return folder


def write_tiny_sd2(folder: Path) -> Path:
    """The same with the marks of Stable Diffusion 2, its weights under half-precision names."""
    write_tiny_model(folder, prediction="epsilon")
    for part in ("unet", "vae", "text_encoder"):
        for file in (folder / part).glob("*.safetensors"):
            file.unlink()
    with torch.random.fork_rng():
        torch.manual_seed(0)
        unet = tiny_unet(use_linear_projection=True, attention_head_dim=(1, 2, 2), upcast_attention=True)
        parts = {"unet": unet, "vae": tiny_vae(), "text_encoder": tiny_text_encoder()}
    for name, module in parts.items():
        module.half().save_pretrained(folder / name, variant="fp16")
    return folder


def tiny_unet(**marks):
    from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel

    return UNet2DConditionModel(
        sample_size=16,
        in_channels=4,
        out_channels=4,
        block_out_channels=(8, 16, 16),
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
        layers_per_block=1,
        norm_num_groups=4,
        cross_attention_dim=16,
        **{"attention_head_dim": 2, **marks},
    )


def tiny_vae():
    from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL

    return AutoencoderKL(
        in_channels=1,
        out_channels=1,
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        block_out_channels=(8, 8, 8, 8),
        latent_channels=4,
        norm_num_groups=4,
        scaling_factor=0.3,
    )


def tiny_text_encoder(width: int = 16, layers: int = 1, heads: int = 2):
    from transformers import CLIPTextConfig, CLIPTextModel

    return CLIPTextModel(
        CLIPTextConfig(
            vocab_size=len(_vocabulary()),
            hidden_size=width,
            intermediate_size=32,
            num_hidden_layers=layers,
            num_attention_heads=heads,
            max_position_embeddings=CAPACITY,
            bos_token_id=_vocabulary()["<|startoftext|>"],
            eos_token_id=_vocabulary()["<|endoftext|>"],
        )
    )


def tiny_tokenizer():
    from transformers import CLIPTokenizer

    return CLIPTokenizer(vocab=_vocabulary(), merges=_merges(), model_max_length=CAPACITY)


def tiny_scheduler(prediction: str):
    from diffusers.schedulers.scheduling_ddim import DDIMScheduler

    return DDIMScheduler(
        beta_start=0.0015,
        beta_end=0.0205,
        beta_schedule="scaled_linear",
        prediction_type=prediction,
        clip_sample=False,
    )


WORDS = ("left", "right", "small", "lung", "pleural", "effusion", "opacity")


def _merges() -> list[tuple[str, str]]:
    """Merges that build each word letter by letter from its beginning."""
    merges = []
    for word in WORDS:
        letters = [*word[:-1], word[-1] + "</w>"]
        merges += [("".join(letters[:end]), letters[end]) for end in range(1, len(letters))]
    return list(dict.fromkeys(merges))


def _vocabulary() -> dict[str, int]:
    from tokenizers.pre_tokenizers import ByteLevel

    alphabet = sorted(ByteLevel.alphabet())
    symbols = [*alphabet, *(letter + "</w>" for letter in alphabet), *("".join(pair) for pair in _merges())]
    symbols += ["<|startoftext|>", "<|endoftext|>"]
    return {symbol: index for index, symbol in enumerate(dict.fromkeys(symbols))}
