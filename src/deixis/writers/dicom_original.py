"""The DICOM image that new objects are about: read without its pixels, checked, and reduced to what they inherit."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from pathlib import Path

import pydicom
from pydicom import uid
from pydicom.config import disable_value_validation
from pydicom.datadict import tag_for_keyword
from pydicom.dataset import Dataset
from pydicom.errors import InvalidDicomError

from deixis.errors import ImageError
from deixis.silence import silenced
from deixis.types import Image
from deixis.writers.dicom_inherited import inherited

# The images that deixis writes about. Those of other classes have a place in space, as a CT slice has, or several
# frames, and what is written here would leave that out.
WRITTEN_ABOUT = frozenset(
    {
        uid.ComputedRadiographyImageStorage,
        uid.DigitalXRayImageStorageForPresentation,
        uid.DigitalXRayImageStorageForProcessing,
        uid.SecondaryCaptureImageStorage,
    }
)
IDENTITY = ("SOPClassUID", "SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID")
# First elements of a data set without preamble: group 0002 or 0008, in either byte order.
FIRST_GROUPS = (b"\x02\x00", b"\x08\x00", b"\x00\x08")
ORIENTATION = frozenset("ALPRHF")
UID_LENGTH = 64
AGAIN = "Export the image from the archive again, or leave seg, sr and sc out of the formats"


@dataclass(frozen=True)
class Original:
    """An image by reference.

    Args:
        header: its identity, size and orientation, and what objects about it inherit; valid, and without pixels.
    """

    header: Dataset = field(repr=False)

    @classmethod
    def of_image(cls, image: Image) -> Original:
        """That of an image that was read from a DICOM file.

        Raises:
            ImageError: it was not, or the file lacks what a reference to it needs. The text names tags, not values.
        """
        if image.source is None:
            raise ImageError(f"The image comes from no file, and seg, sr and sc refer to a DICOM file. {DROP}.")
        name = str(image.source)
        try:
            with silenced("pydicom"), disable_value_validation():
                found = cls.of_dataset(_header(image.source, name), name)
        except OSError as error:
            raise ImageError(f"{name} cannot be read any more. Keep it in place until all is written.") from error
        if (found.header.Rows, found.header.Columns) != image.shape:
            raise ImageError(f"{name} has changed: it is not of the size that was grounded. Ground it again.")
        return found

    @classmethod
    def of_dataset(cls, image: Dataset, name: str = "the image") -> Original:
        """That of a data set, which is not changed.

        Raises:
            ImageError: it lacks what a reference to it needs. The text begins with `name`, and names tags, not values.
        """
        with silenced("pydicom"), disable_value_validation():
            return cls(_reduced(image, name))


ONE_FRAME = "Export the frame that is meant as an image of its own, or leave seg, sr and sc out of the formats"
DROP = "Leave them out of the formats, or give the DICOM file itself"


def _header(path: Path, name: str) -> Dataset:
    """The data set of a file up to its pixels."""
    with path.open("rb") as file:
        head = file.read(132)
    if head[128:] != b"DICM" and not head.startswith(FIRST_GROUPS):
        raise ImageError(f"{name} is no DICOM file, and seg, sr and sc refer to one. {DROP}.")
    try:
        return pydicom.dcmread(path, stop_before_pixels=True, force=True)
    except (InvalidDicomError, EOFError, ValueError, TypeError, AttributeError, LookupError, struct.error):
        raise ImageError(f"{name} is a damaged DICOM file. {AGAIN}.") from None


def _reduced(image: Dataset, name: str) -> Dataset:
    made = inherited(image)
    for keyword in IDENTITY:
        value = str(_value(image, keyword) or "").strip()
        # Malformed ones that archives nevertheless use are kept: another one would refer to nothing.
        if not 0 < len(value) <= UID_LENGTH or value.strip("0123456789."):
            raise _refused(name, keyword, "is missing or is no unique identifier")
        setattr(made, keyword, uid.UID(value))
    if made.SOPClassUID not in WRITTEN_ABOUT:
        raise _refused(name, "SOPClassUID", "is none of CR, DX and SC with a single frame", DROP)
    for keyword in ("Rows", "Columns"):
        size = _value(image, keyword)
        if not isinstance(size, int) or size < 1:
            raise _refused(name, keyword, "is missing or is no size")
        setattr(made, keyword, size)
    if str(_value(image, "PatientID") or "").strip() and not made.PatientID:
        # Archives file instances by it: an emptied one would take them away from the patient.
        raise _refused(name, "PatientID", "is longer than 64 letters, or holds some that it may not")
    count = str(_value(image, "NumberOfFrames") or 1)
    if count.isdecimal() and int(count) > 1:
        raise _refused(name, "NumberOfFrames", "is more than 1, and what is written refers to a whole image", ONE_FRAME)
    return _with_place(made, image)


def _with_place(made: Dataset, image: Dataset) -> Dataset:
    """Also how the image lies and what it shows, as far as it properly says."""
    made.Modality = "OT"
    made.PatientOrientation = _orientation(image)
    side = str(_value(image, "Laterality") or "").strip().upper()
    made.Laterality = side if side in ("L", "R") else ""
    return made


def _orientation(image: Dataset) -> list[str] | str:
    """Where the row and the column lead, as in ["L", "F"]; "" where the image does not properly say."""
    value = _value(image, "PatientOrientation")
    ends = [str(end).strip().upper() for end in value] if isinstance(value, list | pydicom.multival.MultiValue) else []
    proper = len(ends) == 2 and all(end and ORIENTATION.issuperset(end) for end in ends)
    return ends if proper else ""


def _value(image: Dataset, keyword: str) -> object:
    """The element's value; None where it is absent or cannot be read."""
    try:
        return image.get(keyword)
    except (ValueError, TypeError, LookupError, AttributeError, NotImplementedError, OverflowError):
        return None


def _refused(name: str, keyword: str, problem: str, remedy: str = AGAIN) -> ImageError:
    tag = tag_for_keyword(keyword) or 0
    return ImageError(f"{name}: {keyword} ({tag >> 16:04X},{tag & 0xFFFF:04X}) {problem}. {remedy}.")
