"""From a mask to boxes: one per connected component."""

from __future__ import annotations

import numpy as np
import scipy.ndimage
from jaxtyping import Bool, Float

from deixis.maps.masks import NEIGHBOURS
from deixis.types import Box


def boxes_of(mask: Bool[np.ndarray, "y x"], heat: Float[np.ndarray, "y x"], *, minimum_area: float) -> tuple[Box, ...]:
    """The boxes around the mask's components of at least `minimum_area` pixels, best first.

    A box covers its component's pixels exactly (half-open); its score is the mean heat of the component in [0, 1].
    """
    labels, count = scipy.ndimage.label(mask, NEIGHBOURS)
    found = []
    for index, (rows, columns) in enumerate(scipy.ndimage.find_objects(labels, count), start=1):
        component = labels[rows, columns] == index
        if component.sum() >= minimum_area:
            score = float(heat[rows, columns][component].mean())
            corners = columns.start, rows.start, columns.stop, rows.stop
            x0, y0, x1, y1 = (float(corner) for corner in corners)
            found.append(Box(x0, y0, x1, y1, min(1.0, max(0.0, score))))
    return tuple(sorted(found, key=lambda box: box.score, reverse=True))
