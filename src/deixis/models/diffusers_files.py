"""What the files of a diffusers folder say: which parts there are, what is missing, the noise schedule."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, cast, get_args

import numpy as np

from deixis.errors import ModelError
from deixis.types import PredictionKind, Schedule

INDEX = "model_index.json"
SCHEDULER = "scheduler/scheduler_config.json"


def class_names(folder: Path, denoiser: str = "unet") -> dict[str, str]:
    """Which class each part of the model is of, by its model_index.json; without one, that of a denoiser alone.

    A "Fast" tokenizer is the same one; a part that the index leaves empty is not there.
    """
    if (folder / INDEX).is_file():
        index = read_json(folder / INDEX)
        named = {part: str(value[1]) for part, value in index.items() if isinstance(value, list)}
        return {part: name.removesuffix("Fast") for part, name in named.items() if name != "None"}
    config = folder / denoiser / "config.json"
    return {denoiser: str(read_json(config).get("_class_name"))} if config.is_file() else {}


def part_folder(folder: Path, part: str, given: Path | None = None) -> Path:
    """Where a part lies: below the given folder, or in it, or below the model's own folder."""
    if given is None:
        return folder / part
    return given / part if (given / part / "config.json").is_file() else given


def check_files(folder: Path, missing: Iterable[str]) -> None:
    """Raise `ModelError` that lists all files which are missing, if any are."""
    listed = ", no ".join(missing)
    if listed:
        raise ModelError(
            f"The model in {folder} is incomplete: no {listed}. Copy it anew, or say where the part is "
            "(--vae, --text-encoder, or parts and scheduler in a deixis.json, see docs/models.md)."
        )


def scheduler_config(folder: Path, otherwise: Mapping[str, Any]) -> Mapping[str, Any]:
    """The folder's own scheduler configuration; `otherwise` where it has none."""
    return read_json(folder / SCHEDULER) if (folder / SCHEDULER).is_file() else otherwise


def schedule_of(config: Mapping[str, Any]) -> Schedule:
    """ᾱ from a scheduler's configuration; all schedulers over noise levels name their βs alike."""
    from diffusers.schedulers.scheduling_ddim import DDIMScheduler

    from deixis.models.networks import quiet

    with quiet():
        scheduler = DDIMScheduler.from_config(dict(config))
    return Schedule(scheduler.alphas_cumprod.numpy().astype(np.float64))


def prediction_kind(config: Mapping[str, Any]) -> PredictionKind:
    """What the denoiser was trained to answer; "epsilon" where the scheduler does not say, as in diffusers."""
    kind = config.get("prediction_type", "epsilon")
    if kind not in get_args(PredictionKind):
        known = ", ".join(get_args(PredictionKind))
        raise ModelError(f"The scheduler names the prediction type {kind!r}; deixis reads {known}.")
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
