"""Attention alone: the published reading (arXiv 2404.12920), of the phrase's tokens or of one other kind."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional

from deixis.maps.reading import Question, Reader
from deixis.maps.taps import AttentionSums
from deixis.maps.tokens import TokenKind, phrase_tokens, token_kinds


def words(reader: Reader, question: Question) -> Float[Tensor, "phrase row column"]:
    """Mean attention to the phrase's tokens, in [0, 1], at the model's image size.

    Per site and step: mean over tokens and heads, min-max to [0, 1], bilinear to the image's size; then the mean over
    sites and steps.
    """
    chosen = [phrase_tokens(question.context, row, phrase) for row, phrase in enumerate(question.phrases)]
    return mean_attention(reader, question, chosen)


def punctuation(reader: Reader, question: Question) -> Float[Tensor, "phrase row column"]:
    """As `words`, of the text's punctuation; 0 for a text without."""
    return _of_kind(reader, question, "punctuation")


def end(reader: Reader, question: Question) -> Float[Tensor, "phrase row column"]:
    """As `words`, of the end token."""
    return _of_kind(reader, question, "end")


def begin(reader: Reader, question: Question) -> Float[Tensor, "phrase row column"]:
    """As `words`, of the begin token."""
    return _of_kind(reader, question, "begin")


def padding(reader: Reader, question: Question) -> Float[Tensor, "phrase row column"]:
    """As `words`, of the padding; 0 for a text that fills all tokens."""
    return _of_kind(reader, question, "padding")


def mean_attention(
    reader: Reader, question: Question, chosen: list[Bool[np.ndarray, " token"]]
) -> Float[Tensor, "phrase row column"]:
    """The published reading of the chosen tokens of every phrase."""
    weights = torch.from_numpy(np.stack([mask / max(1, mask.sum()) for mask in chosen])[:, None, :])
    tap = AttentionSums(weights.to(question.context.states.device, torch.float32), stretch=True)
    reader.attend(question, tap)
    side = reader.model.spec.image_size
    maps = tap.maps()
    total = sum(
        functional.interpolate(summed, (side, side), mode="bilinear", align_corners=False) for summed in maps.values()
    )
    return torch.as_tensor(total)[:, 0] / (len(maps) * reader.steps)


def _of_kind(reader: Reader, question: Question, kind: TokenKind) -> Float[Tensor, "phrase row column"]:
    chosen = [token_kinds(question.context, row).of(kind) for row in range(len(question))]
    return mean_attention(reader, question, chosen)
