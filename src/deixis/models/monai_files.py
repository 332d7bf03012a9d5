"""The files of a MONAI latent diffusion bundle: its configuration, and its weights in either style of keys.

A bundle keeps ``configs/inference.json`` and ``models/autoencoder`` and ``models/diffusion_model`` as ``.pth`` or
``.safetensors``. GenerativeModels, where the published chest X-ray model was trained, and MONAI core, which took the
networks over, name some arguments and layers differently; both are read into MONAI core's networks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from deixis.errors import ModelError
from deixis.models.diffusers_files import read_json
from deixis.models.networks import unfilled
from deixis.models.state_dicts import load_strictly, read_state
from deixis.types import PredictionKind, Schedule

if TYPE_CHECKING:
    import torch
    from monai.networks.nets.autoencoderkl import AutoencoderKL
    from monai.networks.nets.diffusion_model_unet import DiffusionModelUNet

CONFIG = "configs/inference.json"
WEIGHTS = {"AutoencoderKL": "autoencoder", "DiffusionModelUNet": "diffusion_model"}
SCHEDULERS = ("DDIMScheduler", "DDPMScheduler")
SUFFIXES = (".safetensors", ".pth", ".pt")
# Arguments that MONAI core calls otherwise.
ARGUMENTS = {"num_channels": "channels"}
# The published model's factor stands in its sampler's script, not in its configuration.
LATENT_SCALE = 0.3
# Side of its latent, for a configuration that draws no noise; the networks themselves take any.
LATENT_SIDES = (64, 64)
NOISE = re.compile(r"randn\(\(\d+, \d+, (\d+), (\d+)\)\)")
# Old names of layers, as patterns, and what MONAI core calls them.
RENAMED = (
    (re.compile(r"\.to_out\.0\."), ".out_proj."),
    (re.compile(r"\.conv\.conv\."), ".postconv.conv."),
    (re.compile(r"^((?:en|de)coder\.blocks\.\d+)\.(to_[qkv])\."), r"\1.attn.\2."),
    (re.compile(r"\.proj_attn\."), ".attn.out_proj."),
)


@dataclass(frozen=True)
class Bundle:
    """What a bundle's configuration says.

    Args:
        folder: where it lies.
        networks: arguments of each network by the name of its class, in MONAI core's words.
        scheduler: arguments of the scheduler.
        scale: factor between the posterior mean and the latent.
        sides: height and width of the latent.
    """

    folder: Path
    networks: Mapping[str, Mapping[str, Any]]
    scheduler: Mapping[str, Any]
    scale: float
    sides: tuple[int, int]

    @property
    def text_width(self) -> int:
        """Of the states that the denoiser takes."""
        return int(self.networks["DiffusionModelUNet"]["cross_attention_dim"])

    def file(self, network: str) -> Path:
        """The weights of a network; missing ones raise `ModelError` that lists where they are sought."""
        stem = self.folder / "models" / WEIGHTS[network]
        found = next((stem.with_suffix(suffix) for suffix in SUFFIXES if stem.with_suffix(suffix).is_file()), None)
        if found is None:
            raise ModelError(f"The bundle {self.folder} is incomplete: no models/{stem.name} ({', '.join(SUFFIXES)}).")
        return found


def is_bundle(folder: Path) -> bool:
    """Whether `folder` has a configuration that names an autoencoder and a denoiser."""
    return (folder / CONFIG).is_file() and set(WEIGHTS) <= set(_defined(read_json(folder / CONFIG)))


def read_bundle(folder: Path) -> Bundle:
    """The bundle in `folder`, which `is_bundle`."""
    config = read_json(folder / CONFIG)
    defined = _defined(config)
    networks = {name: _arguments(defined[name]) for name in WEIGHTS}
    scheduler = next((_arguments(defined[name]) for name in SCHEDULERS if name in defined), {})
    scale = config.get("scale_factor")
    return Bundle(
        folder,
        networks,
        scheduler,
        float(scale) if isinstance(scale, int | float) else LATENT_SCALE,
        _sides(str(config.get("noise", ""))),
    )


def _sides(noise: str) -> tuple[int, int]:
    """Height and width of the latent in the expression that draws the first noise, "$torch.randn((1, 3, 64, 64))…"."""
    found = NOISE.search(noise)
    return LATENT_SIDES if found is None else (int(found[1]), int(found[2]))


def _defined(config: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """The configuration's definitions by the last name of their class."""
    return {str(part["_target_"]).rpartition(".")[2]: part for part in _definitions(config)}


