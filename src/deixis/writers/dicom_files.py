"""DICOM objects as files: ``<stem>.seg.dcm`` and so on, one per object."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from deixis.types import Grounding, Image
from deixis.writers.aside import write_bytes
from deixis.writers.dicom_objects import Objects, check_installed
from deixis.writers.dicom_original import Original
from deixis.writers.naming import numbered
from deixis.writers.row import Writer


def dicom_writer(objects: Objects) -> Writer:
    """The row of a format whose files are DICOM objects about a DICOM image."""

    def write(groundings: Sequence[Grounding], folder: Path, stem: str) -> tuple[Path, ...]:
        names = numbered(groundings)
        return tuple(
            write_bytes(
                folder / f"{stem if one.phrase is None else names[one.phrase]}.{one.kind.name}.dcm", one.encoded()
            )
            for one in objects.of(groundings, Original.of_image(groundings[0].image))
        )

    return Writer(write, accepts=_accepts)


def _accepts(image: Image) -> None:
    check_installed()
    Original.of_image(image)
