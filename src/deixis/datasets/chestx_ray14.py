"""The boxes of NIH ChestX-ray14 (Wang et al., CVPR 2017): BBox_List_2017.csv, read by position.

Its header names the fourth to sixth column as parts of one name, and some copies lack the three empty columns behind.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from deixis.datasets.annotations import Annotation, assembled, by_template, one_of, root_of
from deixis.datasets.collection import Collection, Dataset, Note, Wanted
from deixis.datasets.tables import corner_box, numbers, rows_of
from deixis.errors import CaseError

FILES = ("BBox_List_2017.csv", "BBox_List_2017.csv.gz", "nih_BBox_List_2017.csv.gz", "nih_BBox_List_2017.csv")
# Boxes are drawn in images of this size, whatever size a copy has been shrunk to.
SIDE = 1024
# What the list calls otherwise than the labels of the images.
RENAMED = {"Infiltrate": "Infiltration"}


def read(wanted: Wanted) -> Collection:
    """All boxes; the list has no splits of its own."""
    root = root_of(wanted, "chestx-ray14")
    file = one_of(root, FILES, "box list")
    notes: list[Note] = []
    return assembled("chestx-ray14", list(rows(file, notes)), wanted, notes, templated=True)


def rows(file: Path, notes: list[Note]) -> Iterator[Annotation]:
    """Annotations of the list; a header of another file raises `CaseError`."""
    name, reader = file.name, rows_of(file)
    header = next(reader, [])
    if header[:2] != ["Image Index", "Finding Label"]:
        raise CaseError(f"{name} is no box list of ChestX-ray14: it begins with {', '.join(header[:3]) or 'nothing'}.")
    for number, row in enumerate(reader, start=2):
        place = f"{name}:{number}"
        corner = numbers(row[2:6], place, notes) if len(row) >= 6 else None
        if corner is None:
            notes.extend([Note("row unreadable", place, ",".join(row))] if len(row) < 6 else [])
            continue
        label = RENAMED.get(row[1], row[1])
        yield Annotation(
            image=row[0],
            files=tuple(
                f"{folder}{row[0]}" for folder in ("images/", "", *(f"images_{i:03}/images/" for i in range(1, 13)))
            ),
            category=label,
            text=by_template(label),
            row=place,
            box=corner_box(corner),
            size=(SIDE, SIDE),
            patient=row[0].partition("_")[0],
        )


CHESTX_RAY14 = Dataset(
    name="chestx-ray14",
    summary="984 boxes of 8 findings in NIH ChestX-ray14",
    truth="class and boxes, phrase by template",
    gate="",
    layout=("BBox_List_2017.csv", "images/….png, or images_001/images/….png …"),
    read=read,
)
