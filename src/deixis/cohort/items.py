"""What a cohort is made of: items with phrases or a report, grouped by image, and what became of those that failed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Set
from dataclasses import dataclass, replace
from typing import Literal, get_args

from deixis.errors import ManifestError

Kind = Literal["manifest", "unreachable", "image", "phrase", "report", "memory", "crash", "model", "bug"]
KINDS: tuple[Kind, ...] = get_args(Kind)
# What may have passed by the next run, which tries it again without being told to.
PASSING: frozenset[Kind] = frozenset({"unreachable", "memory"})


@dataclass(frozen=True, slots=True)
class Item:
    """A row of the manifest.

    Args:
        row: its number in the manifest, as an editor or spreadsheet counts.
        image: path or URL as it is written there.
        phrases: what to look for.
        report: a radiology report, whose asserted findings are looked for too.
        split: "train", "val", "test" or whatever the manifest says; it goes through.
        id: unique in the manifest; where it gives none, a hash of the row's content.
    """

    row: int
    image: str
    phrases: tuple[str, ...] = ()
    report: str | None = None
    split: str | None = None
    id: str = ""

    def __post_init__(self) -> None:
        if not self.image:
            raise ManifestError("names no image. Fill in its column `image`.")
        if not self.phrases and self.report is None:
            raise ManifestError("has neither phrases nor a report. Fill in one of them, or give --phrase.")
        if not all(phrase.strip() for phrase in self.phrases):
            raise ManifestError("has an empty phrase. Take it out.")
        if not self.id:
            content = repr((self.image, self.phrases, self.report)).encode("utf-8", "surrogatepass")
            object.__setattr__(self, "id", hashlib.sha256(content).hexdigest()[:16])


@dataclass(frozen=True, slots=True)
class Failure:
    """Why an item, or one phrase of it, has no answer.

    Args:
        row: as of the item.
        id: of the item; "" where the row could not be read.
        image: as it is written in the manifest; "" where it could not be read.
        kind: whose fault it is.
        reason: what was wrong, and what to do.
    """

    row: int
    id: str
    image: str
    kind: Kind
    reason: str


@dataclass(frozen=True, slots=True)
class Sheet:
    """An image and all items about it, so that it is read and walked once."""

    image: str
    items: tuple[Item, ...]

    def failed(self, kind: Kind, reason: str) -> tuple[Failure, ...]:
        """The same failure for every item."""
        return tuple(Failure(item.row, item.id, self.image, kind, reason) for item in self.items)


@dataclass(frozen=True, slots=True)
class Block:
    """Images that are done together: the unit of work, of going on, and of a file of results.

    Args:
        number: counted from 0, in manifest order.
        sheets: its images, or those of them that are still to be done.
    """

    number: int
    sheets: tuple[Sheet, ...]

    def of(self, rows: Set[int]) -> Block:
        """Only the images about which there is one of these items."""
        return replace(self, sheets=tuple(sheet for sheet in self.sheets if rows & {i.row for i in sheet.items}))


def blocks_of(items: Iterable[Item], size: int) -> tuple[Block, ...]:
    """Blocks of `size` images, in the order in which the manifest first names them."""
    by_image: dict[str, list[Item]] = {}
    for item in items:
        by_image.setdefault(item.image, []).append(item)
    sheets = [Sheet(image, tuple(found)) for image, found in by_image.items()]
    starts = range(0, len(sheets), size)
    return tuple(Block(number, tuple(sheets[start : start + size])) for number, start in enumerate(starts))
