"""Writes LoRA adapters for the tiny Stable Diffusion, as training scripts do."""

from pathlib import Path

import torch

from tiny_model import tiny_text_encoder, tiny_unet, tiny_vae

TARGETS = ["to_q", "to_k", "to_v", "to_out.0"]
PROJECTIONS = ["q_proj", "k_proj", "v_proj", "out_proj"]


def write_lora(folder: Path, *, text: bool = True, alpha: int = 4) -> dict:
    """pytorch_lora_weights.safetensors as diffusers' scripts save it; gives the networks with the adapter at work."""
    from diffusers import StableDiffusionPipeline
    from diffusers.utils import convert_state_dict_to_diffusers
    from peft import LoraConfig, get_peft_model_state_dict, inject_adapter_in_model

    with torch.random.fork_rng():
        torch.manual_seed(0)
        # The weights of the tiny Stable Diffusion; its autoencoder is drawn between the two.
        unet, _, encoder = tiny_unet(), tiny_vae(), tiny_text_encoder()
    networks, states, told = {"unet": unet.half().float(), "text_encoder": encoder.half().float()}, {}, {}
    for part, targets in (("unet", TARGETS), ("text_encoder", PROJECTIONS)):
        config = LoraConfig(r=2, lora_alpha=alpha, target_modules=targets)
        network = inject_adapter_in_model(config, networks[part]).eval()
        fill(network)
        states[part] = convert_state_dict_to_diffusers(get_peft_model_state_dict(network))
        told[part] = config.to_dict()
    folder.mkdir(parents=True)
    StableDiffusionPipeline.save_lora_weights(
        folder,
        unet_lora_layers=states["unet"],
        text_encoder_lora_layers=states["text_encoder"] if text else None,
        unet_lora_adapter_metadata=told["unet"],
        text_encoder_lora_adapter_metadata=told["text_encoder"] if text else None,
    )
    return networks


def fill(network):
    """Random where training starts with zeros."""
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for name, value in network.named_parameters():
            if "lora_" in name:
                value.copy_(torch.randn(value.shape, generator=generator) / 4)


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
