"""An image as a DICOM CR file, for examples and tests: valid, and about nobody."""

from __future__ import annotations

import hashlib
from io import BytesIO
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import ComputedRadiographyImageStorage, ExplicitVRLittleEndian, generate_uid

from deixis.types import Image
from deixis.writers.aside import refused, write_bytes

BITS = 12
TOP = (1 << BITS) - 1


def write_cr(image: Image, path: str | Path) -> Path:
    """Write `image` as Computed Radiography: MONOCHROME2, 12 bits in 16, its window the full range.

    The same image gives the same file, unique identifiers included; another image another study. The patient is called
    PHANTOM. Read back, pixels differ by at most half of 1/4095. Returns `path`.

    Raises:
        OutputError: the folder is missing or cannot be written to.
    """
    stored = np.rint(image.pixels * TOP).astype("<u2")
    dataset = Dataset()
    _identify(dataset, hashlib.sha256(repr(stored.shape).encode() + stored.tobytes()).hexdigest())
    _describe(dataset)
    _show(dataset, stored, image.spacing)
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    buffer = BytesIO()
    file = FileDataset(buffer, dataset, file_meta=meta, preamble=bytes(128))
    file.save_as(buffer, enforce_file_format=True)
    try:
        return write_bytes(Path(path), buffer.getvalue())
    except OSError as error:
        raise refused(Path(path), error) from error


def _identify(dataset: Dataset, content: str) -> None:
    """Unique identifiers that follow from the content, and a patient that is none."""
    dataset.SOPClassUID = ComputedRadiographyImageStorage
    dataset.SOPInstanceUID = generate_uid(entropy_srcs=["instance", content])
    dataset.StudyInstanceUID = generate_uid(entropy_srcs=["study", content])
    dataset.SeriesInstanceUID = generate_uid(entropy_srcs=["series", content])
    dataset.PatientName = dataset.PatientID = "PHANTOM"
    # Type 2: to be there, and empty where unknown.
    for keyword in ("PatientBirthDate", "PatientSex", "StudyDate", "StudyTime", "StudyID", "AccessionNumber"):
        setattr(dataset, keyword, "")
    dataset.ReferringPhysicianName = ""


def _describe(dataset: Dataset) -> None:
    """A frontal chest radiograph, first of its series."""
    dataset.Modality = "CR"
    dataset.Manufacturer = "deixis"
    dataset.ImageType = ["ORIGINAL", "PRIMARY"]
    dataset.BodyPartExamined = "CHEST"
    dataset.ViewPosition = ""
    dataset.PatientOrientation = ["L", "F"]
    dataset.SeriesNumber = dataset.InstanceNumber = 1
    dataset.BurnedInAnnotation = "NO"


def _show(dataset: Dataset, stored: np.ndarray, spacing: tuple[float, float] | None) -> None:
    """The pixels and how they are shown: a LINEAR window over exactly their range (PS3.3 C.11.2.1.2)."""
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.Rows, dataset.Columns = stored.shape
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, BITS, BITS - 1
    dataset.PixelRepresentation = 0
    dataset.WindowCenter, dataset.WindowWidth = 1 << (BITS - 1), 1 << BITS
    if spacing is not None:
        # A DS value has at most 16 characters.
        dataset.PixelSpacing = [f"{length:.10g}" for length in spacing]
    dataset.PixelData = stored.tobytes()
