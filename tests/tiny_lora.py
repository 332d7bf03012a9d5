"""Writes LoRA adapters for the tiny Stable Diffusion, as training scripts do."""

from pathlib import Path

import torch

from tiny_model import tiny_text_encoder, tiny_unet

TARGETS = ["to_q", "to_k", "to_v", "to_out.0"]
PROJECTIONS = ["q_proj", "k_proj", "v_proj", "out_proj"]


def write_lora(folder: Path, *, text: bool = True, alpha: int = 4) -> Path:
    """pytorch_lora_weights.safetensors as diffusers' scripts save it, for the UNet and, if wanted, the text."""
    from diffusers import StableDiffusionPipeline
    from diffusers.utils import convert_state_dict_to_diffusers
    from peft import LoraConfig
    from peft.utils import get_peft_model_state_dict

    states, told = {}, {}
    networks = {"unet": (tiny_unet(), TARGETS), "text_encoder": (tiny_text_encoder(), PROJECTIONS)}
    for part, (network, targets) in networks.items():
        network.add_adapter(LoraConfig(r=2, lora_alpha=alpha, target_modules=targets))
        states[part] = convert_state_dict_to_diffusers(filled(get_peft_model_state_dict(network)))
        told[part] = network.peft_config["default"].to_dict()
    folder.mkdir(parents=True)
    StableDiffusionPipeline.save_lora_weights(
        folder,
        unet_lora_layers=states["unet"],
        text_encoder_lora_layers=states["text_encoder"] if text else None,
        unet_lora_adapter_metadata=told["unet"],
        text_encoder_lora_adapter_metadata=told["text_encoder"] if text else None,
    )
    return folder


def filled(state):
    """Random where training starts with zeros."""
    generator = torch.Generator().manual_seed(3)
    return {key: torch.randn(value.shape, generator=generator) / 4 for key, value in state.items()}


def kohya_style(file: Path, target: Path) -> Path:
    """The same adapter with the keys of another widespread training script: flat names, and an alpha beside each."""
    from safetensors.torch import load_file, save_file

    renamed = {}
    for key, value in load_file(file).items():
        part, _, rest = key.partition(".")
        layer, _, which = rest.replace(".lora_linear_layer.", ".lora.").partition(".lora.")
        within = "unet" if part == "unet" else "te" if layer.startswith("text_model") else "te_text_model"
        flat = f"lora_{within}_" + layer.replace(".", "_")
        renamed[f"{flat}.lora_{which}"] = value
        renamed[f"{flat}.alpha"] = torch.tensor(4.0)
    save_file(renamed, target)
    return target
