"""Information-guided attention: the change in predicted noise says which attention maps to trust.

Which tokens point at a finding is a matter of how a model was trained: in one the words do, in another the end of the
sentence, and the words point away. The information map has a fixed sign, so it can tell.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from deixis.maps.information import measure, standardised
from deixis.maps.reading import Question, Reader
from deixis.maps.taps import AttentionSums
from deixis.maps.tokens import telling_tokens

# How strongly agreement with the information counts: the weight of a map is its correlation to this power, sign kept.
POWER = 3
# Rounds after which the weights hardly move (our pilot, method page section 4).
ROUNDS = 3


def guided(reader: Reader, question: Question, *, rounds: int = 0) -> Float[Tensor, "phrase row column"]:
    """Attention maps of all sites and telling tokens, each weighted by how well it agrees with the information.

    With d̃ the standardised information map and M̃_sj the standardised mean map of site s and token j over heads and
    noisings: c_sj = mean over pixels of M̃_sj·d̃, G = Σ sign(c)|c|³·M̃, and the answer is max(0, G̃) on the latent's
    grid. `rounds` repeats this with G̃ in the place of d̃.
    """
    positions = [telling_tokens(question.context, row, phrase) for row, phrase in enumerate(question.phrases)]
    weights = _one_hot(positions, question.context.states.shape[1], question.context.states.device)
    tap = AttentionSums(weights, stretch=False)
    evidence = standardised(measure(reader, question, tap))
    maps = standardised(_on_grid(tap, evidence.shape[-2:]))
    for _ in range(rounds + 1):
        evidence = standardised(agreeing(maps, evidence))
    return evidence.clamp(min=0)


def iterated(reader: Reader, question: Question) -> Float[Tensor, "phrase row column"]:
    """`guided`, repeated three times: tends to the leading component of the maps, its sign fixed by the information."""
    return guided(reader, question, rounds=ROUNDS)


def agreeing(
    maps: Float[Tensor, "phrase map row column"], evidence: Float[Tensor, "phrase row column"]
) -> Float[Tensor, "phrase row column"]:
    """Σ sign(c)|c|³·M̃, with c the correlation of each standardised map with the standardised evidence."""
    agreement = (maps * evidence[:, None]).mean(dim=(-2, -1))
    return torch.einsum("pm,pmrc->prc", agreement.pow(POWER), maps)


def _one_hot(positions: list[tuple[int, ...]], tokens: int, device: torch.device) -> Float[Tensor, "phrase slot token"]:
    """One slot per token that is read; a phrase with fewer leaves slots of weight 0, whose maps stay constant."""
    weights = torch.zeros(len(positions), max(map(len, positions)), tokens, device=device)
    for row, chosen in enumerate(positions):
        weights[row, range(len(chosen)), chosen] = 1
    return weights


def _on_grid(tap: AttentionSums, grid: tuple[int, ...]) -> Float[Tensor, "phrase map row column"]:
    """All sites' token maps side by side on one grid."""
    resized = [
        functional.interpolate(maps, tuple(grid), mode="bilinear", align_corners=False) for maps in tap.maps().values()
    ]
    return torch.cat(resized, dim=1)
