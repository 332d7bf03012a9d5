"""Precisions of weights, as a user names them."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


class Precision(StrEnum):
    """What numbers a model's weights are kept in."""

    FLOAT32 = "float32"
    BFLOAT16 = "bfloat16"
    FLOAT16 = "float16"

    @property
    def in_torch(self) -> torch.dtype:
        """The same for torch."""
        import torch

        found: torch.dtype = getattr(torch, self.value)
        return found