def _definitions(value: Any) -> Iterator[Mapping[str, Any]]:
    """All objects below `value` that say which class they are of."""
    if isinstance(value, dict):
        if "_target_" in value:
            yield value
        for part in value.values():
            yield from _definitions(part)


def _arguments(definition: Mapping[str, Any]) -> dict[str, Any]:
    return {ARGUMENTS.get(name, name): value for name, value in definition.items() if not name.startswith("_")}


def load_autoencoder(bundle: Bundle, dtype: torch.dtype) -> AutoencoderKL:
    """The autoencoder with its weights."""
    from monai.networks.nets.autoencoderkl import AutoencoderKL

    return cast("AutoencoderKL", _loaded(bundle, "AutoencoderKL", AutoencoderKL, dtype))


def load_denoiser(bundle: Bundle, dtype: torch.dtype) -> DiffusionModelUNet:
    """The UNet with its weights."""
    from monai.networks.nets.diffusion_model_unet import DiffusionModelUNet

    return cast("DiffusionModelUNet", _loaded(bundle, "DiffusionModelUNet", DiffusionModelUNet, dtype))


def _loaded(bundle: Bundle, name: str, network: Any, dtype: torch.dtype) -> torch.nn.Module:
    arguments = dict(bundle.networks[name])
    # Without the output projection of self-attention (include_fc=False) its trained weights would have no place to go.
    arguments.setdefault("include_fc", True)
    try:
        with unfilled():
            built: torch.nn.Module = network(**arguments)
    except (TypeError, ValueError) as error:
        raise ModelError(f"{bundle.folder / CONFIG} describes no {name} that MONAI can build: {error}") from error
    file = bundle.file(name)
    load_strictly(built, read_state(file), file, lambda key: _core_key(key, built))
    return built.to(dtype)


def _core_key(key: str, network: torch.nn.Module) -> str:
    """What MONAI core calls a layer; a key that it knows stays as it is."""
    known = network.state_dict()
    if key in known:
        return key
    for pattern, name in RENAMED:
        renamed = pattern.sub(name, key)
        if renamed in known:
            return renamed
    return key


def schedule_of(bundle: Bundle) -> Schedule:
    """ᾱ from the scheduler's arguments.

    Raises:
        ModelError: the kind of schedule is not one that deixis knows.
    """
    said = bundle.scheduler
    kind = str(said.get("schedule", said.get("beta_schedule", "linear_beta"))).removesuffix("_beta")
    steps, start, end = (
        int(said.get("num_train_timesteps", 1000)),
        said.get("beta_start", 1e-4),
        said.get("beta_end", 2e-2),
    )
    if kind == "scaled_linear":
        betas = np.linspace(start**0.5, end**0.5, steps, dtype=np.float64) ** 2
    elif kind == "linear":
        betas = np.linspace(start, end, steps, dtype=np.float64)
    else:
        raise ModelError(f"{bundle.folder / CONFIG} names the noise schedule {kind!r}; known: scaled_linear, linear.")
    return Schedule(np.cumprod(1 - betas))


def prediction_of(bundle: Bundle) -> PredictionKind:
    """What the denoiser was trained to answer; "epsilon" where the scheduler does not say, as in MONAI."""
    kind = bundle.scheduler.get("prediction_type", "epsilon")
    if kind not in {"epsilon", "v_prediction", "sample"}:
        raise ModelError(f"{bundle.folder / CONFIG} names the prediction type {kind!r}, which deixis does not read.")
    return cast("PredictionKind", kind)
