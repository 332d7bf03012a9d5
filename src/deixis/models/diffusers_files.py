"""The files of a Stable Diffusion folder: are they there, what do they say, and loading them without a network.

diffusers and transformers are imported inside functions: each costs seconds, and asking whether a folder is of this
family needs neither.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast, get_args

import numpy as np
from safetensors import SafetensorError

from deixis.errors import ModelError
from deixis.types import PredictionKind, Schedule

if TYPE_CHECKING:
    import torch
    from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
    from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
    from transformers import CLIPTextModel, CLIPTokenizer

INDEX = "model_index.json"
SCHEDULER = "scheduler/scheduler_config.json"
# Stems of the weight files, as save_pretrained of either library writes them, by the library's part of a class's name.
STEMS: Mapping[str, str] = {"CLIP": "model", "": "diffusion_pytorch_model"}
TOKENIZER_LAYOUTS = (("tokenizer.json",), ("vocab.json", "merges.txt"))
HALF = "fp16"


def names_classes(folder: Path, classes: Mapping[str, str]) -> bool:
    """Whether model_index.json names these classes of transformers and diffusers, and no text encoder beside them.

    A "Fast" tokenizer is the same one; scheduler, safety checker and feature extractor are nobody's mark.
    """
    if not (folder / INDEX).is_file():
        return False
    index = read_json(folder / INDEX)
    named = {part: str(value[1]).removesuffix("Fast") for part, value in index.items() if isinstance(value, list)}
    told = {part: name for part, name in named.items() if part in classes or part.startswith("text_encoder")}
    return {part: name for part, name in told.items() if name != "None"} == dict(classes)


def check_files(folder: Path, classes: Mapping[str, str]) -> None:
    """Raise `ModelError` that lists all files which are missing, and says what is there in their place."""
    networks = [part for part in classes if not part.startswith("tokenizer")]
    missing = [f"{part}/config.json" for part in networks if not (folder / part / "config.json").is_file()]
    stems = {part: _stem(classes[part]) for part in networks}
    missing += [f"{part}/{stem}.safetensors" for part, stem in stems.items() if not _weights(folder / part, stem)]
    for part in (part for part in classes if part.startswith("tokenizer")):
        if not any(all((folder / part / file).is_file() for file in layout) for layout in TOKENIZER_LAYOUTS):
            missing.append(f"{part}/tokenizer.json (or vocab.json and merges.txt)")
    if not (folder / SCHEDULER).is_file():
        missing.append(SCHEDULER)
    if missing:
        pickled = [file.name for part in networks for file in (folder / part).glob("*.bin")]
        hint = "; its pickled .bin weights are not read, `deixis models convert` rewrites them" if pickled else ""
        raise ModelError(f"The model in {folder} is incomplete: no {', no '.join(missing)}{hint}. Copy it anew.")


def load_unet(folder: Path, dtype: torch.dtype) -> UNet2DConditionModel:
    """The UNet in `folder`/unet, from local safetensors only; a broken file raises `ModelError`."""
    from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel

    return cast("UNet2DConditionModel", _network(UNet2DConditionModel, folder / "unet", dtype))


def load_vae(folder: Path, dtype: torch.dtype) -> AutoencoderKL:
    """The autoencoder in `folder`/vae; one that overflows in half precision, and says so, comes in single."""
    import torch
    from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL

    config = read_json(folder / "vae" / "config.json")
    wanted = torch.float32 if config.get("force_upcast", True) and dtype == torch.float16 else dtype
    return cast("AutoencoderKL", _network(AutoencoderKL, folder / "vae", wanted))


def _network(network: Any, folder: Path, dtype: torch.dtype) -> torch.nn.Module:
    variant = _variant(folder, STEMS[""])
    with faults_told(folder.parent), quiet():
        # Without `accelerate`, low_cpu_mem_usage only warns; saying no keeps it quiet where it is not installed.
        loaded: torch.nn.Module = network.from_pretrained(
            folder, variant=variant, torch_dtype=dtype, low_cpu_mem_usage=False, local_files_only=True,
            use_safetensors=True,
        )  # fmt: skip
    return loaded


def load_clip(folder: Path, dtype: torch.dtype) -> tuple[CLIPTokenizer, CLIPTextModel]:
    """Tokenizer and text encoder from `folder`'s subfolders; missing or broken files raise `ModelError`."""
    from transformers import CLIPTextModel

    if not _weights(folder / "text_encoder", STEMS["CLIP"]) or not (folder / "tokenizer").is_dir():
        raise ModelError(
            f"{folder} holds no text encoder (text_encoder/{STEMS['CLIP']}.safetensors, and tokenizer). Name a folder "
            "that does, such as a Stable Diffusion folder: --text-encoder PATH."
        )
    encoder = load_text_network(CLIPTextModel, folder / "text_encoder", dtype)
    return load_tokenizer(folder / "tokenizer"), cast("CLIPTextModel", encoder)


def load_text_network(network: Any, folder: Path, dtype: torch.dtype) -> torch.nn.Module:
    """A network of transformers in `folder`, from local safetensors only; a broken file raises `ModelError`."""
    variant = _variant(folder, STEMS["CLIP"])
    with faults_told(folder.parent), quiet():
        loaded: torch.nn.Module = network.from_pretrained(
            folder, variant=variant, dtype=dtype, local_files_only=True, use_safetensors=True
        )
    return loaded


def load_tokenizer(folder: Path) -> CLIPTokenizer:
    """The tokenizer in `folder`; a broken file raises `ModelError`."""
    from transformers import CLIPTokenizer

    with faults_told(folder.parent), quiet():
        return CLIPTokenizer.from_pretrained(folder, local_files_only=True)


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
        raise ModelError(f"{file} cannot be read as JSON: {error}. Copy it anew.") from error
    if not isinstance(content, dict):
        raise ModelError(f"{file} holds no JSON object. Copy it anew.")
    return content


def _stem(network: str) -> str:
    return next(stem for prefix, stem in STEMS.items() if network.startswith(prefix))


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
