"""What a family of models must do to have a row in the table `deixis.models.loading.FAMILIES`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from deixis.models.catalog import Label
from deixis.types import LatentModel

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Placing:
    """How a model is to be loaded.

    Args:
        device: where its weights go.
        dtype: precision of the weights, whatever the files hold.
        text_encoder: folder of the text encoder and its tokenizer, in place of the model's own; None takes its own.
    """

    device: torch.device
    dtype: torch.dtype
    text_encoder: Path | None = None

    def sources(self, folder: Path) -> tuple[Path, ...]:
        """The folders whose weights make the model in `folder`, for its fingerprint."""
        return (folder,) if self.text_encoder is None else (folder, self.text_encoder / "text_encoder")


class Family(Protocol):
    """One kind of model files, and how they become a `LatentModel`."""

    def recognises(self, folder: Path) -> bool:
        """Whether the folder's files say that they are of this family; never by its name."""
        ...

    def load(self, folder: Path, label: Label, placing: Placing) -> LatentModel:
        """The model where `placing` wants it; missing or broken files raise `ModelError` that says which."""
        ...
