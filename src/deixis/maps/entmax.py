"""Sparse attention: entmax in the place of softmax gives exact zeros to what hardly counts."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from deixis.maps.attention import even, mean_over_sites, words_of
from deixis.maps.gathering import Gathering, Scope
from deixis.maps.reading import Question, Reader, Reply
from deixis.maps.taps import Heard
from deixis.maps.token_maps import TokenMaps


class Entmax(Gathering):
    """As `words`, of entmax₁.₅(q·k·scale) in the place of the softmax.

    After PLADIS (ICCV 2025), which mixes the two in the network itself; here the network stays as it is.
    """

    def __init__(self, reader: Reader, question: Question, scope: Scope) -> None:
        self.sites, self._side = scope.sites, reader.model.spec.image_size
        self._sums = TokenMaps(even(words_of(question), reader.device), scope.levels, stretch=True)

    def hear(self, heard: Heard, reply: Reply) -> None:
        self._sums.add(heard, reply, entmax15(heard.logits()).mean(dim=1))

    def maps(self) -> Float[Tensor, "phrase row column"]:
        return mean_over_sites(self._sums, self._side)


def words(reader: Reader, question: Question, scope: Scope) -> Gathering:
    """See `Entmax`."""
    return Entmax(reader, question, scope)


def entmax15(scores: Float[Tensor, "*row token"]) -> Float[Tensor, "*row token"]:
    """p = max(0, z/2 - τ)² with τ such that Σ p = 1: entmax of α = 1.5, exactly, by sorting.

    Over the k largest scores τ solves a quadratic; the largest k whose τ lies below its own smallest score is the
    support (Peters, Niculae and Martins, ACL 2019).
    """
    halves = (scores - scores.amax(dim=-1, keepdim=True)) / 2
    ordered = halves.sort(dim=-1, descending=True).values
    count = torch.arange(1, scores.shape[-1] + 1, device=scores.device, dtype=scores.dtype)
    mean, mean_square = ordered.cumsum(-1) / count, ordered.square().cumsum(-1) / count
    # Σ (z - τ)² = 1 over k entries: τ = mean - √(1/k - variance).
    spread = (1 / count - (mean_square - mean.square())).clamp(min=0)
    thresholds = mean - spread.sqrt()
    support = (thresholds <= ordered).sum(dim=-1, keepdim=True)
    return (halves - thresholds.gather(-1, support - 1)).clamp(min=0).square()
