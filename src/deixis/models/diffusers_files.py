"""The files of a Stable Diffusion folder: are they there, what do they say, and loading them without a network.

diffusers and transformers are imported inside functions: each costs seconds, and asking whether a folder is of this
family needs neither.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast, get_args

import numpy as np
from safetensors import SafetensorError

from deixis.errors import ModelError
from deixis.models.family import Placing
from deixis.types import PredictionKind, Schedule

if TYPE_CHECKING:
    import torch
    from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
    from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
    from transformers import CLIPTextModel, CLIPTokenizer

INDEX = "model_index.json"
SCHEDULER = "scheduler/scheduler_config.json"
CLASSES: Mapping[str, str] = {
    "unet": "UNet2DConditionModel",
    "vae": "AutoencoderKL",
    "text_encoder": "CLIPTextModel",
    "tokenizer": "CLIPTokenizer",
}
# Stems of the weight files, as save_pretrained of either library writes them.
WEIGHTS: Mapping[str, str] = {
    "unet": "diffusion_pytorch_model",
    "vae": "diffusion_pytorch_model",
    "text_encoder": "model",
}
TOKENIZER_LAYOUTS = (("tokenizer.json",), ("vocab.json", "merges.txt"))
HALF = "fp16"


@dataclass(frozen=True)
class Modules:
    """The loaded modules of one folder, on one device."""

    unet: UNet2DConditionModel
    vae: AutoencoderKL
    text_encoder: CLIPTextModel
    tokenizer: CLIPTokenizer


def names_family(folder: Path) -> bool:
    """Whether model_index.json names the four classes of the family (a "Fast" tokenizer is the same one)."""
    if not (folder / INDEX).is_file():
        return False
    index = read_json(folder / INDEX)
    named = {part: str((index.get(part) or [None, None])[1]).removesuffix("Fast") for part in CLASSES}
    return named == dict(CLASSES)


def check_files(folder: Path) -> None:
    """Raise `ModelError` that lists all files which are missing, and says what is there in their place."""
    missing = [f"{part}/config.json" for part in WEIGHTS if not (folder / part / "config.json").is_file()]
    missing += [f"{part}/{stem}.safetensors" for part, stem in WEIGHTS.items() if not _weights(folder / part, stem)]
    if not any(all((folder / "tokenizer" / file).is_file() for file in layout) for layout in TOKENIZER_LAYOUTS):
        missing.append("tokenizer/tokenizer.json (or vocab.json and merges.txt)")
    if not (folder / SCHEDULER).is_file():
        missing.append(SCHEDULER)
    if missing:
        pickled = [file.name for part in WEIGHTS for file in (folder / part).glob("*.bin")]
        hint = "; its pickled .bin weights are never read, convert them to safetensors" if pickled else ""
        raise ModelError(f"The model in {folder} is incomplete: no {', no '.join(missing)}{hint}. Copy it anew.")


def load_modules(folder: Path, placing: Placing) -> Modules:
    """The four modules in the wanted precision, from local safetensors only; a broken file raises `ModelError`."""
    from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
    from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel

    local: dict[str, Any] = {"local_files_only": True, "use_safetensors": True}
    # Without `accelerate`, low_cpu_mem_usage only warns; saying no keeps it quiet where it is not installed.
    diffusers: dict[str, Any] = {**local, "low_cpu_mem_usage": False, "torch_dtype": placing.dtype}
    variant = {part: _variant(folder / part, stem) for part, stem in WEIGHTS.items()}
    tokenizer, encoder = load_clip(placing.text_encoder or folder, placing.dtype)
    with faults_told(folder), quiet():
        return Modules(
            UNet2DConditionModel.from_pretrained(folder / "unet", variant=variant["unet"], **diffusers),
            AutoencoderKL.from_pretrained(folder / "vae", variant=variant["vae"], **diffusers),
            encoder,
            tokenizer,
        )


def load_clip(folder: Path, dtype: torch.dtype) -> tuple[CLIPTokenizer, CLIPTextModel]:
    """Tokenizer and text encoder from `folder`'s subfolders; missing or broken files raise `ModelError`."""
    from transformers import CLIPTextModel, CLIPTokenizer

    part = "text_encoder"
    if not _weights(folder / part, WEIGHTS[part]) or not (folder / "tokenizer").is_dir():
        raise ModelError(
            f"{folder} holds no text encoder (text_encoder/{WEIGHTS[part]}.safetensors, and tokenizer). Name a folder "
            "that does, such as a Stable Diffusion folder: --text-encoder PATH."
        )
    with faults_told(folder), quiet():
        encoder = CLIPTextModel.from_pretrained(
            folder / part, variant=_variant(folder / part, WEIGHTS[part]), dtype=dtype,
            local_files_only=True, use_safetensors=True,
        )  # fmt: skip
        return CLIPTokenizer.from_pretrained(folder / "tokenizer", local_files_only=True), encoder


