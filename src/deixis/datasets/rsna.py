"""The RSNA pneumonia detection challenge (Shih et al., Radiology: AI 2019): opacities with boxes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from deixis.datasets.annotations import Annotation, assembled, by_template, one_of, root_of
from deixis.datasets.collection import Collection, Dataset, Note, Wanted
from deixis.datasets.tables import corner_box, csv_rows, numbers

LABEL = "Pneumonia"
CORNER = ("x", "y", "width", "height")
# Boxes are drawn in images of this size.
SIDE = 1024


def read(wanted: Wanted) -> Collection:
    """All boxes; images without one are noted."""
    root = root_of(wanted, "rsna")
    file = one_of(root, ("stage_2_train_labels.csv", "rsna_sample.csv"), "label table")
    notes: list[Note] = []
    return assembled("rsna", list(_rows(file, notes)), wanted, notes, templated=True)


def _rows(file: Path, notes: list[Note]) -> Iterator[Annotation]:
    for place, row in csv_rows(file, ("patientId", *CORNER, "Target")):
        if row["Target"] == "0":
            notes.append(Note("no finding", place, row["patientId"]))
            continue
        corner = numbers([row[name] for name in CORNER], place, notes)
        if corner is not None:
            image = row["patientId"]
            yield Annotation(
                image=image,
                files=tuple(
                    f"{folder}{image}.{end}" for end in ("dcm", "png") for folder in ("stage_2_train_images/", "")
                ),
                category=LABEL,
                text=by_template(LABEL),
                row=place,
                box=corner_box(corner),
                size=(SIDE, SIDE),
                patient=image,
            )


RSNA = Dataset(
    name="rsna",
    summary="pneumonia with boxes in 6,012 images",
    truth="class and boxes, phrase by template",
    gate="Kaggle's rules",
    layout=("stage_2_train_labels.csv", "stage_2_train_images/PATIENT.dcm"),
    read=read,
)
