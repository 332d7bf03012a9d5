"""What cannot be had now is told from what is no image."""

import fsspec
import numpy as np
import PIL.Image
import pytest

from deixis.cohort.faults import fault, told
from deixis.cohort.fetch import UnreachableError, fetch
from deixis.errors import ImageError, ModelError, PhraseError, ReportError, ResourceError


@pytest.fixture
def picture(tmp_path):
    PIL.Image.fromarray(np.arange(12, dtype=np.uint8).reshape(3, 4)).save(tmp_path / "a.png")
    return tmp_path / "a.png"


def test_a_path_is_meant_against_the_root_and_remembered(picture):
    image = fetch("a.png", picture.parent)
    assert image.shape == (3, 4)
    assert image.source == picture
    assert fetch(str(picture), picture.parent / "elsewhere").source == picture


def test_a_url_of_any_file_system(picture):
    """Here one in memory, as S3 would be."""
    with fsspec.open("memory://bucket/a.png", "wb") as file:
        file.write(picture.read_bytes())
    np.testing.assert_array_equal(
        fetch("memory://bucket/a.png", picture.parent).pixels, fetch("a.png", picture.parent).pixels
    )


@pytest.mark.parametrize("name", ["b.png", "memory://bucket/b.png", "nosuch://bucket/b.png", "a.png/b.png"])
def test_what_is_not_there_may_come(picture, name):
    with pytest.raises(UnreachableError) as raised:
        fetch(name, picture.parent)
    assert name in str(raised.value)


def test_what_is_there_and_no_image_will_not_become_one(picture):
    (picture.parent / "text.png").write_text("text")
    for name in ("text.png", "."):
        with pytest.raises(ImageError) as raised:
            fetch(name, picture.parent)
        assert not isinstance(raised.value, UnreachableError)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (UnreachableError("x"), "unreachable"), (ImageError("x"), "image"), (PhraseError("x"), "phrase"),
        (ReportError("x"), "report"), (ResourceError("x"), "memory"), (MemoryError(), "memory"),
        (ModelError("x"), "model"), (ZeroDivisionError("x"), "bug"),
    ],
)  # fmt: skip
def test_every_error_has_a_kind_and_something_to_say(error, kind):
    assert fault(error) == kind
    assert len(told(error)) >= 1


def test_a_bug_says_where_it_is():
    with pytest.raises(TypeError) as raised:
        fetch(3, None)
    assert "Unexpected TypeError at fetch.py:" in told(raised.value)
