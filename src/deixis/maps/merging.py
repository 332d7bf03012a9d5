"""Bimodal Bias Merging: attention on the real image, corrected by attention on an image made up from the phrase."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from deixis.errors import DeixisError
from deixis.maps.attention import begin, words
from deixis.maps.gathering import Gathering, Scope, gather
from deixis.maps.reading import Question, Reader, Reply
from deixis.maps.refine import to_unit_range
from deixis.maps.taps import Heard


class BiasMerged(Gathering):
    """Bimodal Bias Merging (Generate to Ground): see `merged`.

    I is the attention to the begin token on the image, T that to the phrase's tokens while the model makes up an
    image of the same phrase from pure noise, and A the attention to the phrase's tokens on the image.
    """

    def __init__(self, reader: Reader, question: Question, scope: Scope) -> None:
        if reader.generate is None:
            raise DeixisError("Bias merging makes up an image of each phrase; this reader was not given a way to.")
        self.sites, self._reader, self._question, self._scope = scope.sites, reader, question, scope
        self._image, self._words = (kind(reader, question, scope) for kind in (begin, words))

    def hear(self, heard: Heard, reply: Reply) -> None:
        self._image.hear(heard, reply)
        self._words.hear(heard, reply)

    def maps(self) -> Float[Tensor, "phrase row column"]:
        made_up = self._made_up().cpu().numpy()
        image, told = self._image.maps().cpu().numpy(), self._words.maps().cpu().numpy()
        found = [merged(*one) for one in zip(image, made_up, told, strict=True)]
        return torch.from_numpy(np.stack(found)).to(self._reader.device)

    def _made_up(self) -> Float[Tensor, "phrase row column"]:
        """Attention to the phrases' tokens on images that are made up from them."""
        if self._reader.generate is None:
            raise DeixisError("no way to make up an image")
        trajectories = self._reader.generate(self._question.context)
        reader = replace(self._reader, trajectories=trajectories)
        question = replace(self._question, images=tuple(range(len(self._question))))
        told = words(reader, question, self._scope)
        gather(reader, question, [told])
        return told.maps()


def merged(
    image: Float[np.ndarray, "side side"], made_up: Float[np.ndarray, "side side"], told: Float[np.ndarray, "side side"]
) -> Float[np.ndarray, "side side"]:
    """(1-s)²·A + 2s(1-s)·(A + M + A⊙M)/2 + s²·M, with s = max(0, SSIM(I, T)) and M = norm(I @ T).

    @ is a matrix product of the two square maps; norm brings a map to [0, 1]; SSIM is of the maps in 8 bits. Generate
    to Ground averages the products of single readings; here the mean maps are multiplied.
    """
    from skimage.metrics import structural_similarity

    eight_bit = [np.round(255 * to_unit_range(one)).astype(np.uint8) for one in (image, made_up)]
    s = max(0.0, float(structural_similarity(*eight_bit, data_range=255)))
    product, own = to_unit_range(image @ made_up), to_unit_range(told)
    between = (own + product + own * product) / 2
    return np.asarray((1 - s) ** 2 * own + 2 * s * (1 - s) * between + s**2 * product, np.float32)
