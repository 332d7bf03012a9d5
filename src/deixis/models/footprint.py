"""How much memory a call of the denoiser takes: counted, tensor by tensor, while one case goes through it."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from deixis.errors import ResourceError
from deixis.types import LatentModel


def cases_within(model: LatentModel, limit: int) -> int:
    """How many cases one call of the denoiser may hold, its weights counted, within `limit` bytes.

    Raises:
        ResourceError: not even one fits; says how much it needs.
    """
    weights, case = weights_bytes(model), case_bytes(model)
    cases = (limit - weights) // case
    if cases < 1:
        needed = (weights + case) / 2**20
        raise ResourceError(
            f"{limit / 2**20:.0f} MiB are not enough for {model.spec.name!r}: weights and one case take "
            f"{needed:.0f} MiB. Allow more memory, or load it in half precision."
        )
    return int(cases)


def weights_bytes(model: LatentModel) -> int:
    """Bytes of all weights; 0 for a model that does not tell."""
    told = getattr(model, "weights_bytes", 0)
    return int(told)


def case_bytes(model: LatentModel) -> int:
    """Bytes that one more case in a call adds to its peak: of every tensor that lives at the same time.

    What kernels allocate for themselves while they run is not seen.
    """
    side = model.spec.image_size // model.spec.downsampling
    context = model.embed([""])
    device = context.states.device

    def call(cases: int) -> None:
        latents = torch.zeros(cases, model.spec.latent_channels, side, side, device=device)
        model.noise(latents, torch.zeros(cases, dtype=torch.long, device=device), context.take([0] * cases))

    return max(1, peak_bytes(lambda: call(2)) - peak_bytes(lambda: call(1)))


def peak_bytes(work: Callable[[], Any]) -> int:
    """The most bytes that tensors made during `work` hold at one time."""
    with _Living() as living:
        work()
    return living.peak


class _Living(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Adds up the storages that operations make, and takes them off when they die."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.known: dict[int, int] = {}
        self.peak = 0

    def __torch_dispatch__(
        self, func: Any, types: Sequence[type], args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        given = {id(leaf.untyped_storage()) for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, torch.Tensor)}
        made = func(*args, **(kwargs or {}))
        for leaf in tree_leaves(made):
            if isinstance(leaf, torch.Tensor):
                storage = leaf.untyped_storage()
                # A view, or a result written in place, has the storage of what was given.
                if id(storage) not in given and id(storage) not in self.known:
                    self.known[id(storage)] = storage.nbytes()
                    weakref.finalize(storage, self.known.pop, id(storage), None)
        self.peak = max(self.peak, sum(self.known.values()))
        return made
