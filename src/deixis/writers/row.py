"""What a row of the writers' table is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from deixis.radiology import GroundedReport
from deixis.types import Grounding, Image


def any_image(_image: Image) -> None:
    """Takes every image."""


@dataclass(frozen=True)
class Writer:
    """A row of the writers' table.

    Args:
        write: (the groundings of one image, an existing folder, the name under which that folder will stand) → the
            files written into the folder. A file belongs to one phrase if its name is that of `naming.numbered` with a
            suffix, and to the image if it is the folder's name with a suffix.
        write_report: the same where a whole report was asked, which it gets too; its groundings are among the others.
            None for a format that has no place for a report.
        last: whether it runs after all others, because it lists what they wrote.
        accepts: raises `ImageError` over an image that it cannot write about; asked before anything is computed.
    """

    write: Callable[[Sequence[Grounding], Path, str], tuple[Path, ...]]
    last: bool = False
    accepts: Callable[[Image], None] = any_image
    write_report: Callable[[GroundedReport, Sequence[Grounding], Path, str], tuple[Path, ...]] | None = None
