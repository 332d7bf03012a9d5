"""What a family of models must do to have a row in the table `deixis.models.loading.FAMILIES`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar

from deixis.models.catalog import Label
from deixis.types import LatentModel

if TYPE_CHECKING:
    import torch

    Network = TypeVar("Network", bound=torch.nn.Module)


@dataclass(frozen=True)
class Placing:
    """How a model is to be loaded.

    Args:
        device: where its weights go.
        dtype: precision of the weights, whatever the files hold.
        text_encoder: where the text encoder and its tokenizer lie, in place of the model's own; None takes its own.
        vae: where the autoencoder lies, in place of the model's own.
        adapters: LoRA folders or files, added in this order.
    """

    device: torch.device
    dtype: torch.dtype
    text_encoder: Path | None = None
    vae: Path | None = None
    adapters: tuple[Path, ...] = ()

    def frozen(self, network: Network) -> Network:
        """The network on the device, as it is read: never trained, nothing random in it."""
        import torch

        # Convolutions run fastest with channels last, on CPUs and GPUs; other weights have no such order.
        network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        return network.to(self.device).eval().requires_grad_(False)


class Family(Protocol):
    """One kind of model files, and how they become a `LatentModel`."""

    def recognises(self, place: Path) -> bool:
        """Whether the files in a folder, or a single file, say that they are of this family; never by a name."""
        ...

    def load(self, place: Path, label: Label, placing: Placing) -> LatentModel:
        """The model where `placing` wants it; missing or broken files raise `ModelError` that says which."""
        ...
