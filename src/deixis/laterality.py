"""The patient's left and right in a phrase: which is named, and the phrase with the two exchanged."""

from __future__ import annotations

import re
from typing import Literal, cast

Side = Literal["left", "right"]
WORDS = re.compile(r"\b(left|right)\b", re.IGNORECASE)


def side_named(text: str) -> Side | None:
    """The patient's side that a phrase names, if it names one and not the other."""
    sides = {word.lower() for word in WORDS.findall(text)}
    return cast("Side", sides.pop()) if len(sides) == 1 else None


def swapped_side(text: str) -> str:
    """The text with left and right exchanged, capitals kept; a text that names neither is returned as it is."""
    return WORDS.sub(_other, text)


def _other(found: re.Match[str]) -> str:
    word = found.group(0)
    other = "right" if word.lower() == "left" else "left"
    return other.capitalize() if word[0].isupper() else other
