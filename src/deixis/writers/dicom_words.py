"""Text as DICOM's elements take it: one line without backslashes, which separate values, and of bounded length.

The standard counts letters, and its best-known validator counts bytes. Bytes of UTF-8 are bounded here, so both agree.
"""

from __future__ import annotations

import unicodedata

NOTHING_LEFT = "phrase"
DOTS = "…"


def line(text: str, most: int) -> str:
    """`text` in one line of at most `most` bytes of UTF-8; a longer one is cut after a word and ends in "…"."""
    plain = "".join("/" if letter == "\\" else letter if _plain(letter) else " " for letter in text)
    whole = " ".join(plain.split()) or NOTHING_LEFT
    if size(whole) <= most:
        return whole
    cut = whole.encode()[: most - size(DOTS)].decode(errors="ignore")
    head, _, _ = cut.rpartition(" ")
    return f"{(head if size(head) > most // 2 else cut).rstrip()}{DOTS}"


def size(text: str) -> int:
    """Bytes of UTF-8."""
    return len(text.encode())


def _plain(letter: str) -> bool:
    """Whether a letter may stand in a line: no control, no surrogate, nothing unassigned."""
    return unicodedata.category(letter)[0] != "C"
