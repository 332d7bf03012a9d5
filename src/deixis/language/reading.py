"""From the text of a report to what each of its sentences says."""

from __future__ import annotations

import re

from deixis.errors import ReportError
from deixis.language.findings import Name, Span, names
from deixis.language.locations import place_of
from deixis.language.negation import judged
from deixis.language.sections import sections
from deixis.language.sentences import WORD, sentences
from deixis.radiology import Mention, RadiologyReport, Sentence, Status

# Reports have a few thousand characters; past this a text is something else.
MOST_CHARACTERS = 20_000
NO_TEXT = re.compile(r"[\x00-\x08\x0e-\x1f\x7f]|\ufffd")


def read_report(text: str) -> RadiologyReport:
    """What a report says: its sentences, and the findings that each of them names.

    Args:
        text: the whole report, with headings or without. What stands under indication, history, comparison and
            technique is kept, and nothing is read out of it.

    Raises:
        ReportError: the text is empty, holds no word, is longer than `MOST_CHARACTERS`, or is no text.
    """
    check(text)
    told = [
        Sentence(span.start, span.end, section.name, mentions(text, span) if section.read else ())
        for section in sections(text)
        for span in sentences(text, section.start, section.end)
    ]
    return RadiologyReport(text, tuple(told))


def mentions(text: str, span: Span) -> tuple[Mention, ...]:
    """The findings that one sentence of a text names, at their places in the text."""
    sentence = text[span.start : span.end]
    found = names(sentence)
    return tuple(_mention(sentence, found, one.name, span.start, one.status) for one in judged(sentence, found))


def check(text: str) -> None:
    """Raise `ReportError` where a text cannot be a report."""
    if not WORD.search(text):
        raise ReportError("The report holds no words. Give its text, for instance from FINDINGS to IMPRESSION.")
    if len(text) > MOST_CHARACTERS:
        raise ReportError(
            f"The report has {len(text)} characters, more than the {MOST_CHARACTERS} that are read. "
            "Give one report at a time."
        )
    if strange := NO_TEXT.search(text):
        raise ReportError(
            f"The report holds the character {strange.group()!r} at {strange.start()}, which no text has. "
            "Is it a text file in UTF-8?"
        )


def _mention(sentence: str, found: tuple[Name, ...], name: Name, offset: int, status: Status) -> Mention:
    place = place_of(sentence, found, found.index(name))
    return Mention(
        start=offset + name.start,
        end=offset + name.end,
        status=status,
        category=name.category,
        phrase=place.phrase,
        laterality=place.laterality,
        zones=place.zones,
    )
