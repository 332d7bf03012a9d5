"""VinDr-CXR (Nguyen et al., Scientific Data 2022): findings with boxes; also Kaggle's VinBigData.

In the training part three readers drew boxes independently; those of one class that overlap are one finding, and become
their mean box. The test part holds the readers' consensus.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from deixis.datasets.annotations import Annotation, assembled, by_template, root_of
from deixis.datasets.collection import Collection, Dataset, Note, Wanted
from deixis.datasets.tables import csv_rows, numbers
from deixis.errors import CaseError

TABLES = {
    "train": ("annotations/annotations_train.csv", "annotations_train.csv", "train.csv"),
    "test": ("annotations/annotations_test.csv", "annotations_test.csv"),
}
CORNERS = ("x_min", "y_min", "x_max", "y_max")
NOTHING = "No finding"
# Boxes of two readers are of one finding from this overlap on (as weighted box fusion is used on this set).
SAME = 0.4


def read(wanted: Wanted) -> Collection:
    """Findings of a split, by default of all whose tables are there; option "readers" says how many must agree."""
    root = root_of(wanted, "vindr-cxr")
    least = int(wanted.options.get("readers", "1"))
    splits = [wanted.split] if wanted.split else list(TABLES)
    tables = {
        split: next((root / name for name in TABLES.get(split, ()) if (root / name).is_file()), None)
        for split in splits
    }
    if not any(tables.values()):
        names = [name for split in splits for name in TABLES.get(split, ())]
        raise CaseError(f"{root} holds no table of VinDr-CXR for {', '.join(splits)}: sought {', '.join(names)}.")
    notes: list[Note] = []
    rows = [row for split, file in tables.items() if file is not None for row in _rows(file, split, least, notes)]
    return assembled("vindr-cxr", rows, wanted, notes, templated=True)


def _rows(file: Path, split: str, least: int, notes: list[Note]) -> Iterator[Annotation]:
    groups: dict[tuple[str, str], list[tuple[str, str, tuple[float, ...]]]] = {}
    for place, row in csv_rows(file, ("image_id", "class_name", *CORNERS)):
        if row["class_name"] == NOTHING:
            notes.append(Note("no finding", place, row["image_id"]))
            continue
        corners = numbers([row[name] for name in CORNERS], place, notes)
        if corners is not None:
            key = (row["image_id"], row["class_name"])
            groups.setdefault(key, []).append((row.get("rad_id", ""), place, corners))
    for (image, label), drawn in groups.items():
        for boxes in clusters([corners for _, _, corners in drawn]):
            readers = {drawn[index][0] for index in boxes}
            if len(readers) >= least:
                x0, y0, x1, y1 = np.mean([drawn[index][2] for index in boxes], axis=0).tolist()
                yield Annotation(
                    image=image,
                    files=tuple(
                        f"{folder}{image}.{end}"
                        for folder in (f"{split}/", "")
                        for end in ("dicom", "dcm", "png", "jpg")
                    ),
                    category=label,
                    text=by_template(label),
                    row=drawn[boxes[0]][1],
                    box=(x0, y0, x1, y1),
                    split=split,
                    patient=image,
                )


def clusters(boxes: Sequence[Sequence[float]]) -> list[list[int]]:
    """Indices of boxes that are one finding: each joins the first group of which it overlaps a member enough."""
    groups: list[list[int]] = []
    for index, box in enumerate(boxes):
        near = next((group for group in groups if any(overlap(box, boxes[other]) >= SAME for other in group)), None)
        if near is None:
            groups.append([index])
        else:
            near.append(index)
    return groups


def overlap(first: Sequence[float], second: Sequence[float]) -> float:
    """IoU of two boxes of corners."""
    width = min(first[2], second[2]) - max(first[0], second[0])
    height = min(first[3], second[3]) - max(first[1], second[1])
    shared = max(width, 0.0) * max(height, 0.0)
    whole = sum((box[2] - box[0]) * (box[3] - box[1]) for box in (first, second)) - shared
    return shared / whole if whole > 0 else 0.0


VINDR_CXR = Dataset(
    name="vindr-cxr",
    summary="22 findings with boxes; also Kaggle's VinBigData",
    truth="class and boxes, phrase by template",
    gate="PhysioNet credentials",
    layout=("annotations/annotations_{train,test}.csv (or train.csv)", "{train,test}/IMAGE.dicom"),
    read=read,
)
