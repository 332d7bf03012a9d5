"""A phrase against itself with left and right exchanged: which of the two explains the image, and where."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from deixis.laterality import swapped_side
from deixis.maps.gathering import Counterpart, Gathering, Scope
from deixis.maps.information import smoothed
from deixis.maps.reading import Question, Reader, Reply

# σ in cells of the smoothing, and how steeply the ratio decides; chosen on validation phantoms (docs/results.md).
SMOOTHING, STEEPNESS = 1.0, 12.0


class NamedSide(Gathering):
    """Where a phrase explains the noise better than the same phrase with left and right exchanged, from 0 to 1.

    1 / (1 + exp(-12·l / max|l|)) on the latent's grid, with l = Σ_level w Σ_channel (ε - ε_o)² - (ε - ε_c)², smoothed
    by one cell, ε the noise that was added, ε_c predicted with the phrase and ε_o with the other side: a
    likelihood ratio as in `deixis.maps.information.Likelihood`, whose alternative is the other side in place of "".
    1 everywhere for a phrase that names no side, which costs no evaluation.
    """

    predicts, points = True, False

    def __init__(self, reader: Reader, question: Question, scope: Scope) -> None:
        self._reader, self._levels = reader, scope.levels
        texts = [phrase.text for phrase in question.phrases]
        others = tuple("" if (other := swapped_side(text)) == text else other for text in texts)
        self.counterpart = Counterpart(others, tuple(scope.levels.nonzero()[:, 0].tolist()))
        self._sided = torch.tensor([other != "" for other in others], device=reader.device)
        noise = reader.added_noise
        self._ratio = noise.new_zeros(len(question), *noise.shape[-2:])

    def take(self, reply: Reply) -> None:
        self._add(reply, -1)

    def compare(self, reply: Reply) -> None:
        self._add(reply, 1)

    def maps(self) -> Float[Tensor, "phrase row column"]:
        ratio = smoothed(self._ratio, SMOOTHING)
        highest = ratio.abs().amax(dim=(-2, -1), keepdim=True)
        share = torch.sigmoid(STEEPNESS * ratio / torch.where(highest > 0, highest, 1))
        return torch.where(self._sided[:, None, None], share, 1)

    def _add(self, reply: Reply, sign: int) -> None:
        if reply.noise is None:
            raise ValueError("the side needs predicted noise, and this pass ended before it")
        missed = (self._reader.added_noise[reply.images, reply.steps] - reply.noise).square().sum(dim=1)
        self._ratio.index_add_(0, reply.phrases, sign * missed * self._levels[reply.steps][:, None, None])
