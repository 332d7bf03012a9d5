"""Information-guided attention: the change in predicted noise says which attention maps to trust.

Which tokens point at a finding is a matter of how a model was trained: in one the words do, in another the end of the
sentence, and the words point away. The information map has a fixed sign, so it can tell.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from deixis.maps.gathering import Gathering, Scope
from deixis.maps.information import Information, standardised
from deixis.maps.reading import Question, Reader, Reply
from deixis.maps.taps import Heard
from deixis.maps.token_maps import TokenMaps
from deixis.maps.tokens import telling_tokens

# How strongly agreement with the information counts: the weight of a map is its correlation to this power, sign kept.
POWER = 3
# Rounds after which the weights hardly move (our pilot, method page section 4).
ROUNDS = 3


class Guided(Gathering):
    """Attention maps of all sites and telling tokens, each weighted by how well it agrees with the information.

    With d̃ the standardised information map and M̃_sj the standardised mean map of site s and token j over heads and
    noisings: c_sj = mean over pixels of M̃_sj·d̃, G = Σ sign(c)|c|³·M̃, and the answer is max(0, G̃) on the latent's
    grid. `rounds` repeats this with G̃ in the place of d̃.
    """

    predicts = True

    def __init__(self, reader: Reader, question: Question, scope: Scope, rounds: int = 0) -> None:
        self.sites, self._rounds = scope.sites, rounds
        self._information = Information(reader, question, scope)
        self._tokens = TokenMaps(one_hot(telling(question), question), scope.levels, stretch=False)

    def hear(self, heard: Heard, reply: Reply) -> None:
        self._tokens.add(heard, reply)

    def take(self, reply: Reply) -> None:
        self._information.take(reply)

    def maps(self) -> Float[Tensor, "phrase row column"]:
        evidence = standardised(self._information.maps())
        maps = standardised(on_grid(self._tokens, tuple(evidence.shape[-2:])))
        for _ in range(self._rounds + 1):
            evidence = standardised(agreeing(maps, evidence))
        return evidence.clamp(min=0)


def guided(reader: Reader, question: Question, scope: Scope) -> Gathering:
    """See `Guided`."""
    return Guided(reader, question, scope)


def iterated(reader: Reader, question: Question, scope: Scope) -> Gathering:
    """`guided`, repeated three times: tends to the leading component of the maps, its sign fixed by the information."""
    return Guided(reader, question, scope, ROUNDS)


def agreeing(
    maps: Float[Tensor, "phrase map row column"], evidence: Float[Tensor, "phrase row column"]
) -> Float[Tensor, "phrase row column"]:
    """Σ sign(c)|c|³·M̃, with c the correlation of each standardised map with the standardised evidence."""
    agreement = (maps * evidence[:, None]).mean(dim=(-2, -1))
    return torch.einsum("pm,pmrc->prc", agreement.pow(POWER), maps)


def telling(question: Question) -> list[tuple[int, ...]]:
    """Positions of the tokens of each phrase whose maps may tell."""
    return [telling_tokens(question.context, row, phrase) for row, phrase in enumerate(question.phrases)]


def one_hot(positions: Sequence[tuple[int, ...]], question: Question) -> Float[Tensor, "phrase slot token"]:
    """One slot per token that is read; a phrase with fewer leaves slots of weight 0, whose maps stay constant."""
    states = question.context.states
    weights = torch.zeros(len(positions), max(map(len, positions)), states.shape[1], device=states.device)
    for row, chosen in enumerate(positions):
        weights[row, range(len(chosen)), chosen] = 1
    return weights


def on_grid(sums: TokenMaps, grid: tuple[int, ...]) -> Float[Tensor, "phrase map row column"]:
    """All sites' token maps side by side on one grid."""
    resized = [
        functional.interpolate(maps, grid, mode="bilinear", align_corners=False) for maps in sums.maps().values()
    ]
    return torch.cat(resized, dim=1)
