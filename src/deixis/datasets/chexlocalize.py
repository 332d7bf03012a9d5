"""CheXlocalize (Saporta et al., Nature Machine Intelligence 2022): findings in CheXpert as COCO masks.

Its pickled maps of other methods are not read: opening a pickle can run code.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool

from deixis.datasets.annotations import Annotation, assembled, by_template, root_of
from deixis.datasets.collection import Collection, Dataset, Note, Wanted
from deixis.datasets.rle import coco_mask, resized_mask
from deixis.datasets.tables import json_of, shaped
from deixis.errors import CaseError

SPLITS = ("val", "test")
# CheXpert's own name of the class.
RENAMED = {"Airspace Opacity": "Lung Opacity"}


def read(wanted: Wanted) -> Collection:
    """Findings of a split, by default of those whose tables are there."""
    root = root_of(wanted, "chexlocalize")
    splits = [wanted.split] if wanted.split else SPLITS
    tried = {s: [root / f / f"gt_segmentations_{s}.json" for f in ("CheXlocalize", ".")] for s in splits}
    tables = {split: next((file for file in files if file.is_file()), None) for split, files in tried.items()}
    if not any(tables.values()):
        raise CaseError(f"{root} holds no gt_segmentations_{{{','.join(splits)}}}.json, also not under CheXlocalize.")
    notes: list[Note] = []
    rows = [row for split, file in tables.items() if file is not None for row in _rows(file, split, notes)]
    return assembled("chexlocalize", rows, wanted, notes, templated=True)


def _rows(file: Path, split: str, notes: list[Note]) -> Iterator[Annotation]:
    content = json_of(file)
    with shaped(file, "table of CheXlocalize"):
        for image, labels in content.items():
            for label, encoded in labels.items():
                place = f"{file.name}:{image} {label}"
                try:
                    empty = not coco_mask(encoded).any()
                except (CaseError, KeyError, TypeError, ValueError) as error:
                    notes.append(Note("row unreadable", place, str(error)))
                    continue
                if empty:
                    notes.append(Note("no finding", place, label))
                    continue
                name = RENAMED.get(label, label)
                yield Annotation(
                    image=image,
                    files=_files(image, split),
                    category=name,
                    text=by_template(name),
                    row=place,
                    decode=partial(_decoded, encoded),
                    split=split,
                    patient=image.partition("_")[0],
                )


def _files(image: str, split: str) -> tuple[str, ...]:
    """patient64541_study1_view1_frontal lies in CheXpert/val/patient64541/study1/view1_frontal.jpg."""
    patient, study, view = image.split("_", maxsplit=2) if image.count("_") >= 2 else (image, "", "")
    path = f"{split}/{patient}/{study}/{view}.jpg"
    return (f"CheXpert/{path}", path, f"{image}.jpg", f"{image}.png")


def _decoded(encoded: Mapping[str, Any], shape: tuple[int, int]) -> Bool[np.ndarray, "y x"]:
    return resized_mask(coco_mask(encoded), shape)


CHEXLOCALIZE = Dataset(
    name="chexlocalize",
    summary="10 findings of CheXpert with masks",
    truth="class and masks, phrase by template",
    gate="Stanford AIMI agreement",
    layout=("CheXlocalize/gt_segmentations_{val,test}.json", "CheXpert/{val,test}/patient…/study…/view….jpg"),
    read=read,
)
