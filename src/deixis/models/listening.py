"""Listening to attention: forward hooks on the query and key projections, for exactly as long as a block runs.

The model's own (fused) attention stays untouched: the hooks look at what the two linear layers answer and change
nothing. Works for any denoiser whose attention projects q and k by modules of their own.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from math import ceil
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from deixis.errors import ModelError
from deixis.types import AttentionTap, Site

Arguments = tuple[Any, ...]
Keywords = Mapping[str, Any]


@dataclass(frozen=True)
class Projection:
    """The modules of one attention layer that form its queries, keys, values and answer.

    Args:
        site: where it is.
        to_q: pixels → queries ``[case pixel head·dim]``.
        to_k: tokens → keys ``[case token head·dim]``.
        to_v: tokens → values ``[case token head·dim]``.
        to_out: what all heads gathered → the layer's answer ``[case pixel channel]``.
        norm_q: normalisation of each head's queries, where the layer has one.
        norm_k: the same of keys.
    """

    site: Site
    to_q: nn.Module
    to_k: nn.Module
    to_v: nn.Module
    to_out: nn.Linear
    norm_q: nn.Module | None = None
    norm_k: nn.Module | None = None

    def queries(self, projected: Float[Tensor, "case pixel width"]) -> Float[Tensor, "case head pixel dim"]:
        """The answer of `to_q`, split into heads as the layer itself does."""
        return _heads(projected, self.site.heads, self.norm_q)

    def keys(self, projected: Float[Tensor, "case token width"]) -> Float[Tensor, "case head token dim"]:
        """The answer of `to_k`, split into heads as the layer itself does."""
        return _heads(projected, self.site.heads, self.norm_k)

    def values(self, projected: Float[Tensor, "case token width"]) -> Float[Tensor, "case head token channel"]:
        """The answer of `to_v`, split into heads, each under its own columns of `to_out`."""
        split = _heads(projected, self.site.heads, None)
        columns = self.to_out.weight.reshape(len(self.to_out.weight), self.site.heads, -1)
        return torch.einsum("chtd,ohd->chto", split, columns)


@dataclass(frozen=True)
class Call:
    """What a tap must know of a running call of the denoiser.

    Args:
        timestep: of every case.
        bias: of the text mask, None where the denoiser looks at every token.
        sides: height and width of the latent.
    """

    timestep: Int[Tensor, " case"]
    bias: Float[Tensor, "case token"] | None
    sides: tuple[int, int]


class _Enough(Exception):  # noqa: N818 - it ends a pass, nothing went wrong
    """Everything asked for was received; only the `listening` block that raised it may swallow it."""

    def __init__(self, listener: _Listener) -> None:
        super().__init__("a pass was stopped after its last site; this belongs inside the block of `tapped`")
        self.listener = listener


@contextmanager
def listening(
    denoiser: nn.Module,
    projections: Sequence[Projection],
    tap: AttentionTap,
    read_call: Callable[[Arguments, Keywords], Call],
    sides: tuple[int, int],
    *,
    stop_after_last: bool = False,
) -> Iterator[None]:
    """While the block runs, `tap` receives q and k of the given layers; see `LatentModel.tapped`.

    `read_call` says where the denoiser's arguments hold timestep and mask; `sides` are those of the latent for which
    the sites' grids are told. Another latent, square or not, is heard on the grids that it has.
    """
    if not projections:
        raise ModelError("No attention sites were asked for, so there is nothing to read. Name at least one.")
    listener = _Listener(tap, read_call, sides, len(projections), stop_after_last)
    handles = [denoiser.register_forward_pre_hook(listener.begin, with_kwargs=True)]
    try:
        for projection in projections:
            handles.append(projection.to_q.register_forward_hook(partial(listener.hear_q, projection)))
            handles.append(projection.to_k.register_forward_hook(partial(listener.hear_k, projection)))
        try:
            yield
        except _Enough as reached:
            if reached.listener is not listener:
                raise
        listener.check([projection.site for projection in projections])
    finally:
        for handle in handles:
            handle.remove()


class _Listener:
    """Pairs each site's q with its k during a call and hands them on.

    Hooks sit on modules that other threads may call at the same time: it hears the thread that made it, and no other.
    """

    def __init__(
        self,
        tap: AttentionTap,
        read_call: Callable[[Arguments, Keywords], Call],
        sides: tuple[int, int],
        sites: int,
        stop_after_last: bool,
    ) -> None:
        self.tap, self.read_call, self.sides = tap, read_call, sides
        self.sites, self.stop_after_last = sites, stop_after_last
        self.thread = threading.get_ident()
        self.call: Call | None = None
        self.waiting: dict[int, Tensor] = {}
        self.heard_in_call: set[int] = set()
        self.heard: set[int] = set()

    def begin(self, module: nn.Module, arguments: Arguments, keywords: Keywords) -> None:
        if threading.get_ident() != self.thread:
            return
        self.call = self.read_call(arguments, keywords)
        self.waiting.clear()
        self.heard_in_call.clear()

    def hear_q(self, projection: Projection, module: nn.Module, arguments: Arguments, answer: Tensor) -> None:
        if threading.get_ident() == self.thread:
            self.waiting[projection.site.index] = answer

    def hear_k(self, projection: Projection, module: nn.Module, arguments: Arguments, answer: Tensor) -> None:
        site = projection.site
        # Keys alone, outside a call of the denoiser, are a query cache at work: nothing to receive.
        mine = threading.get_ident() == self.thread
        if not mine or self.call is None or site.index not in self.waiting:
            return
        q = projection.queries(self.waiting.pop(site.index))
        heard = _on_grid_of(site, self.call.sides, self.sides)
        self.tap.receive(heard, self.call.timestep, q, projection.keys(answer), self.call.bias)
        self.heard.add(site.index)
        self.heard_in_call.add(site.index)
        if self.stop_after_last and len(self.heard_in_call) == self.sites:
            raise _Enough(self)

    def check(self, sites: Sequence[Site]) -> None:
        silent = [site.name for site in sites if site.index not in self.heard]
        if silent:
            raise ModelError(
                f"Nothing was heard from {', '.join(silent)}. Either the denoiser was not called inside the block, or "
                "its query, key and value projections are fused: load the model anew, or unfuse them."
            )


def _on_grid_of(site: Site, sides: tuple[int, int], told: tuple[int, int]) -> Site:
    """The site with its grid for a latent of these sides; every halving of a network rounds up."""
    if sides == told:
        return site
    height, width = (ceil(cells * side / whole) for cells, side, whole in zip(site.grid, sides, told, strict=True))
    return replace(site, grid=(height, width))


def _heads(
    projected: Float[Tensor, "case position width"], heads: int, norm: nn.Module | None
) -> Float[Tensor, "case head position dim"]:
    cases, positions, _ = projected.shape
    split = projected.reshape(cases, positions, heads, -1).transpose(1, 2)
    if norm is None:
        return split
    normed: Tensor = norm(split)
    return normed
