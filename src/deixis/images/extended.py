"""JPEG Extended of 12 bits through GDCM itself: pydicom hands that to none of its decoders."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec

import numpy as np
from jaxtyping import UInt16

from deixis.images.codestream import coded_bits, is_sound
from deixis.images.header import DAMAGED, Header

BITS = 12
STANDARD_ERROR = 2


def is_installed() -> bool:
    """Whether GDCM is there."""
    return find_spec("gdcm") is not None


def decoded(header: Header, frame: bytes) -> UInt16[np.ndarray, "y x"]:
    """The numbers of a grey frame.

    Raises:
        ImageError: the frame is damaged, or of another depth than it may have.
    """
    import gdcm

    if not is_sound(frame) or coded_bits(frame) != BITS or header.required("SamplesPerPixel") != 1:
        raise header.refused("PixelData", "is damaged or cut short")
    shape = header.required("Rows"), header.required("Columns")
    fragment, fragments = gdcm.Fragment(), gdcm.SequenceOfFragments.New()
    fragment.SetByteStringValue(frame)
    fragments.AddFragment(fragment)
    element = gdcm.DataElement(gdcm.Tag(0x7FE0, 0x0010))
    element.SetValue(fragments.__ref__())
    image = gdcm.Image()
    image.SetNumberOfDimensions(2)
    image.SetDimensions((shape[1], shape[0], 1))
    image.SetDataElement(element)
    image.SetPhotometricInterpretation(gdcm.PhotometricInterpretation(gdcm.PhotometricInterpretation.MONOCHROME2))
    image.SetTransferSyntax(gdcm.TransferSyntax(gdcm.TransferSyntax.JPEGExtendedProcess2_4))
    image.SetPixelFormat(gdcm.PixelFormat(1, 16, BITS, BITS - 1, 0))
    try:
        with _unheard():
            # GDCM's bytes come as a text.
            buffer = image.GetBuffer().encode("utf-8", "surrogateescape")
    except DAMAGED:
        raise header.refused("PixelData", "is damaged or cut short") from None
    if len(buffer) != 2 * shape[0] * shape[1]:
        raise header.refused("PixelData", "is damaged or cut short")
    return np.frombuffer(buffer, np.uint16).reshape(shape)


@contextmanager
def _unheard() -> Iterator[None]:
    """Standard error of the C libraries, away: GDCM tries its decoder of 8 bits first, and that complains."""
    kept = os.dup(STANDARD_ERROR)
    try:
        with open(os.devnull, "wb") as nowhere:  # noqa: PTH123 - a device, not a path
            os.dup2(nowhere.fileno(), STANDARD_ERROR)
        yield
    finally:
        os.dup2(kept, STANDARD_ERROR)
        os.close(kept)
