"""No value of a DICOM file leaves it: not in an error, a notice, a warning, a log line or on a stream."""

import logging
import traceback
import warnings

import numpy as np
import pytest

from deixis.errors import ImageError
from deixis.images import read
from unit.images.making import SECRET, dataset, dicom, ramp, saved

EIGHT = ramp().astype(np.uint8)


def planted() -> dict[str, bytes]:
    """Files with the secret in places where it does not belong."""
    files = {}
    for keyword in ("WindowCenter", "Rows", "PixelSpacing", "NumberOfFrames", "RescaleSlope", "BitsStored"):
        made = dataset(EIGHT, WindowWidth=7, WindowCenter=7)
        made.add_new(keyword, "LO", SECRET)
        files[keyword] = saved(made)
    for keyword in ("PhotometricInterpretation", "VOILUTFunction", "PresentationLUTShape", "ViewPosition", "Modality"):
        files[keyword] = dicom(EIGHT, **{keyword: ("LO", SECRET)})
    plain = dicom(EIGHT, PatientAge=("AS", SECRET), StudyDate=("DA", SECRET), StudyInstanceUID=("UI", SECRET))
    files["values"] = plain
    files["charset"] = dicom(EIGHT, SpecificCharacterSet=SECRET)
    files["truncated"] = plain[: plain.index(b"\xe0\x7f\x10\x00") + 40]
    files["syntax"] = plain.replace(b"1.2.840.10008.1.2.1\0", SECRET.encode()[:20].ljust(20, b"\0"), 1)
    return files


PLANTED = planted()


@pytest.mark.parametrize("kind", sorted(PLANTED))
def test_secret_stays_inside(kind, caplog, capfd):
    """Error text, its cause, notices, warnings, logs and streams are free of it."""
    assert SECRET.encode()[:12] in PLANTED[kind]
    caplog.set_level(logging.DEBUG)
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        try:
            said = " ".join(read(PLANTED[kind]).notices)
        except ImageError as error:
            said = "".join(traceback.format_exception(error))
    said += "".join(str(one.message) for one in warned) + caplog.text + "".join(capfd.readouterr())
    assert not any(part in said for part in ("DOE", "JANE", "1947"))


def test_logging_and_warnings_are_as_they_were():
    """What is quiet during a read is loud again afterwards."""
    logger = logging.getLogger("pydicom")
    before = logger.propagate, list(logger.handlers), list(warnings.filters)
    read(dicom(EIGHT))
    with pytest.raises(ImageError):
        read(dicom(EIGHT, Rows=0))
    assert before == (logger.propagate, list(logger.handlers), list(warnings.filters))
