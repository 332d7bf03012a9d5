"""Run-length encoded masks: SIIM-ACR's relative runs, and COCO's, plain and compressed. All go down the columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Bool, Int

from deixis.errors import CaseError


def from_runs(runs: Sequence[int], shape: tuple[int, int]) -> Bool[np.ndarray, "y x"]:
    """A mask from lengths of alternating runs, background first, down the columns.

    Raises:
        CaseError: the runs do not add up to the image.
    """
    height, width = shape
    if any(run < 0 for run in runs) or sum(runs) != height * width:
        raise CaseError(f"A run-length mask covers {sum(runs)} pixels; the image has {width}×{height}.")
    flat = np.repeat(np.arange(len(runs)) % 2 == 1, runs)
    return np.asarray(flat.reshape(width, height).T)


def siim_runs(encoded: str, shape: tuple[int, int]) -> list[int]:
    """SIIM-ACR's pairs of gap and length, each gap counted from the end of the run before, as alternating runs.

    "-1" means no mask.
    """
    height, width = shape
    values = [int(value) for value in encoded.split()]
    if values == [-1]:
        return [height * width]
    if len(values) % 2 or any(value < 0 for value in values):
        raise CaseError(f"SIIM's runs come in pairs of gap and length; got {encoded[:40]!r}.")
    rest = height * width - sum(values)
    if rest < 0:
        raise CaseError(f"A run-length mask covers {sum(values)} pixels; the image has {width}×{height}.")
    return [*values, rest]


def coco_runs(counts: str | Sequence[int]) -> list[int]:
    """COCO's runs, plain or compressed.

    Compressed, a character is 48 more than six bits of which five carry a number, low ones first; from the third run on
    each is written as the difference to the one two before (pycocotools).
    """
    if not isinstance(counts, str):
        return [int(count) for count in counts]
    runs: list[int] = []
    value, shift = 0, 0
    for letter in counts:
        bits = ord(letter) - 48
        if not 0 <= bits < 64:
            raise CaseError(f"A compressed run-length mask holds {letter!r}, which is none of its characters.")
        value |= (bits & 0x1F) << shift
        shift += 5
        if bits & 0x20:
            continue
        # The highest bit of the last five is the sign.
        value -= (1 << shift) if bits & 0x10 else 0
        runs.append(value + (runs[-2] if len(runs) > 2 else 0))
        value, shift = 0, 0
    if shift:
        raise CaseError("A compressed run-length mask ends inside a number.")
    return runs


def coco_mask(encoded: Mapping[str, Any]) -> Bool[np.ndarray, "y x"]:
    """The mask of a COCO object ``{"size": [height, width], "counts": …}``."""
    height, width = (int(side) for side in encoded["size"])
    return from_runs(coco_runs(encoded["counts"]), (height, width))


def resized_mask(mask: Bool[np.ndarray, "y x"], shape: tuple[int, int]) -> Bool[np.ndarray, "y x"]:
    """The mask for an image of another size: each pixel takes what lies at its centre."""
    if mask.shape == shape:
        return mask
    rows, columns = (_centres(shape[axis], mask.shape[axis]) for axis in (0, 1))
    return np.asarray(mask[np.ix_(rows, columns)])


def _centres(count: int, of: int) -> Int[np.ndarray, " side"]:
    return np.asarray(((np.arange(count) + 0.5) * of / count).astype(np.int64))


def polygon_mask(points: Sequence[Sequence[float]], shape: tuple[int, int]) -> Bool[np.ndarray, "y x"]:
    """The inside of a polygon of ``x, y`` points, its edge with it."""
    from skimage.draw import polygon2mask

    corners = np.array([(y, x) for x, y in points], dtype=np.float64)
    return np.asarray(polygon2mask(shape, corners))
