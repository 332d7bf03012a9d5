"""From groundings to files: ``DIR/<stem>[-n]/{groundings.json, NN-<slug>.png, NN-<slug>.npz}``.

A further format is a `Writer` in a row of `WRITERS`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from deixis.radiology import GroundedReport
from deixis.registry import Table
from deixis.types import Grounding, Image
from deixis.writers.aside import replaced_folder
from deixis.writers.json import listed_files
from deixis.writers.naming import folder_names, stem_of
from deixis.writers.row import Writer

if TYPE_CHECKING:
    from deixis.writers.dicom_objects import Objects

WRITERS: Table[Writer] = Table(
    kind="output format",
    group="deixis.writers",
    builtin={
        "png": "deixis.writers.overlay:PNG",
        "json": "deixis.writers.json:JSON",
        "npz": "deixis.writers.npz:NPZ",
        "seg": "deixis.writers.dicom_seg:SEG",
        "sr": "deixis.writers.dicom_sr:SR",
        "sc": "deixis.writers.dicom_sc:SC",
    },
)
# Of these formats the objects can also be had without files, to be sent elsewhere.
DICOM_OBJECTS: Table[Objects] = Table(
    kind="DICOM object format",
    group="deixis.dicom_objects",
    builtin={
        "seg": "deixis.writers.dicom_seg:SEGMENTATIONS",
        "sr": "deixis.writers.dicom_sr:REPORTS",
        "sc": "deixis.writers.dicom_sc:CAPTURES",
    },
)
FORMATS = ("png", "json", "npz")


def check_image(image: Image, formats: Sequence[str]) -> None:
    """Raise `ImageError` where one of the formats does not write about such an image."""
    for name in formats:
        WRITERS[name].accepts(image)


@dataclass(frozen=True)
class WrittenFiles:
    """What now stands on disk for one image.

    Args:
        folder: the image's folder.
        files: the files in it, in alphabetical order.
    """

    folder: Path
    files: tuple[Path, ...]


def write(
    groundings: Sequence[Grounding],
    out_dir: str | Path,
    formats: Sequence[str] = FORMATS,
    stem: str | None = None,
    report: GroundedReport | None = None,
) -> WrittenFiles:
    """Write the groundings of one image into its folder ``out_dir/stem``.

    All files are written aside; then the folder takes its place as a whole and replaces that of an earlier run, as
    far as its ``groundings.json`` lists it. An interruption leaves the earlier one. Files that are not ours stay.

    Args:
        groundings: of one image, at least one where there is no report.
        out_dir: made where it is missing.
        formats: rows of `WRITERS`.
        stem: name of the image's folder, by default its file's name; for several images see `folder_names`.
        report: a report that was asked of the image, its groundings among the others; it gets a page of its own.

    Raises:
        OutputError: the place cannot be written to.
        UnknownNameError: a format that is not known; nothing is written then.
        ImageError: a format that does not write about such an image; nothing is written then.
    """
    if not groundings and report is None:
        raise ValueError("no groundings to write: ground at least one phrase first")
    writers = sorted((WRITERS[name] for name in dict.fromkeys(formats)), key=lambda writer: writer.last)
    image = groundings[0].image if report is None else report.image
    folder = Path(out_dir) / (stem_of(image.source) if stem is None else stem)
    with replaced_folder(folder, listed_files(folder)) as beside:
        if report is not None:
            # Pages need Pillow, which nobody should pay for who only asks for the table's names.
            from deixis.writers.report_page import write_page

            write_page(report, beside)
        for writer in writers:
            if report is not None and writer.write_report is not None:
                writer.write_report(report, groundings, beside, folder.name)
            elif groundings:
                writer.write(groundings, beside, folder.name)
        names = sorted(path.name for path in beside.iterdir())
    return WrittenFiles(folder, tuple(folder / name for name in names))


__all__ = ["DICOM_OBJECTS", "FORMATS", "WRITERS", "Writer", "WrittenFiles", "check_image", "folder_names", "write"]
