"""Writes MONAI bundles as people have them: configuration in the original words, weights in either style of keys."""

import json
import re
from pathlib import Path

LDM = Path(__file__).parent / "golden" / "ldm"


def golden_config() -> dict:
    return json.loads((LDM / "config.json").read_text())


def write_config(folder: Path, *, side: int = 16, library: str = "generative") -> Path:
    """configs/inference.json of the golden networks, as GenerativeModels or MONAI core would say it."""
    said = golden_config()
    scheduler = dict(said["scheduler"])
    scheduler["beta_schedule"] = scheduler.pop("schedule").removesuffix("_beta")
    networks = {name: dict(said[name]) for name in ("autoencoder", "unet")}
    if library == "monai":
        for arguments in networks.values():
            arguments["channels"] = arguments.pop("num_channels")
    config = {
        "autoencoder_def": {"_target_": f"{library}.networks.nets.AutoencoderKL", **networks["autoencoder"]},
        "diffusion_def": {"_target_": f"{library}.networks.nets.DiffusionModelUNet", **networks["unet"]},
        "scheduler": {"_target_": f"{library}.networks.schedulers.DDIMScheduler", **scheduler},
        "noise": f"$torch.randn((1, 3, {side}, {side})).to(@device)",
    }
    (folder / "configs").mkdir(parents=True)
    (folder / "models").mkdir()
    (folder / "configs" / "inference.json").write_text(json.dumps(config))
    return folder


def write_bundle(folder: Path, *, style: str = "old", side: int = 16) -> Path:
    """A bundle of the golden weights; "old" keys as .pth, or "new" ones (MONAI core's) as .pth or "safetensors"."""
    import torch
    from safetensors.torch import save_file

    write_config(folder, side=side, library="generative" if style == "old" else "monai")
    for name in ("autoencoder", "diffusion_model"):
        state = torch.load(LDM / f"{name}.pth", weights_only=True)
        if style != "old":
            state = {_core(key): value.contiguous() for key, value in state.items()}
        if style == "safetensors":
            save_file(state, folder / "models" / f"{name}.safetensors")
        else:
            torch.save(state, folder / "models" / f"{name}.pth")
    return folder


def _core(key: str) -> str:
    key = key.replace(".to_out.0.", ".out_proj.")
    return re.sub(r"^(decoder\.blocks\.\d+)\.conv\.conv\.", r"\1.postconv.conv.", key) if "decoder" in key else key
