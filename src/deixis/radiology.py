"""What a radiology report says, sentence by sentence, and where in the image it was found.

Offsets are characters of the report's own text, half-open. The floor holds these values because three rooms and the
corridor meet over them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal, get_args

from deixis.errors import ReportError
from deixis.notebook import VIEWS
from deixis.types import Grounding, Image, Laterality

Status = Literal["present", "absent", "uncertain", "prior"]
STATUSES: tuple[Status, ...] = get_args(Status)


@dataclass(frozen=True)
class Mention:
    """A finding or device that a sentence names.

    Args:
        start: first character of its name in the report.
        end: one past its last character.
        status: present; absent (denied); uncertain (hedged, or one of several); prior (no more, or from the history).
        category: finding class.
        laterality: the patient's side, where the sentence tells it.
        zones: parts of the lung that the sentence tells, such as "lower" or "basal".
        phrase: the text to ground: the name with its own modifiers and place, not the whole sentence.
    """

    start: int
    end: int
    status: Status
    category: str
    phrase: str
    laterality: Laterality | None = None
    zones: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not 0 <= self.start < self.end:
            raise ReportError(f"A mention needs 0 <= start < end; got {self.start} and {self.end}.")
        if self.status not in STATUSES:
            raise ReportError(f"A mention is {', '.join(STATUSES)}; got {self.status!r}.")
        if not self.phrase.strip():
            raise ReportError("A mention needs a phrase to be grounded by; got an empty one.")


@dataclass(frozen=True)
class Sentence:
    """A sentence by its place in the report.

    Args:
        start: first character.
        end: one past the last.
        section: "findings", "impression" and so on; "" where the report has no headings.
        mentions: what it names, in order, apart from each other and inside the sentence.
    """

    start: int
    end: int
    section: str = ""
    mentions: tuple[Mention, ...] = ()

    def __post_init__(self) -> None:
        at = self.start
        for mention in self.mentions:
            if not at <= mention.start < mention.end <= self.end:
                raise ReportError(
                    f"Mention {mention.start}–{mention.end} leaves its sentence {self.start}–{self.end}, or its order."
                )
            at = mention.end
        if not 0 <= self.start < self.end:
            raise ReportError(f"A sentence needs 0 <= start < end; got {self.start} and {self.end}.")


@dataclass(frozen=True)
class RadiologyReport:
    """A report, read.

    Args:
        text: as it came.
        sentences: in order, apart from each other and inside the text.
    """

    text: str
    sentences: tuple[Sentence, ...]

    def __post_init__(self) -> None:
        at = 0
        for sentence in self.sentences:
            if not at <= sentence.start < sentence.end <= len(self.text):
                raise ReportError(
                    f"Sentence {sentence.start}–{sentence.end} leaves the report of {len(self.text)} characters, "
                    "or its order."
                )
            at = sentence.end

    @property
    def mentions(self) -> tuple[Mention, ...]:
        """All mentions, in order."""
        return tuple(mention for sentence in self.sentences for mention in sentence.mentions)

    def of_status(self, status: Status) -> tuple[Mention, ...]:
        """The mentions of one status, in order."""
        return tuple(mention for mention in self.mentions if mention.status == status)


@dataclass(frozen=True)
class GroundedMention:
    """A mention, and where it is in the image or why that was not asked.

    Args:
        mention: what the report names.
        grounding: where it is; the mentions of one phrase share theirs.
        reason: why there is no grounding; "" where there is one.
    """

    mention: Mention
    grounding: Grounding | None = None
    reason: str = ""

    def __post_init__(self) -> None:
        if (self.grounding is None) != bool(self.reason):
            raise ReportError("A mention has either a grounding or a reason for having none.")


@dataclass(frozen=True)
class GroundedReport:
    """A report beside its image: what it asserts is grounded, what it denies, doubts or remembers is listed.

    Args:
        image: what was asked about.
        report: what was said.
        answers: one per mention of the report, in order.
    """

    image: Image
    report: RadiologyReport
    answers: tuple[GroundedMention, ...]

    def __post_init__(self) -> None:
        if tuple(answer.mention for answer in self.answers) != self.report.mentions:
            raise ReportError(
                f"{len(self.answers)} answers do not stand for the report's {len(self.report.mentions)} mentions."
            )

    @cached_property
    def groundings(self) -> tuple[Grounding, ...]:
        """One per phrase, in the order in which the report first names it."""
        found = (answer.grounding for answer in self.answers if answer.grounding is not None)
        return tuple({id(grounding): grounding for grounding in found}.values())

    @property
    def ungrounded(self) -> tuple[GroundedMention, ...]:
        """The answers without a grounding, in order."""
        return tuple(answer for answer in self.answers if answer.grounding is None)

    def _repr_html_(self) -> str:
        """What a notebook shows: the report beside its picture."""
        return str(VIEWS["report.html"](self))

    def _repr_png_(self) -> bytes:
        """The picture alone, where HTML is not shown."""
        return bytes(VIEWS["report.png"](self))
