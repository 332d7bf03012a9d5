"""Sparse attention: entmax in the place of softmax gives exact zeros to what hardly counts."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from deixis.maps.attention import MeanAttention, words_of
from deixis.maps.gathering import Gathering, Scope
from deixis.maps.reading import Question, Reader


def words(reader: Reader, question: Question, scope: Scope) -> Gathering:
    """As `words`, of entmax₁.₅(q·k·scale) in the place of the softmax.

    After PLADIS (ICCV 2025), which mixes the two in the network itself; here the network stays as it is.
    """
    return MeanAttention(reader, scope, words_of(question), lambda heard: entmax15(heard.logits()).mean(dim=1))


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
