"""A DICOM data set as deixis asks it: by keyword, and never quoting a value.

Values of a malformed file can hold anything, a patient's name included. Errors and notices therefore name the tag only,
and pydicom, whose warnings quote what they complain about, is kept quiet.
"""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO
from typing import Any

import pydicom
from pydicom.config import disable_value_validation
from pydicom.datadict import tag_for_keyword
from pydicom.dataset import Dataset
from pydicom.errors import BytesLengthException, InvalidDicomError
from pydicom.filereader import data_element_generator
from pydicom.multival import MultiValue

from deixis.errors import ImageError
from deixis.images.source import Source
from deixis.silence import silenced

# What pydicom and its decoders raise on a file that is not what it says; each a fact about the file.
DAMAGED = (
    InvalidDicomError, BytesLengthException, OSError, EOFError, ValueError, TypeError, AttributeError, LookupError,
    ArithmeticError, RuntimeError, AssertionError, struct.error, zlib.error,
)  # fmt: skip
DEFLATED = b"1.2.840.10008.1.2.1.99"
PREAMBLE = 132
META = 2
CHUNK = 1 << 20
AGAIN = "Export it again from the archive"


class Header:
    """The elements of one data set, and the notices that reading them gave."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.notices: list[str] = []
        self.dataset = _parsed(source)

    def value(self, keyword: str, within: Dataset | None = None) -> Any:
        """The element's value; None where it is absent or empty, and, with a notice, where it cannot be read."""
        dataset = self.dataset if within is None else within
        try:
            found = dataset.get(keyword)
        except DAMAGED:
            self.note(keyword, "cannot be read and was ignored")
            return None
        return None if found is None or (isinstance(found, str | Sequence) and len(found) == 0) else found

    def texts(self, keyword: str) -> tuple[str, ...]:
        """The element's values as stripped upper-case words; () where it is absent."""
        found = self.value(keyword)
        values = found if isinstance(found, MultiValue | list | tuple) else [] if found is None else [found]
        return tuple(str(value).strip().upper() for value in values)

    def text(self, keyword: str) -> str:
        """The first of `texts`, or ""."""
        return next(iter(self.texts(keyword)), "")

    def numbers(self, keyword: str, within: Dataset | None = None) -> tuple[float, ...]:
        """The element's values; () where it is absent, and, with a notice, where they are no finite numbers."""
        found = self.value(keyword, within)
        values = found if isinstance(found, MultiValue | list | tuple) else [] if found is None else [found]
        try:
            numbers = tuple(float(value) for value in values)
        except (ValueError, TypeError, OverflowError):
            numbers = (math.nan,)
        if all(math.isfinite(number) for number in numbers):
            return numbers
        self.note(keyword, "is not a number and was ignored")
        return ()

    def number(self, keyword: str) -> float | None:
        """The first of `numbers`, or None."""
        return next(iter(self.numbers(keyword)), None)

    def required(self, keyword: str, default: int | None = None) -> int:
        """A whole number without which the pixels cannot be understood."""
        number = self.number(keyword)
        if number is None:
            number = default
        if number is None or number != int(number) or number < 0:
            raise self.refused(keyword, "is missing or is not a whole number")
        return int(number)

    @property
    def bits(self) -> int:
        """How many bits of a stored number count."""
        return self.required("BitsStored", default=self.required("BitsAllocated"))

    def note(self, keyword: str, what: str) -> None:
        """Tell the user of the image, once, what an element made the reader do."""
        notice = f"{tagged(keyword)} {what}"
        if notice not in self.notices:
            self.notices.append(notice)

    def refused(self, keyword: str, problem: str, remedy: str = AGAIN) -> ImageError:
        """The error to raise over an element: its tag, not its value."""
        return self.source.refused(f"cannot be read: {tagged(keyword)} {problem}", remedy)


def tagged(keyword: str) -> str:
    """``Rows (0028,0010)`` for "Rows"."""
    tag = tag_for_keyword(keyword) or 0
    return f"{keyword} ({tag >> 16:04X},{tag & 0xFFFF:04X})"


@contextmanager
def quiet() -> Iterator[None]:
    """While the block runs pydicom warns nobody: neither through `warnings` nor through `logging`."""
    with silenced("pydicom"), disable_value_validation():
        yield


def _parsed(source: Source) -> Dataset:
    """The data set, also where preamble and file meta are missing."""
    _check_inflation(source)
    dataset = pydicom.dcmread(BytesIO(source.content), force=True)
    if "TransferSyntaxUID" not in dataset.file_meta:
        implicit, little = dataset.original_encoding
        plain = {
            (True, True): pydicom.uid.ImplicitVRLittleEndian,
            (False, True): pydicom.uid.ExplicitVRLittleEndian,
            (False, False): pydicom.uid.ExplicitVRBigEndian,
        }
        key = (bool(implicit), little is not False)
        dataset.file_meta.TransferSyntaxUID = plain.get(key, pydicom.uid.ImplicitVRLittleEndian)
    return dataset


def _check_inflation(source: Source) -> None:
    """Refuse a deflated data set that would fill the memory; pydicom inflates all of it at once."""
    if DEFLATED not in source.content[: PREAMBLE + 1024]:
        return
    stream = BytesIO(source.content)
    stream.seek(PREAMBLE)
    for _ in data_element_generator(stream, False, True, stop_when=lambda tag, vr, length: tag.group != META):
        pass
    start = stream.tell()
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    waiting, piece, total = source.content[start:], b".", 0
    # Output may be pending when all input is consumed: only an empty piece is the end.
    while piece and not inflater.eof:
        piece = inflater.decompress(waiting, CHUNK)
        waiting = inflater.unconsumed_tail
        total += len(piece)
        source.check_bytes(total, "would inflate to more than")
