"""Reports: what a text asserts, denies, leaves open or remembers; the assertions are phrases to ask for."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Form

from deixis.ground_report import REASONS
from deixis.language import MOST_CHARACTERS, read_report
from deixis.radiology import Mention, Sentence
from deixis.web.problems import Problem, told

router = APIRouter(prefix="/v1/reports", tags=["reports"])
TOO_LONG = f"The report has more than {MOST_CHARACTERS} characters. Send one report at a time."
ReportText = Annotated[str, Form(description="The text of a report, with headings or without.")]


@dataclass(frozen=True)
class MentionRead:
    """A finding that a report names.

    Args:
        start: first character of its name.
        end: one past its last.
        status: present, absent, uncertain or prior.
        category: finding class.
        phrase: what to look for it by.
        reason: why it is not looked for, or null.
    """

    start: int
    end: int
    status: str
    category: str
    phrase: str
    reason: str | None


@dataclass(frozen=True)
class SentenceRead:
    """A sentence of a report: its characters, its section ("" for none), and what it names."""

    start: int
    end: int
    section: str
    mentions: tuple[MentionRead, ...]


@dataclass(frozen=True)
class ReportRead:
    """A report, read; offsets count characters (Unicode code points) of what was sent, half-open."""

    sentences: tuple[SentenceRead, ...]


@router.post("", responses=told(400, 413, 422, 429))
async def read(report: ReportText) -> ReportRead:
    """What a report says, sentence by sentence. Nothing of it is kept."""
    if len(report) > MOST_CHARACTERS:
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, TOO_LONG)
    found = await asyncio.to_thread(read_report, report)
    return ReportRead(tuple(_sentence(one) for one in found.sentences))


def _sentence(sentence: Sentence) -> SentenceRead:
    mentions = tuple(_mention(one) for one in sentence.mentions)
    return SentenceRead(sentence.start, sentence.end, sentence.section, mentions)


def _mention(mention: Mention) -> MentionRead:
    reason = REASONS.get(mention.status)
    return MentionRead(mention.start, mention.end, mention.status, mention.category, mention.phrase, reason)
