"""A scan of everything that a run says and names beside its results: nothing of patient, image or question is in it."""

import logging
import sys
import tempfile
import warnings
from pathlib import Path

import numpy as np
import pydicom
import pytest
from calling import everything_below

from deixis.types import Image
from deixis.writers.dicom_cr import write_cr

NAMES = {
    "PatientName": "SECRETNAME^JANE",
    "PatientID": "SECRETID",
    "PatientBirthDate": "19470312",
    "AccessionNumber": "SECRETACC",
    "InstitutionName": "SECRETPLACE",
    "StudyDescription": "SECRETSTUDY",
    "PatientAge": "62",
}
UIDS = ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")
PHRASE = "secretphrase effusion"
FOLDER = "secretfolder"
ALL = "png,json,npz,seg,sr,sc"

listening = False
opened: list[str] = []


def _hear(event: str, arguments: tuple) -> None:
    """Hooks cannot be taken away again, so this one is deaf outside its test."""
    if listening and event in ("open", "os.mkdir", "os.rename", "os.link", "os.symlink"):
        opened.extend(str(argument) for argument in arguments[:2] if isinstance(argument, str | bytes | Path))


@pytest.fixture
def heard(caplog, monkeypatch, tmp_path):
    """Every log line and warning at the most talkative level, and every file that is opened, made or renamed."""
    sys.addaudithook(_hear)
    caplog.set_level(logging.DEBUG)
    logging.captureWarnings(True)
    monkeypatch.setattr(sys.modules[__name__], "listening", True)
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    opened.clear()
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        yield caplog
    logging.captureWarnings(False)


@pytest.fixture
def secret(place, grey):
    """A radiograph full of identifiers, in a folder and under a name that are secrets too; and all its secrets."""
    folder = place / FOLDER
    folder.mkdir()
    path = write_cr(Image(grey), folder / "SECRETFILE.dcm")
    made = pydicom.dcmread(path)
    with pydicom.config.disable_value_validation():
        for keyword, value in NAMES.items():
            setattr(made, keyword, value)
        made.save_as(path)
    secrets = [*NAMES.values(), *(str(made[keyword].value) for keyword in UIDS), PHRASE, "secretphrase", "2.25."]
    secrets.remove("62")
    return path, secrets


def found(secrets, text: str) -> list[str]:
    return [secret for secret in secrets if secret.casefold() in text.casefold()]


def test_a_run_logs_nothing_and_names_nothing(ground, secret, heard):
    path, secrets = secret
    done = ground(path, "-p", PHRASE, "-o", "out", "--format", ALL)
    assert done.code == 0, done.err
    assert len(everything_below(path.parents[1] / "out")) == 8
    beside = [FOLDER, "SECRETFILE"]
    assert found([*secrets, *beside], heard.text + done.err) == []
    assert np.array2string(np.zeros(3)) not in heard.text
    temporary = [Path(name) for name in opened if "temporary" in name or name.endswith((".partial", ".old"))]
    assert temporary, "the scan saw no file that stands aside"
    assert found([*secrets, *beside], " ".join(name.name for name in temporary)) == []


@pytest.mark.parametrize("damage", [
    {"Rows": None}, {"Rows": 7000}, {"StudyInstanceUID": None}, {"SOPClassUID": "1.2.840.10008.5.1.4.1.1.2"},
    {"PatientID": "SECRETID" * 9}, {"PhotometricInterpretation": "SECRETNAME^JANE"}, {"NumberOfFrames": 3},
])  # fmt: skip
def test_errors_name_the_file_as_it_was_given_and_nothing_else(ground, secret, heard, damage):
    """The one path in them is the argument that the user typed."""
    path, secrets = secret
    made = pydicom.dcmread(path)
    for keyword, value in damage.items():
        with pydicom.config.disable_value_validation():
            delattr(made, keyword) if value is None else setattr(made, keyword, value)
    if "NumberOfFrames" in damage:
        made.PixelData = made.PixelData * 3
    with pydicom.config.disable_value_validation():
        made.save_as(path, enforce_file_format=False)
    done = ground(path.relative_to(path.parents[1]), "-p", PHRASE, "-o", "out", "--format", ALL)
    assert done.code == 2
    assert len(done.lines) == 1
    assert found(secrets, heard.text + done.err + done.out) == []
    assert done.err.count(FOLDER) == 1
    assert found([FOLDER, "SECRETFILE"], heard.text) == []


def test_a_phrase_that_is_too_long_is_not_quoted(ground, secret, heard):
    path, _ = secret
    done = ground(path, "-p", f"{PHRASE} " * 30, "-o", "out", "--format", "json")
    assert done.code == 2
    assert found(["secretphrase"], heard.text + done.err) == []
