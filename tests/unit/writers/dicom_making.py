"""Groundings of DICOM images made by hand: a phantom's file, and what a test wants changed in it."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pydicom
from pydicom.dataset import Dataset

from deixis.types import Grounding
from deixis.writers.dicom_cr import write_cr
from unit.writers.making import empty_grounding, grounding


def written(folder: Path, change: Callable[[Dataset], object] | None = None, **how) -> Path:
    """The planted image as a CR file, changed."""
    path = write_cr(grounding(**how).image, folder / "chest.dcm")
    if change is not None:
        made = pydicom.dcmread(path)
        with pydicom.config.disable_value_validation():
            change(made)
            made.save_as(path)
    return path


def groundings(path: Path, *phrases: str, **how) -> list[Grounding]:
    """One grounding of that file per phrase; an empty one for "nothing"."""
    asked = phrases or ("right pleural effusion", "cardiomegaly")
    image = replace(grounding(**how).image, source=path)
    made = [empty_grounding() if text == "nothing" else grounding(text, **how) for text in asked]
    return [replace(one, image=image) for one in made]
