"""Answers that another system wrote, so that it stands in the same table by the same metrics and controls.

A folder holds ``CASE.npz`` per case, CASE being the case's id in `cases.csv`: ``heat``, an array ``[y x]`` of any size
that is stretched over the image, or ``boxes``, an array ``[n 5]`` of x0 y0 x1 y1 score in the image's pixels, or both;
and ``mask`` where the system has one. A ``predictions.json`` may hold boxes alone: ``{CASE: {"boxes": [[…], …]}}``.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32

from deixis.errors import CaseError
from deixis.evaluate import Answer
from deixis.geometry import resized
from deixis.metrics.boxes import filled
from deixis.types import Box, Case, HeatMap

FILE = "predictions.json"


class Predictions:
    """A method like any other: the cases of one image in, what the folder holds of them out."""

    def __init__(self, folder: Path) -> None:
        """Raise `CaseError` where the folder holds no predictions at all."""
        if not folder.is_dir() or not ((folder / FILE).is_file() or any(folder.glob("*.npz"))):
            raise CaseError(f"{folder} holds no predictions: neither {FILE} nor CASE.npz files.")
        self.folder = folder

    def __call__(self, cases: Sequence[Case]) -> list[Answer]:
        """One answer per case; a case without a prediction, or with a broken one, raises `CaseError` that names it."""
        return [self._answer(case) for case in cases]

    @cached_property
    def _boxes(self) -> Mapping[str, Any]:
        if not (self.folder / FILE).is_file():
            return {}
        try:
            content: Mapping[str, Any] = json.loads((self.folder / FILE).read_text(encoding="utf-8"))
        except ValueError as error:
            raise CaseError(f"{self.folder / FILE} is no JSON: {error}.") from error
        return content

    def _answer(self, case: Case) -> Answer:
        arrays = self._arrays(case)
        boxes = None if "boxes" not in arrays else _boxes(np.asarray(arrays["boxes"], np.float64), case)
        if "heat" in arrays:
            heat = np.asarray(resized(np.asarray(arrays["heat"], np.float64), case.shape), np.float32)
        elif boxes is not None:
            heat = _painted(boxes, case.shape)
        else:
            raise CaseError(f"The prediction of {case.id} holds neither heat nor boxes.")
        mask = arrays.get("mask")
        if mask is not None and np.shape(mask) != case.shape:
            raise CaseError(f"The mask of {case.id} is {np.shape(mask)}; the image is {case.shape}.")
        known = HeatMap(heat, np.ones(case.shape, np.bool_))
        return Answer(known, None, None if mask is None else np.asarray(mask, np.bool_), boxes)

    def _arrays(self, case: Case) -> Mapping[str, Any]:
        file = self.folder / f"{case.id}.npz"
        if file.is_file():
            try:
                with np.load(file, allow_pickle=False) as opened:
                    return dict(opened)
            except (ValueError, OSError, zipfile.BadZipFile) as error:
                raise CaseError(f"{file} cannot be read: {error}.") from error
        if case.id not in self._boxes:
            raise CaseError(f"{self.folder} holds no prediction of {case.id}.")
        found: Mapping[str, Any] = self._boxes[case.id]
        return found


def _boxes(values: np.ndarray, case: Case) -> tuple[Box, ...]:
    if values.size and (values.ndim != 2 or values.shape[1] != 5):
        raise CaseError(f"The boxes of {case.id} are {values.shape}, not [n 5]: x0 y0 x1 y1 score.")
    return tuple(Box(*map(float, row)) for row in values.reshape(-1, 5))


def _painted(boxes: Sequence[Box], shape: tuple[int, int]) -> Float32[np.ndarray, "y x"]:
    """Heat of boxes: each pixel takes the best score over it."""
    heat = np.zeros(shape, np.float32)
    for box in boxes:
        inside = filled([box], shape)
        heat[inside] = np.maximum(heat[inside], box.score)
    return heat
