"""`deixis.images.read`: what a source may be, and what is refused before any format is asked."""

import os

import numpy as np
import pytest

from deixis.errors import ImageError, TooLargeError, UnknownFormatError
from deixis.images import READERS, Bounds, read
from unit.images.making import dicom, encoded, ramp

PICTURE = ramp().astype(np.uint8)


def refusal(given) -> str:
    with pytest.raises(ImageError) as caught:
        read(given)
    text = str(caught.value)
    assert "\n" not in text
    return text


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_bytes_are_read_like_their_file(kind, tmp_path):
    """A path, its text and the file's bytes give the same pixels; only the path is remembered."""
    content = encoded(PICTURE, "PNG")
    path = tmp_path / "a.png"
    path.write_bytes(content)
    assert read(path).source == read(str(path)).source == path
    assert read(kind(content)).source is None
    np.testing.assert_array_equal(read(kind(content)).pixels, read(path).pixels)


@pytest.mark.parametrize("suffix", ["", ".dcm", ".png", ".txt"])
@pytest.mark.parametrize("content", [encoded(PICTURE, "PNG"), encoded(PICTURE, "TIFF"), dicom(PICTURE)])
def test_content_decides_not_the_suffix(suffix, content, tmp_path):
    """Any file may be called anything."""
    path = tmp_path / f"image{suffix}"
    path.write_bytes(content)
    np.testing.assert_allclose(read(path).pixels, PICTURE / 255, atol=1e-6)


def test_missing_file_is_named_as_the_user_named_it(tmp_path, monkeypatch):
    """The name given, not the absolute path."""
    monkeypatch.chdir(tmp_path)
    assert refusal("scans/nope.png") == "scans/nope.png does not exist. Check the path."


def test_folder(tmp_path):
    """A folder is told apart from a missing file."""
    assert "is a folder" in refusal(tmp_path)


def test_device():
    """What never ends is not read."""
    assert "is not a regular file" in refusal("/dev/zero")


def test_unreadable_file(tmp_path, monkeypatch):
    """The operating system's reason stands in the error."""
    path = tmp_path / "a.png"
    path.write_bytes(encoded(PICTURE, "PNG"))

    def denied(self):
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(type(path), "read_bytes", denied)
    assert "cannot be read (permission denied)" in refusal(path)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_file_without_permission(tmp_path):
    """The same with a real file."""
    path = tmp_path / "a.png"
    path.write_bytes(encoded(PICTURE, "PNG"))
    path.chmod(0)
    assert "permission denied" in refusal(path)


@pytest.mark.parametrize("name", ["a\0b", "x" * 5000])
def test_impossible_names(name):
    """A name that no file can have is an ImageError too, and cannot command a terminal."""
    assert "cannot be read" in refusal(name)
    assert "\0" not in refusal(name)


def test_control_characters_do_not_reach_the_terminal():
    """Escape sequences in a name are shown as question marks."""
    assert refusal("\x1b[31mred.png").startswith("?[31mred.png does not exist")


def test_empty_file(tmp_path):
    """Zero bytes."""
    path = tmp_path / "a.png"
    path.touch()
    assert "is empty (0 bytes)" in refusal(path)
    assert "is empty (0 bytes)" in refusal(b"")


def test_huge_file(tmp_path):
    """Its size is looked at before it is read."""
    path = tmp_path / "a.png"
    path.write_bytes(bytes((1 << 20) + 1))
    for given in (path, path.read_bytes()):
        with pytest.raises(TooLargeError, match="is larger than 1 MiB"):
            read(given, Bounds(bytes=1 << 20))


def test_not_an_image():
    """What is read instead is listed."""
    content = b"%PDF-1.7 report of the examination"
    with pytest.raises(UnknownFormatError):
        read(content)
    text = refusal(content)
    assert "PNG, JPEG, TIFF, DICOM" in text


@pytest.mark.parametrize(
    "content", [encoded(np.full((9, 9), 7, np.uint8), "PNG"), dicom(np.full((9, 9), 7, np.uint16))]
)
def test_constant_image(content):
    """One grey shows nothing."""
    assert "same grey everywhere" in refusal(content)


def test_readers_are_imported_when_their_turn_comes():
    """The table knows its names without importing pydicom or Pillow."""
    assert READERS.names()[:2] == ("raster", "dicom")
