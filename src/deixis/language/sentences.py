"""Where the sentences of a section begin and end."""

from __future__ import annotations

import re
from collections.abc import Iterator

from deixis.language.findings import Span

# The number or sign that opens an item of a list.
ITEM = r"(?:\d{1,2}[.)]|[-–*•])"
# Where a sentence may end: at a stop before a blank; at a stop to which the next sentence is glued; before an item of a
# list; at a blank line; at the end of a line that an item or a capitalised word follows.
END = re.compile(
    r"(?<=[.?!])[)\"”]*\s+|(?<=[a-z)][.?!])(?=[A-Z][a-z])"
    rf"|(?<=[\w.?!:,])\s+(?={ITEM}\s+[A-Z])|\n\s*\n|\n[ \t]*(?={ITEM}\s)"
    r"|(?<=[a-z:)])[ \t]*\n[ \t]*(?=[A-Z][a-z]+\b)"
)
# A stop that ends no sentence: of an abbreviation, or of an item's number.
NO_STOP = re.compile(
    rf"(?:\b(?:Dr|Mr|Mrs|Ms|Prof|St|vs|cf|approx|e\.g|i\.e|incl|resp|ca|Fig)\.|(?:^|[\s.?!]){ITEM})\s*\Z", re.IGNORECASE
)
WORD = re.compile(r"[^\W\d_]{2}")
# No sentence is longer; what is, and is therefore no prose, is cut at a blank, so that reading it takes bounded time.
MOST = 600


def sentences(text: str, start: int, end: int) -> Iterator[Span]:
    """The sentences between two offsets of a text, without what surrounds them; pieces without a word are left out."""
    for span in _ended(text, start, end):
        at = span.start
        while span.end - at > MOST:
            blank = max(text.rfind(" ", at, at + MOST), text.rfind("\n", at, at + MOST))
            stop = blank if blank > at else at + MOST
            yield from _trimmed(text, at, stop)
            at = stop
        yield from _trimmed(text, at, span.end)


def _ended(text: str, start: int, end: int) -> Iterator[Span]:
    """The pieces between the ends of sentences."""
    at = start
    for cut in [*END.finditer(text, start, end), None]:
        stop = end if cut is None else cut.start()
        piece = text[at:stop]
        if cut is not None and "\n" not in cut.group() and NO_STOP.search(piece[-12:]):
            continue
        if piece:
            yield Span(at, stop)
        at = end if cut is None else cut.end()


def _trimmed(text: str, start: int, end: int) -> Iterator[Span]:
    piece = text[start:end]
    if WORD.search(piece):
        yield Span(start + len(piece) - len(piece.lstrip()), start + len(piece.rstrip()))
