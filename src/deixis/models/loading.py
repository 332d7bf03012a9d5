"""`load`: from a name or a folder to a model, whatever its family."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from deixis.errors import ModelError
from deixis.models.catalog import label_of
from deixis.models.family import Family, Placing
from deixis.models.weights import find
from deixis.registry import Table
from deixis.types import LatentModel

if TYPE_CHECKING:
    import torch


FAMILIES: Table[Family] = Table(
    kind="model family",
    group="deixis.models",
    builtin={
        "diffusers-ldm": "deixis.models.diffusers_ldm:FAMILY",
        "sdxl": "deixis.models.sdxl:FAMILY",
        "monai-ldm": "deixis.models.monai_ldm:FAMILY",
    },
)


def load(
    name_or_path: str | Path = "phantom",
    device: str = "auto",
    dtype: torch.dtype | None = None,
    text_encoder: str | Path | None = None,
) -> LatentModel:
    """A frozen model, ready to be read.

    Args:
        name_or_path: a catalog name, a folder under ``DEIXIS_MODELS``, or the path of a folder.
        device: "cpu", "cuda", "cuda:1", "mps"; "auto" takes a GPU where there is one.
        dtype: precision of the weights; None means float32, whatever the files hold.
        text_encoder: a folder that holds `text_encoder` and `tokenizer`, by name or path, for a model whose own files
            hold none (MONAI's bundles) or that was trained with another.

    Raises:
        ModelError: files missing, incomplete or of no known family; no such device.
        UnknownNameError: no such name; lists the known.
    """
    import torch

    folder = find(name_or_path)
    words = None if text_encoder is None else find(text_encoder)
    placing = Placing(choose_device(device), dtype or torch.float32, words)
    for name in FAMILIES:
        family = FAMILIES[name]
        if family.recognises(folder):
            return family.load(folder, label_of(folder), placing)
    raise ModelError(
        f"{folder} is no model that deixis knows ({', '.join(FAMILIES)}). A Stable Diffusion folder has a "
        "model_index.json beside unet, vae, text_encoder, tokenizer and scheduler; a MONAI bundle has "
        "configs/inference.json beside models."
    )


def choose_device(device: str) -> torch.device:
    """The torch device called `device`; "auto" is the first GPU, else the CPU. An absent one raises `ModelError`."""
    import torch

    if device == "auto":
        found = torch.accelerator.current_accelerator(check_available=True)
        return found if found is not None else torch.device("cpu")
    try:
        torch.empty(0, device=device)
        return torch.device(device)
    # Each backend has its own error for "not here": AssertionError, RuntimeError, NotImplementedError.
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        reason = str(error).splitlines()[0]
        raise ModelError(f'Device {device!r} cannot be used here: {reason} Take "cpu" or "auto".') from error
