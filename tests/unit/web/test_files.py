"""Answers as files: those of the writers, with names that tell nothing."""

import json
import tempfile
import zipfile
from io import BytesIO
from pathlib import Path

import numpy as np
import pydicom
import pytest

import deixis
from deixis.errors import ImageError, UnknownNameError
from deixis.images import Bounds
from deixis.types import Image
from deixis.web import files
from deixis.web.files import download, formats_for
from deixis.web.reading import opened
from deixis.writers import WRITERS
from deixis.writers.dicom_cr import write_cr
from deixis.writers.naming import numbered, unnamed

NAME = "jane doe has an effusion"


@pytest.fixture
def one(tiny_model, grey):
    return deixis.ground(grey, NAME, tiny_model, "instant")


@pytest.fixture
def two(tiny_model, grey):
    return deixis.ground(grey, [NAME, "opacity"], tiny_model, "instant")


def test_one_file_comes_as_it_is(one):
    made = download(one, "png")
    assert (made.name, made.media_type) == ("deixis.png", "image/png")
    assert made.content.startswith(b"\x89PNG")


def test_several_come_as_a_zip_and_are_named_by_number(two):
    made = download(two, "npz")
    assert (made.name, made.media_type) == ("deixis-npz.zip", "application/zip")
    with zipfile.ZipFile(BytesIO(made.content)) as archive:
        assert archive.namelist() == ["01.npz", "02.npz"]
        heat = np.load(BytesIO(archive.read("02.npz")))["heat"]
    np.testing.assert_array_equal(heat, two[1].heat.values)


def test_the_document_is_that_of_the_command_line(two):
    document = json.loads(download(two, "json").content)
    assert document["schema"] == "deixis.groundings/1"
    assert [found["phrase"] for found in document["images"][0]["groundings"]] == [NAME, "opacity"]


def test_a_format_that_is_not_known_lists_those_that_are(one):
    with pytest.raises(UnknownNameError, match=", ".join(WRITERS.names())):
        download(one, "jpg")


@pytest.mark.parametrize("form", ["png", "json", "npz"])
def test_no_name_on_disk_holds_a_phrase_and_nothing_stays(two, form, monkeypatch, tmp_path):
    """Every name that is made in the folder for temporary files, while it is there."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    seen = []

    def watching(groundings, folder, formats, stem):
        written = files_write(groundings, folder, formats, stem)
        seen.extend(str(path) for path in tmp_path.rglob("*"))
        return written

    files_write = files.write
    monkeypatch.setattr(files, "write", watching)
    download(two, form)
    assert seen
    assert not any("jane" in name.lower() or "effusion" in name.lower() for name in seen)
    assert list(tmp_path.iterdir()) == []


def test_names_come_back_when_the_block_ends(one):
    with unnamed():
        assert numbered(one) == ("01",)
    assert numbered(one) == ("01-jane-doe-has-an-effusion",)


def test_the_folder_is_its_users_alone(one, monkeypatch, tmp_path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    modes = []
    written = files.write

    def watching(groundings, folder, formats, stem):
        modes.append(Path(folder).parent.stat().st_mode & 0o777)
        return written(groundings, folder, formats, stem)

    monkeypatch.setattr(files, "write", watching)
    download(one, "json")
    assert modes == [0o700]


@pytest.fixture
def dicom(tmp_path, grey):
    """A DICOM file's header, and its image as it is read from bytes."""
    content = write_cr(Image(grey), tmp_path / "a.dcm").read_bytes()
    return opened(content, Bounds())


def test_formats_that_refer_to_a_file_are_offered_for_a_dicom_image_alone(dicom, grey):
    assert formats_for(dicom.image, dicom.header) == WRITERS.names()
    assert formats_for(Image(grey), b"") == ("png", "json", "npz")


@pytest.mark.parametrize("form", ["seg", "sr", "sc"])
def test_dicom_objects_refer_to_the_image_that_was_sent(dicom, tiny_model, form, monkeypatch, tmp_path):
    """And nothing of them stays on disk."""
    place = tmp_path / "tmp"
    place.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    found = deixis.ground(dicom.image, [NAME, "opacity"], tiny_model, "instant")
    made = download(found, form, dicom.header)
    contents = [made.content]
    if made.name.endswith(".zip"):
        with zipfile.ZipFile(BytesIO(made.content)) as archive:
            contents = [archive.read(name) for name in archive.namelist()]
    study = pydicom.dcmread(BytesIO(dicom.header)).StudyInstanceUID
    assert {pydicom.dcmread(BytesIO(one)).StudyInstanceUID for one in contents} == {study}
    assert list(place.iterdir()) == []


def test_an_image_that_no_object_can_refer_to_is_told_without_a_path(dicom, tiny_model):
    found = deixis.ground(dicom.image, "opacity", tiny_model, "instant")
    other = dicom.header.replace(b"1.2.840.10008.5.1.4.1.1.1\0", b"1.2.840.10008.5.1.4.1.1.2\0")
    with pytest.raises(ImageError, match=r"^The image: SOPClassUID"):
        download(found, "sr", other)


def test_json_names_no_file(dicom, tiny_model):
    found = deixis.ground(dicom.image, "opacity", tiny_model, "instant")
    assert json.loads(download(found, "json", dicom.header).content)["images"][0]["source"] is None
