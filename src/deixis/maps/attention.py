"""Attention alone: the published reading (arXiv 2404.12920), of the phrase's tokens or of one other kind."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional

from deixis.maps.gathering import Gathering, Scope
from deixis.maps.reading import Question, Reader, Reply
from deixis.maps.taps import Heard
from deixis.maps.token_maps import TokenMaps
from deixis.maps.tokens import TokenKind, content_tokens, phrase_tokens, token_kinds

Chosen = Sequence[Bool[np.ndarray, " token"]]
Formed = Callable[[Heard], Float[Tensor, "case pixel token"]]


class MeanAttention(Gathering):
    """Mean attention to chosen tokens, in [0, 1], at the model's image size.

    Per site and step: mean over tokens and heads, min-max to [0, 1], bilinear to the image's size; then the mean over
    sites and steps.
    """

    def __init__(self, reader: Reader, scope: Scope, chosen: Chosen, formed: Formed | None = None) -> None:
        """`formed` gives what is averaged in the place of the model's own probabilities."""
        self.sites, self._side, self._formed = scope.sites, reader.model.spec.image_size, formed
        self._sums = TokenMaps(even(chosen, reader.device), scope.levels, stretch=True)

    def hear(self, heard: Heard, reply: Reply) -> None:
        self._sums.add(heard, reply, None if self._formed is None else self._formed(heard))

    def maps(self) -> Float[Tensor, "phrase row column"]:
        return mean_over_sites(self._sums, self._side)


def words(reader: Reader, question: Question, scope: Scope) -> Gathering:
    """The phrase's tokens: arXiv 2404.12920."""
    return MeanAttention(reader, scope, words_of(question))


def content(reader: Reader, question: Question, scope: Scope) -> Gathering:
    """As `words`, without the phrase's function words ("in", "the", …): the content tokens of Generate to Ground."""
    chosen = [content_tokens(question.context, row, phrase) for row, phrase in enumerate(question.phrases)]
    return MeanAttention(reader, scope, chosen)


def punctuation(reader: Reader, question: Question, scope: Scope) -> Gathering:
    """As `words`, of the text's punctuation; 0 for a text without."""
    return _of_kind(reader, question, scope, "punctuation")


def end(reader: Reader, question: Question, scope: Scope) -> Gathering:
    """As `words`, of the end token."""
    return _of_kind(reader, question, scope, "end")


def begin(reader: Reader, question: Question, scope: Scope) -> Gathering:
    """As `words`, of the begin token."""
    return _of_kind(reader, question, scope, "begin")


def padding(reader: Reader, question: Question, scope: Scope) -> Gathering:
    """As `words`, of the padding; 0 for a text that fills all tokens."""
    return _of_kind(reader, question, scope, "padding")


def words_of(question: Question) -> list[Bool[np.ndarray, " token"]]:
    """The tokens of each phrase."""
    return [phrase_tokens(question.context, row, phrase) for row, phrase in enumerate(question.phrases)]


def even(chosen: Chosen, device: torch.device) -> Float[Tensor, "phrase 1 token"]:
    """Weights of the mean over the chosen tokens of each phrase."""
    weights = np.stack([mask / max(1, mask.sum()) for mask in chosen])
    return torch.from_numpy(weights[:, None, :]).to(device, torch.float32)


def mean_over_sites(sums: TokenMaps, side: int) -> Float[Tensor, "phrase row column"]:
    """The first slot's maps of all sites, enlarged to the image's side, and their mean."""
    maps = sums.maps()
    total = sum(
        functional.interpolate(summed[:, :1], (side, side), mode="bilinear", align_corners=False)
        for summed in maps.values()
    )
    return torch.as_tensor(total)[:, 0] / len(maps)


def _of_kind(reader: Reader, question: Question, scope: Scope, kind: TokenKind) -> Gathering:
    chosen = [token_kinds(question.context, row).of(kind) for row in range(len(question))]
    return MeanAttention(reader, scope, chosen)
