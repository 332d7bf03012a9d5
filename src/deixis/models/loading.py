"""`load`: from a name or a folder to a model, whatever its family."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from deixis.errors import ModelError
from deixis.models.catalog import Label
from deixis.models.family import Family, Placing
from deixis.models.finding import find, locate
from deixis.models.unreadable import why_not
from deixis.models.weights import check_fingerprint
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
        "pixart": "deixis.models.pixart:FAMILY",
        "monai-ldm": "deixis.models.monai_ldm:FAMILY",
        "single-file": "deixis.models.single_file:FAMILY",
    },
)


def load(
    name_or_path: str | Path = "phantom",
    device: str = "auto",
    dtype: torch.dtype | None = None,
    *,
    text_encoder: str | Path | None = None,
    vae: str | Path | None = None,
    lora: Sequence[str | Path] = (),
) -> LatentModel:
    """A frozen model, ready to be read.

    Args:
        name_or_path: a catalog name, a folder or single file by its path or under ``DEIXIS_MODELS``, or a hub id; see
            `deixis.models.finding` for the order in which they are sought.
        device: "cpu", "cuda", "cuda:1", "mps"; "auto" takes a GPU where there is one.
        dtype: precision of the weights; None means float32, whatever the files hold.
        text_encoder: where a text encoder and its tokenizer lie, for a model whose own files hold none (MONAI's
            bundles) or that was trained with another: a name, hub id or path.
        vae: the same of an autoencoder.
        lora: LoRA folders or files to fold in, in this order.

    Raises:
        ModelError: files missing, incomplete, damaged or of no known family; no such device.
        UnknownNameError: no such name; lists the known.
    """
    import torch

    found = locate(name_or_path)
    label = found.label
    family = recognised(found.place)
    placing = Placing(
        choose_device(device),
        dtype or torch.float32,
        text_encoder=_part("text_encoder", text_encoder, found.place, label),
        vae=_part("vae", vae, found.place, label),
        adapters=tuple(find(one) for one in lora),
    )
    if found.published and found.entry is not None and found.entry.sha256 is not None:
        check_fingerprint(found.place, found.entry.sha256)
    return FAMILIES[family].load(found.place, label, placing)


def recognised(place: Path) -> str:
    """The name of the family that a folder or file is of.

    Raises:
        ModelError: it is of none; says why, where its files tell, and what the known ones look like.
    """
    for name in FAMILIES:
        if FAMILIES[name].recognises(place):
            return name
    raise ModelError(
        f"{place} is no model that deixis knows ({', '.join(FAMILIES)}). {why_not(place)}A Stable Diffusion folder has "
        "a model_index.json beside unet, vae, text_encoder, tokenizer and scheduler; a MONAI bundle has "
        "configs/inference.json beside models; a single file has the keys of Stable Diffusion's own releases."
    )


def _part(part: str, given: str | Path | None, place: Path, label: Label) -> Path | None:
    """Where a part lies: where the caller says, else where the label does; None where the folder has its own."""
    if given is not None:
        return find(given)
    if part in label.parts and not (place / part / "config.json").is_file():
        return find(label.parts[part])
    return None


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
