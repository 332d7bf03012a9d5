"""The SIIM-ACR pneumothorax challenge: masks as runs down the columns, each gap counted from the run before."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
from jaxtyping import Bool

from deixis.datasets.annotations import Annotation, assembled, by_template, one_of, root_of
from deixis.datasets.collection import Collection, Dataset, Note, Wanted
from deixis.datasets.rle import from_runs, resized_mask, siim_runs
from deixis.datasets.tables import csv_rows
from deixis.errors import CaseError

LABEL = "Pneumothorax"
FILES = ("train-rle.csv", "stage_2_train.csv", "siim_sample.csv")
# Masks are drawn in images of this size.
SIDES = (1024, 1024)


def read(wanted: Wanted) -> Collection:
    """All images with a mask; several rows of one image are one mask."""
    root = root_of(wanted, "siim")
    file = one_of(root, FILES, "table of masks")
    below = {image.stem: str(image.relative_to(root)) for image in root.rglob("*.dcm")}
    notes: list[Note] = []
    return assembled("siim", list(_rows(file, below, notes)), wanted, notes, templated=True)


def _rows(file: Path, below: dict[str, str], notes: list[Note]) -> Iterator[Annotation]:
    for place, row in csv_rows(file, ("ImageId", "EncodedPixels")):
        image, encoded = row["ImageId"], row["EncodedPixels"]
        if encoded == "-1":
            notes.append(Note("no finding", place, image))
            continue
        try:
            siim_runs(encoded, SIDES)
        except (CaseError, ValueError) as error:
            notes.append(Note("row unreadable", place, str(error)))
            continue
        yield Annotation(
            image=image,
            files=(below.get(image, f"{image}.dcm"), f"{image}.png"),
            category=LABEL,
            text=by_template(LABEL),
            row=place,
            decode=partial(decoded, encoded),
            patient=image,
        )


def decoded(encoded: str, shape: tuple[int, int]) -> Bool[np.ndarray, "y x"]:
    """The mask of one row, for an image of any size."""
    return resized_mask(from_runs(siim_runs(encoded, SIDES), SIDES), shape)


SIIM = Dataset(
    name="siim",
    summary="pneumothorax with masks",
    truth="class and masks, phrase by template",
    gate="the competition's rules",
    layout=("train-rle.csv or stage_2_train.csv", "….dcm, anywhere below"),
    read=read,
)
