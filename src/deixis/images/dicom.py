"""DICOM radiographs (CR, DX, SC), through pydicom: decode → modality → values of interest → polarity → [0, 1].

What a file says about its own display is followed in DICOM's order (PS3.4 N.2): rescale or modality LUT, then VOI LUT,
else window, then polarity. A file of more than 8 bits without either is shown between its percentiles 0.5 and 99.5, one
of 8 bits over its full range. All of that comes before the polarity, so the same numbers labelled MONOCHROME1 are one
minus those labelled MONOCHROME2, exactly.
"""

from __future__ import annotations

from io import BytesIO

import numpy as np
import pydicom
from jaxtyping import Bool, Float32, Float64, Int, Shaped
from pydicom.dataset import Dataset
from pydicom.pixels.processing import apply_color_lut

from deixis.images import levels, voi
from deixis.images.frames import first_frame
from deixis.images.header import AGAIN, DAMAGED, Header, quiet
from deixis.images.source import Reader, Source
from deixis.images.view import laterality, note_view, view
from deixis.images.voi import Levels, LookUp, Window
from deixis.types import Image

FORMATS = ("DICOM",)
GREY = ("MONOCHROME1", "MONOCHROME2")
# First elements of a data set without preamble: group 0002 or 0008, in either byte order.
FIRST_GROUPS = (b"\x02\x00", b"\x08\x00", b"\x00\x08")
FIRST_ELEMENTS = 0x0100


def recognises(head: bytes) -> bool:
    """Whether these first bytes are DICOM's: its magic word after the preamble, or at once a first element."""
    if head[128:132] == b"DICM":
        return True
    order = "big" if head.startswith(b"\x00\x08") else "little"
    element = int.from_bytes(head[2:4], order)  # type: ignore[arg-type]
    return len(head) > 8 and head.startswith(FIRST_GROUPS) and element < FIRST_ELEMENTS


def read_dicom(source: Source) -> Image:
    """The first frame in grey, as the file says it is to be shown.

    Raises:
        ImageError: damaged, cut short, without pixels, too large, or compressed in a way without decoder. The text
            names tags, never values.
    """
    try:
        with quiet():
            return _image(Header(source))
    except DAMAGED:
        # Neither the text nor the cause is passed on: both may quote the file.
        raise source.refused("is a damaged DICOM file", AGAIN) from None


def without_pixels(content: bytes) -> bytes:
    """The beginning of a DICOM file that can be read, up to its pixels; a deflated one stays whole."""
    stream = BytesIO(content)
    with quiet():
        dataset = pydicom.dcmread(stream, stop_before_pixels=True, force=True)
    deflated = dataset.file_meta.get("TransferSyntaxUID") == pydicom.uid.DeflatedExplicitVRLittleEndian
    return content if deflated else content[: stream.tell()]


def _image(header: Header) -> Image:
    stored = first_frame(header)
    photometric = header.text("PhotometricInterpretation")
    if stored.ndim == 3 or photometric.startswith("PALETTE"):
        pixels = _colour(header, stored)
    elif photometric in GREY:
        pixels = _grey(header, stored)
    else:
        raise header.refused("PhotometricInterpretation", "is none that a grey image has")
    note_view(header)
    spacing, seen = _spacing(header), view(header)
    return Image(pixels, spacing, header.source.path, tuple(header.notices), seen, laterality(header))


def _colour(header: Header, stored: Shaped[np.ndarray, "*axes"]) -> Float32[np.ndarray, "y x"]:
    """A colour image by luma, over the full range of its bits; windows do not apply to it."""
    depth = header.bits
    if stored.ndim == 2:
        stored = apply_color_lut(stored, header.dataset)[..., :3]
        depth = 8 if stored.max() < 256 else 16
    rgb = np.clip(levels.from_unsigned(stored, depth), 0, 1)
    if levels.has_colour(rgb):
        header.notices.append("colour converted to grey")
    return levels.luma(rgb)


def _grey(header: Header, stored: Shaped[np.ndarray, "y x"]) -> Float32[np.ndarray, "y x"]:
    if stored.dtype.kind == "f" and not np.isfinite(stored).all():
        raise header.refused("FloatPixelData", "holds NaN or infinite pixels", "Replace them first")
    found = Levels.of(stored)
    padding = _padding(header, found, stored.dtype)
    counts = np.where(padding, 0, found.counts)
    if not counts.any():
        header.note("PixelPaddingValue", "would hide every pixel and was ignored")
        padding, counts = np.zeros_like(padding), found.counts
    table = _of_interest(header, found.values, counts).astype(np.float32)
    if _inverted(header):
        table = np.float32(1) - table
    return found.shown(np.where(padding, np.float32(0), table))


def _padding(header: Header, found: Levels, dtype: np.dtype[np.generic]) -> Bool[np.ndarray, " level"]:
    """The levels that are no part of the picture; the tag's sign is that of the pixels, whatever its VR says."""
    value, limit = header.number("PixelPaddingValue"), header.number("PixelPaddingRangeLimit")
    if value is None or dtype.kind not in "iu":
        return np.zeros(found.values.shape, bool)
    ends = [int(np.asarray(int(end)).astype(dtype)) for end in (value, value if limit is None else limit)]
    return (found.values >= min(ends)) & (found.values <= max(ends))


