"""The sections of a report, by their headings."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

# What a heading may read, and the section that it opens.
HEADINGS: Mapping[str, tuple[str, ...]] = {
    "findings": ("findings?", "report", "observations?", "description"),
    "impression": ("impressions?", "conclusions?", "opinions?", "summary", "assessment", "diagnosis", "interpretation"),
    "indication": (
        "(clinical )?indications?", "(clinical |patient )?history",
        "clinical (data|details|information|question|statement)",
        "reason for (exam|examination|study|this examination)",
        "symptoms?",
    ),
    "comparison": ("comparisons?", "compared to", "prior (exams?|studies)"),
    "technique": (
        "techniques?", "procedures?", "views?", "exam(ination)?", "stud(y|ies)", "type of (exam|study)",
        "contrast", "date",
    ),
    "recommendation": ("recommendations?", "notifications?", "communications?", "follow[ -]?up"),
    "addendum": ("addend(um|a)",),
}  # fmt: skip
# What these say is of another time, of other pictures, or a question: they are shown, and nothing is read out of them.
UNREAD = frozenset({"indication", "comparison", "technique", "recommendation"})
# A heading stands at the start of a line, or in capitals anywhere; a colon closes it. "Lungs:" opens no section.
_NAMES = {section: "|".join(names) for section, names in HEADINGS.items()}
_LINE = re.compile(
    r"(?:^|\n)[ \t]*(?:\*\*|#+[ \t]*)?(?:final |radiology )?(?:"
    + "|".join(f"(?P<{section}>{names})" for section, names in _NAMES.items())
    + r")(?:\*\*)?[ \t]*(?::|\n)[ \t*]*",
    re.IGNORECASE,
)
_CAPITALS = re.compile(
    r"(?<![\w-])(?:FINAL |RADIOLOGY )?(?:"
    + "|".join(f"(?P<{section}>{_names.upper()})" for section, _names in _NAMES.items())
    + r")[ \t]*:[ \t]*"
)


@dataclass(frozen=True)
class Section:
    """A section by its place in the text, its heading left out.

    Args:
        start: first character.
        end: one past the last.
        name: a key of `HEADINGS`; "" for what stands before any heading.
    """

    start: int
    end: int
    name: str

    @property
    def read(self) -> bool:
        """Whether findings are read out of it."""
        return self.name not in UNREAD


def sections(text: str) -> tuple[Section, ...]:
    """The sections of a text, in order; one without a name where there are no headings."""
    heads = {match.end(): match for pattern in (_LINE, _CAPITALS) for match in pattern.finditer(text)}
    found, start, name = [], 0, ""
    for end, match in sorted(heads.items()):
        if match.start() < start:
            continue
        found.append(Section(start, match.start(), name))
        start, name = end, str(match.lastgroup)
    found.append(Section(start, len(text), name))
    return tuple(section for section in found if text[section.start : section.end].strip())
