"""Pixel data of a DICOM header, decoded: the first frame, checked against its size before anything is decoded."""

from __future__ import annotations

import numpy as np
from jaxtyping import Shaped
from pydicom.encaps import generate_frames
from pydicom.pixels.decoders.base import get_decoder
from pydicom.pixels.utils import pixel_array
from pydicom.uid import JPEGExtended12Bit

from deixis.images import extended
from deixis.images.codestream import coded_size, is_sound
from deixis.images.header import AGAIN, DAMAGED, Header

CONTAINERS = (1, 8, 16, 32, 64)
PIXELS = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")
# Bits per number that Pillow's JPEG decoder takes.
PILLOW_BITS = 8


def first_frame(header: Header) -> Shaped[np.ndarray, "*axes"]:
    """The stored numbers of the first frame: ``[y x]``, or ``[y x 3]`` of a colour image.

    Unused bits are cleared, YBR colour comes as RGB.

    Raises:
        ImageError: no pixels, too many, contradicting sizes, no decoder for the compression, or damaged data.
    """
    if not any(keyword in header.dataset for keyword in PIXELS):
        raise header.refused(
            "PixelData", "is missing", "The file is cut short, or is no image; give the image instance"
        )
    _check_form(header)
    _check_compression(header)
    if _is_extended(header):
        return _aligned(header, extended.decoded(header, _first_coded(header)))
    for plugin in _plugins(header):
        try:
            values = pixel_array(header.dataset, index=0, correct_unused_bits=False, decoding_plugin=plugin)
        except DAMAGED:
            continue
        return _aligned(header, values)
    raise header.refused("PixelData", "is damaged or cut short")


def _plugins(header: Header) -> tuple[str, ...]:
    """The decoders to try, in pydicom's order; "" leaves the choice to it.

    GDCM ends the whole process over some damaged JPEG streams, so it is asked only for what it alone decodes, and only
    over streams whose headers are whole.
    """
    plugins = get_decoder(header.dataset.file_meta.TransferSyntaxUID).available_plugins
    others = tuple(plugin for plugin in plugins if plugin != "gdcm")
    if others or not plugins:
        return others or ("",)
    if not is_sound(_first_coded(header)):
        raise header.refused("PixelData", "is damaged or cut short")
    return plugins


def _is_extended(header: Header) -> bool:
    """Whether it is JPEG Extended of more bits than pydicom's decoders of it take."""
    return header.dataset.file_meta.TransferSyntaxUID == JPEGExtended12Bit and header.bits > PILLOW_BITS


def _first_coded(header: Header) -> bytes:
    """The first frame as it is compressed."""
    frames = max(1, int(header.number("NumberOfFrames") or 1))
    return next(generate_frames(header.dataset.PixelData, number_of_frames=frames))


def _check_form(header: Header) -> None:
    """Refuse sizes and depths that no image has."""
    header.source.check_size(header.required("Rows"), header.required("Columns"))
    if header.required("BitsAllocated") not in CONTAINERS:
        raise header.refused("BitsAllocated", f"is none of {', '.join(map(str, CONTAINERS))}")
    if "PixelData" in header.dataset:
        header.required("BitsStored"), header.required("PixelRepresentation")
    if not 1 <= header.bits <= header.required("BitsAllocated"):
        raise header.refused("BitsStored", "is not between 1 and BitsAllocated")
    if header.required("SamplesPerPixel") not in (1, 3):
        raise header.refused("SamplesPerPixel", "is neither 1 nor 3")
    if not header.text("PhotometricInterpretation"):
        raise header.refused("PhotometricInterpretation", "is missing")
    header.dataset.PhotometricInterpretation = header.text("PhotometricInterpretation")
    frames = header.number("NumberOfFrames")
    if frames is not None and frames > 1:
        header.notices.append("only the first of several frames was read")


def _check_compression(header: Header) -> None:
    """Refuse a compression without decoder, and a compressed picture of another size than the header's."""
    syntax = header.dataset.file_meta.TransferSyntaxUID
    named = syntax.name if syntax.name != str(syntax) else "an unknown transfer syntax"
    try:
        decoder = get_decoder(syntax)
    except NotImplementedError:
        raise header.source.refused(f"is stored as {named}, which holds no image that deixis decodes", AGAIN) from None
    if not (extended.is_installed() if _is_extended(header) else decoder.is_available):
        remedy = "Install deixis with its dicom extra: pip install 'deixis[dicom]'"
        raise header.source.refused(f"is compressed as {named}, for which no decoder is installed", remedy)
    if not syntax.is_encapsulated:
        return
    try:
        size = coded_size(_first_coded(header))
    except (*DAMAGED, StopIteration):
        raise header.refused("PixelData", "is damaged or cut short") from None
    if size is not None and size != (header.required("Rows"), header.required("Columns")):
        raise header.refused("Rows", "and Columns (0028,0011) contradict the size of the compressed picture")


def _aligned(header: Header, values: Shaped[np.ndarray, "*axes"]) -> Shaped[np.ndarray, "*axes"]:
    """Whole numbers without the bits above HighBit (overlays of old files) and below the stored ones."""
    bits, container = header.bits, 8 * values.dtype.itemsize
    high = header.required("HighBit", default=bits - 1)
    if values.dtype.kind not in "iu" or header.dataset.file_meta.TransferSyntaxUID.is_encapsulated:
        high = bits - 1  # decoders align what they decode
    if values.dtype.kind not in "iu" or bits >= container or not bits - 1 <= high < container:
        return values
    return np.asarray((values << (container - 1 - high)) >> (container - bits))
