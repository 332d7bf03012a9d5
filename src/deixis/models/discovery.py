"""Which attention layers over a text a network runs, in which order and on which grids: one dry call shows it.

`named_modules` would list a middle block after the upward ones, and a token count does not tell height from width; so
order and grid are taken from the call itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from deixis.errors import ModelError
from deixis.models.listening import Projection
from deixis.types import Site


@dataclass(frozen=True)
class Layer:
    """One cross-attention layer as its library keeps it.

    Args:
        name: dotted path inside the denoiser.
        to_q: pixels → queries of all heads.
        to_k: tokens → keys of all heads.
        to_v: tokens → values of all heads.
        to_out: what all heads gathered → the layer's answer.
        heads: number of heads.
        scale: what q·k is multiplied with before the softmax.
        norm_q: normalisation of each head's queries, where there is one.
        norm_k: the same of keys.
    """

    name: str
    to_q: nn.Module
    to_k: nn.Module
    to_v: nn.Module
    to_out: nn.Linear
    heads: int
    scale: float
    norm_q: nn.Module | None = None
    norm_k: nn.Module | None = None


@torch.no_grad()
def discover(
    call: Callable[[], Any], planes: Sequence[nn.Module], layers: Sequence[Layer], *, patch: int = 1
) -> tuple[Projection, ...]:
    """The layers that `call` runs, in call order.

    Args:
        call: evaluates the denoiser once.
        planes: modules whose first argument is ``[case channel row column]``; the last one entered gives the grid.
        layers: the candidates.
        patch: cells of a plane along a side that make one query position.

    Raises:
        ModelError: none of the layers ran.
    """
    recorder = _Recorder(patch)
    handles: list[Any] = [plane.register_forward_pre_hook(recorder.note_grid) for plane in planes]
    handles += [layer.to_q.register_forward_hook(partial(recorder.note_site, layer)) for layer in layers]
    try:
        call()
    finally:
        for handle in handles:
            handle.remove()
    if not recorder.found:
        raise ModelError("This network has no cross-attention over a text, so no phrase can be read from it.")
    return tuple(recorder.found)


class _Recorder:
    """Notes every layer as its queries are formed."""

    def __init__(self, patch: int) -> None:
        self.patch = patch
        self.grid = (0, 0)
        self.found: list[Projection] = []

    def note_grid(self, module: nn.Module, arguments: tuple[Tensor, ...]) -> None:
        height, width = arguments[0].shape[-2:]
        self.grid = (height // self.patch, width // self.patch)

    def note_site(self, layer: Layer, module: nn.Module, arguments: tuple[Tensor, ...], answer: Tensor) -> None:
        site = Site(
            name=layer.name,
            index=len(self.found),
            kind="cross",
            grid=self.grid,
            heads=layer.heads,
            scale=layer.scale,
            # Diffusers and MONAI keep a block's attention under `attentions`, or `attention` where it is one.
            stage=layer.name.partition(".attention")[0],
        )
        modules = (layer.to_q, layer.to_k, layer.to_v, layer.to_out)
        self.found.append(Projection(site, *modules, layer.norm_q, layer.norm_k))