def _of_interest(
    header: Header, values: Float64[np.ndarray, " level"], counts: Int[np.ndarray, " level"]
) -> Float64[np.ndarray, " level"]:
    """Stored numbers → brightness in [0, 1], before polarity."""
    modality, low, high = _modality(header, values)
    for keyword, transform in (("VOILUTSequence", _voi_look_up(header)), ("WindowCenter", _window(header))):
        if transform is None:
            continue
        table = transform(modality)
        if not voi.shows_nothing(table, counts):
            return table
        header.note(keyword, "leaves one grey only and was ignored")
    if high is not None and low is not None:
        return voi.spread(modality, low, high)
    return voi.middle(modality, counts)


def _modality(
    header: Header, values: Float64[np.ndarray, " level"]
) -> tuple[Float64[np.ndarray, " level"], float | None, float | None]:
    """Modality values, and the ends of their range where it is one of at most 8 bits."""
    bits = header.bits
    signed = header.number("PixelRepresentation") == 1
    low = -(1 << (bits - 1)) if signed else 0
    ends = np.array([low, low + (1 << bits) - 1], np.float64)
    table = _look_up(header, "ModalityLUTSequence")
    if table is not None:
        return table(values), *((0.0, float((1 << table.bits) - 1)) if table.bits <= 8 else (None, None))
    slope, intercept = header.number("RescaleSlope"), header.number("RescaleIntercept")
    if slope == 0:
        header.note("RescaleSlope", "is 0 and was ignored")
    slope, intercept = slope or 1.0, intercept or 0.0
    ends = np.sort(ends * slope + intercept)
    return values * slope + intercept, *((float(ends[0]), float(ends[1])) if bits <= 8 else (None, None))


def _voi_look_up(header: Header) -> LookUp | None:
    """The first VOI LUT, its output brought to [0, 1]."""
    table = _look_up(header, "VOILUTSequence")
    if table is None:
        return None
    # Writers are known to declare 16 bits for entries of fewer.
    depth = levels.depth_of(int(table.entries.max()))
    return LookUp(table.first, table.entries / ((1 << depth) - 1), table.bits)


def _window(header: Header) -> Window | None:
    """The first window; one that DICOM does not allow is ignored with a notice."""
    center, width = header.number("WindowCenter"), header.number("WindowWidth")
    if center is None or width is None:
        return None
    function = header.text("VOILUTFunction") or "LINEAR"
    if function not in voi.FUNCTIONS:
        header.note("VOILUTFunction", "is unknown and was read as LINEAR")
        function = "LINEAR"
    if width <= 0 or (function == "LINEAR" and width < 1):
        header.note("WindowWidth", "is too small and was ignored")
        return None
    return Window(center, width, function)


def _look_up(header: Header, keyword: str) -> LookUp | None:
    """The first table of a LUT sequence; None where there is none, and, with a notice, where it is malformed."""
    sequence = header.value(keyword)
    if sequence is None:
        return None
    try:
        return _table(header, sequence[0])
    except DAMAGED:
        header.note(keyword, "is malformed and was ignored")
        return None


def _table(header: Header, item: Dataset) -> LookUp:
    """LUTDescriptor and LUTData of an item; malformed ones raise ValueError or what pydicom raises."""
    length, first, bits = (int(number) for number in header.numbers("LUTDescriptor", item))
    data = item["LUTData"].value
    length = length or 1 << 16
    if isinstance(data, bytes):
        little = header.dataset.file_meta.TransferSyntaxUID.is_little_endian
        narrow = bits <= 8 and len(data) in (length, length + 1)
        data = np.frombuffer(data, "u1" if narrow else "<u2" if little else ">u2")
    entries = np.atleast_1d(np.asarray(data, np.float64))[:length]
    if not (1 <= bits <= 16 and len(entries) > 0 and entries.min() >= 0):  # NaN, of an empty element, is not >= 0
        raise ValueError("no look-up table")
    signed = header.number("PixelRepresentation") == 1
    return LookUp(first - (1 << 16) if signed and first >= 1 << 15 else first, entries, bits)


def _inverted(header: Header) -> bool:
    """Whether small numbers are to be bright.

    Either label says so, and both together still turn the image once (PS3.3 C.8.11.3 has them in step). Where they
    contradict, MONOCHROME1 counts: its neighbour PresentationLUTShape is the one known to be wrong in the wild.
    """
    monochrome1 = header.text("PhotometricInterpretation") == "MONOCHROME1"
    shape = header.text("PresentationLUTShape")
    if shape and (shape == "INVERSE") != monochrome1:
        header.note("PresentationLUTShape", "contradicts PhotometricInterpretation (0028,0004): check the polarity")
    return monochrome1 or shape == "INVERSE"


def _spacing(header: Header) -> tuple[float, float] | None:
    """Row and column spacing in millimetres: of the patient's plane where known, else of the detector's."""
    for keyword in ("PixelSpacing", "ImagerPixelSpacing", "NominalScannedPixelSpacing"):
        spacing = header.numbers(keyword)
        if not spacing:
            continue
        if len(spacing) != 2 or min(spacing) <= 0:
            header.note(keyword, "is not two positive numbers and was ignored")
            continue
        if keyword == "ImagerPixelSpacing":
            header.note(keyword, "gives the spacing: of the detector's plane, so lengths are magnified")
        return spacing[0], spacing[1]
    return None


DICOM = Reader(FORMATS, recognises, read_dicom)
