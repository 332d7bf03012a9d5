"""PNG, JPEG and TIFF, through Pillow.

Bit depths: 8-bit grey is divided by 255. A 16-bit container is divided by the full range of the bits in use (12-bit
numbers, as radiographs have, by 4095), never stretched to its own minimum and maximum, so that exposure stays what it
was. Floats in [0, 1] are kept; other floats and signed numbers have no declared range and go from minimum to maximum.
"""

from __future__ import annotations

import struct
import warnings
import zlib
from io import BytesIO

import numpy as np
from jaxtyping import Float32, Shaped
from PIL import Image as Pillow
from PIL import ImageOps

from deixis.images import levels
from deixis.images.source import Reader, Source
from deixis.types import Image

FORMATS = ("PNG", "JPEG", "TIFF")
MAGIC = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
ORIENTATION = 0x0112
PHOTOMETRIC = 262
WHITE_IS_ZERO = 0
COLOURS = frozenset({"P", "PA", "LA", "RGB", "RGBA", "RGBX", "CMYK", "YCbCr", "HSV"})
# What Pillow raises on a file that is not what it begins as; each a fact about the file, none about the program.
DAMAGED = (
    OSError, EOFError, SyntaxError, ValueError, TypeError, AttributeError, LookupError, ArithmeticError, RuntimeError,
    AssertionError, struct.error, zlib.error,
)  # fmt: skip


def recognises(head: bytes) -> bool:
    """Whether these first bytes are those of a PNG, JPEG or TIFF file."""
    return head.startswith(MAGIC)


def read_raster(source: Source) -> Image:
    """The image in grey, orientation applied.

    Raises:
        ImageError: damaged, cut short, too large, or stored in a way that cannot be turned to grey.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Pillow.open(BytesIO(source.content), formats=FORMATS) as file:
                source.check_size(file.height, file.width)
                return _image(source, file)
    except Pillow.DecompressionBombError as error:
        raise source.too_large() from error
    except DAMAGED as error:
        raise source.refused("is damaged or cut short", "Export or copy it again") from error


def _image(source: Source, file: Pillow.Image) -> Image:
    notices = []
    if getattr(file, "n_frames", 1) > 1:
        notices.append("only the first of several pages was read")
    white_is_zero = _white_is_zero(file)
    turned = _upright(file, notices)
    pixels = _grey(source, turned, notices)
    if white_is_zero:
        pixels = 1 - pixels
    return Image(pixels, source=source.path, notices=tuple(notices))


def _upright(file: Pillow.Image, notices: list[str]) -> Pillow.Image:
    """The picture as its EXIF orientation says it is to be seen; unreadable EXIF says nothing."""
    try:
        orientation = file.getexif().get(ORIENTATION, 1)
    except DAMAGED:
        orientation = 1
    file.load()
    if orientation not in range(2, 9):
        return file
    notices.append("turned upright as its EXIF orientation says; coordinates are those of the upright image")
    return ImageOps.exif_transpose(file)


def _white_is_zero(file: Pillow.Image) -> bool:
    """Whether 0 is white and Pillow leaves it so: it turns TIFFs of up to 8 bits, but none of more."""
    tags = getattr(file, "tag_v2", {})
    return tags.get(PHOTOMETRIC) == WHITE_IS_ZERO and file.mode not in ("1", "L")


def _grey(source: Source, file: Pillow.Image, notices: list[str]) -> Float32[np.ndarray, "y x"]:
    """Any mode of Pillow's as grey in [0, 1]."""
    if file.mode in ("1", "L") and not file.has_transparency_data:
        return levels.from_unsigned(np.asarray(file.convert("L")), 8)
    if file.mode.startswith("I"):
        return _whole(np.asarray(file), notices)
    if file.mode == "F":
        return _real(source, np.asarray(file), notices)
    if file.mode in COLOURS or file.mode in ("1", "L"):
        return _colour(file, notices)
    raise source.refused(f"is stored as {file.mode}, which deixis does not turn to grey", "Save it as a grey PNG")


def _whole(values: Shaped[np.ndarray, "y x"], notices: list[str]) -> Float32[np.ndarray, "y x"]:
    """Whole numbers of 16 or 32 bits."""
    low, top = int(values.min()), int(values.max())
    if low < 0 or top > 0xFFFF:
        notices.append("numbers without a declared range: scaled from minimum to maximum")
        return levels.from_extremes(values)
    depth = levels.depth_of(top)
    if depth < 16:
        notices.append(f"16-bit file that uses {depth} bits: scaled by {(1 << depth) - 1}")
    return levels.from_unsigned(values, depth)


def _real(source: Source, values: Shaped[np.ndarray, "y x"], notices: list[str]) -> Float32[np.ndarray, "y x"]:
    """Floating-point numbers."""
    if not np.isfinite(values).all():
        raise source.refused("holds NaN or infinite pixels", "Replace them first")
    if values.min() >= 0 and values.max() <= 1:
        return np.asarray(values, np.float32)
    notices.append("numbers without a declared range: scaled from minimum to maximum")
    return levels.from_extremes(values)


def _colour(file: Pillow.Image, notices: list[str]) -> Float32[np.ndarray, "y x"]:
    """Colour by luma; transparency over black."""
    alpha: Float32[np.ndarray, "y x 1"] | float = 1.0
    if file.has_transparency_data:
        file = file.convert("RGBA")
        alpha = levels.from_unsigned(np.asarray(file.getchannel("A")), 8)[..., None]
        if alpha.min() < 1:
            notices.append("transparency shown over black")
    rgb = levels.from_unsigned(np.asarray(file.convert("RGB")), 8) * alpha
    if levels.has_colour(rgb):
        notices.append("colour converted to grey")
    return levels.luma(rgb)


RASTER = Reader(FORMATS, recognises, read_raster)
