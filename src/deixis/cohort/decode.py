"""The first step of a block: its images decoded, which needs no model and can run where there is no GPU."""

from __future__ import annotations

from dataclasses import dataclass

from deixis.cohort.faults import fault, refused, set_aside, told
from deixis.cohort.fetch import fetch
from deixis.cohort.items import Block, Kind, Sheet
from deixis.cohort.order import Errand
from deixis.cohort.packed import Packed
from deixis.errors import caught


@dataclass(frozen=True)
class Failed:
    """Why an image could not be decoded."""

    kind: Kind
    reason: str


@dataclass(frozen=True)
class Decoded:
    """A block with its images.

    Args:
        block: it.
        images: one per sheet.
        stopped: why there are none, where not even notes can be written.
    """

    block: Block
    images: tuple[Packed | Failed, ...]
    stopped: str = ""


@dataclass(frozen=True)
class Decode:
    """From a block to its images; the first step of `deixis.crew.Work`."""

    errand: Errand

    def __call__(self, block: Block) -> Decoded:
        """Every image of the block, or why it cannot be had."""
        try:
            with self.errand.ledger.attempt(block.number, "decode") as attempt:
                images = [
                    self._decoded(sheet) if attempt.starting(sheet.image) else Failed("crash", set_aside("decoded"))
                    for sheet in block.sheets
                ]
        except OSError as error:
            return Decoded(block, (), refused(self.errand.cohort.output, error))
        return Decoded(block, tuple(images))

    def _decoded(self, sheet: Sheet) -> Packed | Failed:
        found = caught(self._packed, sheet)
        return Failed(fault(found), told(found)) if isinstance(found, Exception) else found

    def _packed(self, sheet: Sheet) -> Packed:
        return Packed.of(fetch(sheet.image, self.errand.root))
