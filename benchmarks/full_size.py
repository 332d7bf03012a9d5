"""What a grounding with a full-size model costs on this machine: peak memory and seconds, whole process.

Writes random weights in the exact architecture and layout of the published models (MONAI's chest X-ray model: a UNet of
263.6 M parameters and an autoencoder of 4.6 M; Stable Diffusion 1.5: a UNet of 860 M), and grounds one phrase with the
recipe `fast`. The maps mean nothing; the way through, its memory and its time are those of trained weights.

    python benchmarks/full_size.py [monai] [sd15] --json benchmarks/results/full_size.json
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch

IMAGE = Path(__file__).parents[1] / "examples" / "effusion.png"
VOCABULARY = 49408


def write_clip(folder: Path, width: int, layers: int, heads: int, activation: str) -> None:
    """CLIP's text encoder at its full size, with a tokenizer of letters: real vocabularies are not ours to ship."""
    from tokenizers.pre_tokenizers import ByteLevel
    from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

    config = CLIPTextConfig(
        vocab_size=VOCABULARY, hidden_size=width, intermediate_size=4 * width, num_hidden_layers=layers,
        num_attention_heads=heads, max_position_embeddings=77, hidden_act=activation, projection_dim=width,
    )  # fmt: skip
    CLIPTextModel(config).half().save_pretrained(folder / "text_encoder")
    letters = sorted(ByteLevel.alphabet())
    symbols = [*letters, *(letter + "</w>" for letter in letters), "<|startoftext|>", "<|endoftext|>"]
    vocabulary = {symbol: index for index, symbol in enumerate(symbols)}
    CLIPTokenizer(vocab=vocabulary, merges=[], model_max_length=77).save_pretrained(folder / "tokenizer")


def write_sd15(folder: Path) -> tuple[Path, list[str], dict[str, int]]:
    """Stable Diffusion 1.5: the defaults of diffusers' UNet are its architecture, but for the width of the text."""
    from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
    from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
    from diffusers.schedulers.scheduling_ddim import DDIMScheduler

    unet = UNet2DConditionModel(sample_size=64, cross_attention_dim=768, attention_head_dim=8)
    vae = AutoencoderKL(
        block_out_channels=(128, 256, 512, 512), layers_per_block=2, latent_channels=4,
        down_block_types=("DownEncoderBlock2D",) * 4, up_block_types=("UpDecoderBlock2D",) * 4,
    )  # fmt: skip
    counts = {"unet": parameters(unet), "vae": parameters(vae)}
    unet.half().save_pretrained(folder / "unet")
    vae.half().save_pretrained(folder / "vae")
    write_clip(folder, 768, 12, 12, "quick_gelu")
    DDIMScheduler(beta_schedule="scaled_linear", beta_start=0.00085, beta_end=0.012).save_pretrained(
        folder / "scheduler"
    )
    classes = {
        "unet": ["diffusers", "UNet2DConditionModel"],
        "vae": ["diffusers", "AutoencoderKL"],
        "text_encoder": ["transformers", "CLIPTextModel"],
        "tokenizer": ["transformers", "CLIPTokenizer"],
        "scheduler": ["diffusers", "DDIMScheduler"],
    }
    (folder / "model_index.json").write_text(json.dumps({"_class_name": "StableDiffusionPipeline", **classes}))
    return folder, [], counts


def write_monai(folder: Path) -> tuple[Path, list[str], dict[str, int]]:
    """MONAI's bundle (arguments of its configuration), and Stable Diffusion 2.1's text encoder beside it."""
    from monai.networks.nets.autoencoderkl import AutoencoderKL
    from monai.networks.nets.diffusion_model_unet import DiffusionModelUNet

    vae = {
        "spatial_dims": 2, "in_channels": 1, "out_channels": 1, "channels": [64, 128, 128, 128], "latent_channels": 3,
        "num_res_blocks": 2, "norm_num_groups": 32, "attention_levels": [False] * 4,
        "with_encoder_nonlocal_attn": False, "with_decoder_nonlocal_attn": False,
    }  # fmt: skip
    unet = {
        "spatial_dims": 2, "in_channels": 3, "out_channels": 3, "num_res_blocks": 2, "channels": [256, 512, 768],
        "attention_levels": [False, True, True], "num_head_channels": [0, 512, 768], "with_conditioning": True,
        "cross_attention_dim": 1024,
    }  # fmt: skip
    networks = {"autoencoder": AutoencoderKL(**vae), "diffusion_model": DiffusionModelUNet(**unet)}
    for part in ("models", "configs"):
        (folder / part).mkdir(parents=True)
    for name, network in networks.items():
        torch.save(network.state_dict(), folder / "models" / f"{name}.pth")
    config = {
        "autoencoder_def": {"_target_": "monai.networks.nets.AutoencoderKL", **vae},
        "diffusion_def": {"_target_": "monai.networks.nets.DiffusionModelUNet", **unet},
        "scheduler": {
            "_target_": "monai.networks.schedulers.DDIMScheduler", "beta_start": 0.0015, "beta_end": 0.0205,
            "num_train_timesteps": 1000, "schedule": "scaled_linear_beta", "prediction_type": "v_prediction",
        },
        "noise": "$torch.randn((1, 3, 64, 64))",
    }  # fmt: skip
    (folder / "configs" / "inference.json").write_text(json.dumps(config))
    words = folder.parent / f"{folder.name}-words"
    write_clip(words, 1024, 23, 16, "gelu")
    return folder, ["--text-encoder", str(words)], {name: parameters(network) for name, network in networks.items()}


def parameters(network: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def ground(folder: Path, options: list[str], out: Path) -> dict[str, float]:
    """One grounding in a process of its own: its peak memory, its seconds in all, and those of the grounding."""
    told = ["ground", str(IMAGE), "-p", "left pleural effusion", "-m", str(folder), "-r", "fast", "-o", str(out)]
    started = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-m", "deixis", *told, *options], stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - started
    if status:
        raise SystemExit(f"the grounding failed: {status}")
    document = json.loads(next(out.rglob("groundings.json")).read_text())
    return {
        "peak_gib": round(used.ru_maxrss / 2**20, 2),
        "process_s": round(seconds, 1),
        "grounding_s": round(document["images"][0]["groundings"][0]["provenance"]["seconds"], 1),
        "unet_evaluations": document["images"][0]["groundings"][0]["provenance"]["unet_evaluations"],
    }


MODELS = {"monai": write_monai, "sd15": write_sd15}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*", metavar="MODEL", help=", ".join(MODELS))
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    results = {}
    for name in asked.models or MODELS:
        with tempfile.TemporaryDirectory() as scratch:
            # Written in a process of its own, whose memory is not the grounding's.
            folder, options, counts = MODELS[name](Path(scratch) / name)
            results[name] = {"parameters": counts, **ground(folder, options, Path(scratch) / "out")}
        print(name, results[name], flush=True)
    machine = {
        "machine": platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "torch": torch.__version__,
    }
    if asked.json is not None:
        asked.json.write_text(json.dumps({"machine": machine, "models": results}, indent=2) + "\n")


if __name__ == "__main__":
    main()
