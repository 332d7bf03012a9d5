"""Texts to token ids, with the characters that each token came from; nothing is ever cut off silently."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from deixis.errors import PhraseError


@dataclass(frozen=True)
class Tokenized:
    """Padded token ids of some texts.

    Args:
        ids: per text and position.
        real: per text and position, 1 where the token is no padding.
        spans: per text and token the characters ``[start, end)`` it came from; begin, end and padding have (0, 0).
        ends: per text the position of the end token.
    """

    ids: list[list[int]]
    real: list[list[int]]
    spans: tuple[tuple[tuple[int, int], ...], ...]
    ends: tuple[int, ...]


def tokenized(tokenizer: Any, texts: Sequence[str], limit: int, name: str, *, room: int = 2) -> Tokenized:
    """Token ids of `texts`, padded to `limit`.

    `name` is the model's, for the error; `room` is how many of the tokens begin and end take.

    Raises:
        PhraseError: a text has more tokens than fit; says how many it has and how many fit.
    """
    encoded = tokenizer(
        list(texts), padding="max_length", max_length=limit, truncation=False, return_offsets_mapping=True,
        return_attention_mask=True,
    )  # fmt: skip
    for number, ids in enumerate(encoded["input_ids"], start=1):
        if len(ids) > limit:
            # Not quoted: text of a report can hold names, and errors end up in logs.
            which = "The phrase" if len(texts) == 1 else f"Phrase {number} of {len(texts)}"
            raise PhraseError(
                f"{which} makes {len(ids) - room} tokens, and {limit - room} fit into {name!r}. Shorten it, or ask in "
                f"parts."
            )
    real = encoded["attention_mask"]
    return Tokenized(
        ids=encoded["input_ids"],
        real=real,
        spans=tuple(tuple((int(a), int(b)) for a, b in row) for row in encoded["offset_mapping"]),
        ends=tuple(sum(row) - 1 for row in real),
    )
