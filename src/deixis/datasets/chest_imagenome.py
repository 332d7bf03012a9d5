"""The gold boxes of Chest ImaGenome (Wu et al., NeurIPS 2021): anatomy in images of MIMIC-CXR."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from deixis.datasets.annotations import Annotation, assembled, by_template, root_of
from deixis.datasets.collection import Collection, Dataset, Note, Wanted
from deixis.datasets.tables import csv_rows, numbers
from deixis.errors import CaseError

TABLE = "gold_bbox_coordinate_annotations_1000images.csv"
CORNERS = ("original_x1", "original_y1", "original_x2", "original_y2")


def read(wanted: Wanted) -> Collection:
    """Boxes of the gold set in original pixels; four zeros say that an anatomy is not in the image."""
    root = root_of(wanted, "chest-imagenome")
    found = sorted(root.rglob(TABLE))
    if not found:
        raise CaseError(f"{root} holds no {TABLE}, also not further down.")
    below = {file.stem: str(file.relative_to(root)) for end in ("jpg", "dcm", "png") for file in root.rglob(f"*.{end}")}
    notes: list[Note] = []
    return assembled("chest-imagenome", list(_rows(found[0], below, notes)), wanted, notes, templated=True)


def _rows(file: Path, below: dict[str, str], notes: list[Note]) -> Iterator[Annotation]:
    for place, row in csv_rows(file, ("image_id", "bbox_name", *CORNERS)):
        corners = numbers([row[name] for name in CORNERS], place, notes)
        if corners is None:
            continue
        if not any(corners):
            notes.append(Note("no finding", place, row["bbox_name"]))
            continue
        image = row["image_id"].removesuffix(".dcm")
        yield Annotation(
            image=image,
            files=(below.get(image, f"{image}.jpg"),),
            category=row["bbox_name"],
            text=by_template(row["bbox_name"]),
            row=place,
            box=(corners[0], corners[1], corners[2], corners[3]),
            patient=row.get("patient_id") or None,
        )


CHEST_IMAGENOME = Dataset(
    name="chest-imagenome",
    summary="anatomy with boxes in 1,000 images of MIMIC-CXR",
    truth="anatomy and boxes, phrase by template",
    gate="PhysioNet credentials",
    layout=(f"gold_dataset/{TABLE}", "images of MIMIC-CXR, anywhere below"),
    read=read,
)
