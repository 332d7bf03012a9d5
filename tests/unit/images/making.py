"""Image files made in memory."""

import warnings
from io import BytesIO
from pathlib import Path

import numpy as np
import pydicom
import pytest
from PIL import Image as Pillow
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import ComputedRadiographyImageStorage, ExplicitVRLittleEndian, generate_uid

REAL = Path(__file__).parents[4] / "shared" / "data" / "real"
SECRET = "DOE^JANE-19470312"


def real(name: str) -> Path:
    """A real file, where this checkout has them beside it."""
    path = REAL / name
    if not path.is_file():
        pytest.skip(f"needs the real image {name} in ../shared/data/real")
    return path


def ramp(height: int = 40, width: int = 50, top: int = 255) -> np.ndarray:
    """A picture whose numbers run from 0 to `top`, each row and column its own."""
    return np.linspace(0, top, height * width).round().astype(np.uint16).reshape(height, width)


def encoded(values: np.ndarray, form: str, **options) -> bytes:
    """A raster file by Pillow."""
    buffer = BytesIO()
    Pillow.fromarray(values).save(buffer, form, **options)
    return buffer.getvalue()


def dataset(stored: np.ndarray, **elements) -> FileDataset:
    """A minimal CR data set of these stored numbers; an element given as None is left out."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return _dataset(stored, elements)


def _dataset(stored: np.ndarray, elements: dict[str, object]) -> FileDataset:
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID = ComputedRadiographyImageStorage
    meta.MediaStorageSOPInstanceUID = generate_uid(entropy_srcs=["test"])
    made = FileDataset(BytesIO(), {}, file_meta=meta, preamble=bytes(128))
    made.SOPClassUID, made.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID
    made.Modality, made.PatientName, made.PatientID = "CR", SECRET, SECRET
    made.SamplesPerPixel = stored.shape[2] if stored.ndim == 3 else 1
    if stored.ndim == 3:
        made.PlanarConfiguration = 0
    made.PhotometricInterpretation = "RGB" if stored.ndim == 3 else "MONOCHROME2"
    made.Rows, made.Columns = stored.shape[:2]
    made.PixelRepresentation = int(stored.dtype.kind == "i")
    made.BitsAllocated = made.BitsStored = 8 * stored.dtype.itemsize
    made.HighBit = made.BitsStored - 1
    made.PixelData = stored.tobytes()
    made["PixelData"].VR = "OB" if stored.dtype.itemsize == 1 else "OW"
    for keyword, value in elements.items():
        if value is None:
            delattr(made, keyword)
        elif isinstance(value, tuple):
            made.add_new(keyword, *value)
        else:
            setattr(made, keyword, value)
    if "BitsStored" in elements and "HighBit" not in elements:
        made.HighBit = made.BitsStored - 1
    return made


def saved(made: FileDataset) -> bytes:
    """The file of a data set, in its own transfer syntax."""
    buffer = BytesIO()
    syntax = made.file_meta.TransferSyntaxUID
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pydicom.dcmwrite(buffer, made, implicit_vr=syntax.is_implicit_VR, little_endian=syntax.is_little_endian)
    return buffer.getvalue()


def dicom(stored: np.ndarray, **elements) -> bytes:
    """A minimal CR file, see `dataset`."""
    return saved(dataset(stored, **elements))