@contextmanager
def faults_told(folder: Path) -> Iterator[None]:
    """Turn what the libraries raise over a truncated or foreign file into a `ModelError` with the reason."""
    try:
        yield
    # It differs by library and version.
    except (OSError, ValueError, RuntimeError, KeyError, TypeError, SafetensorError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise ModelError(f"The model in {folder} cannot be loaded: {reason} Copy it anew.") from error


def load_schedule(folder: Path) -> Schedule:
    """ᾱ from the scheduler's configuration; every scheduler of the family names its βs alike."""
    from diffusers.schedulers.scheduling_ddim import DDIMScheduler

    with quiet():
        scheduler = DDIMScheduler.from_config(read_json(folder / SCHEDULER))
    return Schedule(scheduler.alphas_cumprod.numpy().astype(np.float64))


def prediction_kind(folder: Path) -> PredictionKind:
    """What the denoiser was trained to answer; "epsilon" where the scheduler does not say, as in diffusers."""
    kind = read_json(folder / SCHEDULER).get("prediction_type", "epsilon")
    if kind not in get_args(PredictionKind):
        known = ", ".join(get_args(PredictionKind))
        raise ModelError(f"{folder / SCHEDULER} names the prediction type {kind!r}; deixis reads {known}.")
    return cast("PredictionKind", kind)


def read_json(file: Path) -> dict[str, Any]:
    """The object in a JSON file; anything else raises `ModelError`."""
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"{file} cannot be read as JSON: {error}. Copy the model anew.") from error
    if not isinstance(content, dict):
        raise ModelError(f"{file} holds no JSON object. Copy the model anew.")
    return content


def _weights(folder: Path, stem: str) -> bool:
    names = (f"{stem}{infix}.safetensors{suffix}" for infix in ("", f".{HALF}") for suffix in ("", ".index.json"))
    return any((folder / name).is_file() for name in names)


def _variant(folder: Path, stem: str) -> str | None:
    plain = (folder / f"{stem}.safetensors", folder / f"{stem}.safetensors.index.json")
    return None if any(file.is_file() for file in plain) else HALF


@contextmanager
def quiet() -> Iterator[None]:
    """Both libraries log advice while they load, and transformers draws a progress bar; here nobody asked for it."""
    from diffusers.utils import logging as diffusers_logging
    from transformers.utils import logging as transformers_logging

    levels = diffusers_logging.get_verbosity(), transformers_logging.get_verbosity()
    bars = transformers_logging.is_progress_bar_enabled()
    diffusers_logging.set_verbosity(logging.ERROR)
    transformers_logging.set_verbosity(logging.ERROR)
    transformers_logging.disable_progress_bar()
    try:
        yield
    finally:
        diffusers_logging.set_verbosity(levels[0])
        transformers_logging.set_verbosity(levels[1])
        if bars:
            transformers_logging.enable_progress_bar()
