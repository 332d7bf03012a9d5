"""From a file to an `Image`: grey, in [0, 1], bright meaning dense.

Formats are told apart by content, never by suffix. A further one is a `Reader` in a row of `READERS`.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from deixis.errors import UnknownFormatError
from deixis.images.source import BOUNDS, HEAD, Bounds, Reader, open_source
from deixis.registry import Table
from deixis.types import Image

# In this order they are asked; each is imported only when it is its turn.
READERS: Table[Reader] = Table(
    kind="image reader",
    group="deixis.images",
    builtin={
        "raster": "deixis.images.raster:RASTER",
        "dicom": "deixis.images.dicom:DICOM",
    },
)


def read(source: str | Path | bytes | bytearray | memoryview, bounds: Bounds = BOUNDS) -> Image:
    """Read a PNG, JPEG, TIFF or DICOM file, given by its path or its bytes.

    The image comes in native pixels, as a viewer would show it: windowed, MONOCHROME1 turned, EXIF orientation
    applied. What had to be done to it stands in its notices. `bounds` says how large it may be.

    Raises:
        ImageError: missing, unreadable, damaged, of no known format (`UnknownFormatError`), too large
            (`TooLargeError`), or the same grey everywhere.
    """
    opened = open_source(source, bounds)
    head = opened.content[:HEAD]
    for name in READERS:
        reader = READERS[name]
        if reader.recognises(head):
            image = reader.read(opened)
            if np.ptp(image.pixels) == 0:
                raise opened.refused("is the same grey everywhere", "Give an image that shows something")
            return image
    known = ", ".join(one for name in READERS for one in READERS[name].formats)
    raise UnknownFormatError(
        f"{opened.name} is not an image that deixis reads. It reads {known}; convert it to one of them."
    )


__all__ = ["READERS", "Bounds", "Reader", "read"]
