"""What every dataset gives: its cases, and a note for whatever was left out or changed on the way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from deixis.types import Case

Trouble = Literal[
    "image missing", "image unreadable", "size differs", "box empty", "box outside", "box clipped", "duplicate",
    "no finding", "row unreadable", "no truth",
]  # fmt: skip
# What is only told; of everything else a row was left out.
MENDED = ("size differs", "box clipped", "duplicate", "no finding")


@dataclass(frozen=True)
class Note:
    """One row of the annotations that did not go through as it stands.

    Args:
        trouble: what was wrong.
        row: where it stands in the file.
        detail: the offending value.
    """

    trouble: Trouble
    row: str
    detail: str


@dataclass(frozen=True)
class Collection:
    """The cases of a dataset, those of one image next to each other.

    Args:
        makers: give one case each; a mask is decoded only then, so that a large set fits into memory.
        notes: what was left out or mended, in the order of the file.
        phrases: how the phrases came about: the dataset's own, or by which template.
    """

    makers: tuple[Callable[[], Case], ...]
    notes: tuple[Note, ...] = ()
    phrases: str = "the dataset's own"

    def __len__(self) -> int:
        return len(self.makers)

    def __iter__(self) -> Iterator[Case]:
        return (make() for make in self.makers)

    @property
    def counts(self) -> Mapping[str, int]:
        """How many notes of each trouble."""
        return dict(Counter(note.trouble for note in self.notes))


@dataclass(frozen=True)
class Wanted:
    """Which part of a dataset is asked for.

    Args:
        root: the folder that holds it; None for one that needs none.
        split: "train", "val", "test", or None for all.
        language: of the phrases, where there is a choice.
        limit: at most so many cases, whole images; None for all.
        options: what one dataset alone understands, by name.
    """

    root: Path | None = None
    split: str | None = None
    language: str = "en"
    limit: int | None = None
    options: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Dataset:
    """A row of the table `deixis.datasets.DATASETS`.

    Args:
        name: its row.
        summary: one line for `deixis datasets`.
        truth: what says where.
        gate: what its owners ask.
        layout: the files under its root.
        read: gives the part that is asked for.
    """

    name: str
    summary: str
    truth: str
    gate: str
    layout: tuple[str, ...]
    read: Callable[[Wanted], Collection]
