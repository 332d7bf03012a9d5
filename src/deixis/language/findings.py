"""Which findings and devices a sentence names, and where."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar

from deixis.language.lexicon import patterns


@dataclass(frozen=True)
class Span:
    """A run of characters of a sentence."""

    start: int
    end: int

    def meets(self, other: Span) -> bool:
        """Whether the two share a character."""
        return self.start < other.end and other.start < self.end


@dataclass(frozen=True)
class Name(Span):
    """The name of a finding, by its place in a sentence."""

    category: str = ""


Run = TypeVar("Run", bound=Span)


def names(sentence: str) -> tuple[Name, ...]:
    """What the sentence names, in order and apart from each other; of names that meet, the longest is meant."""
    found = [
        Name(match.start(), match.end(), category)
        for category, pattern in patterns()
        for match in pattern.finditer(sentence)
    ]
    return tuple(name for name in longest(found) if name.category)


def longest(runs: Iterable[Run]) -> list[Run]:
    """Of runs that meet, the longest, and of equals the one that was found first; in order of place."""
    kept: list[Run] = []
    for run in sorted(runs, key=lambda run: (run.start - run.end, run.start)):
        if not any(run.meets(other) for other in kept):
            kept.append(run)
    return sorted(kept, key=lambda run: run.start)
