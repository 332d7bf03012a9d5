"""What every reader must keep to. A plug-in package subclasses `ReaderConformance` with its own fixtures."""

import sys

import numpy as np
import pytest

from deixis.errors import ImageError
from deixis.images import READERS, read
from deixis.images.source import HEAD, Source
from deixis.types import Image
from unit.images.making import dicom, encoded, ramp

GREY = ramp().astype(np.uint8)


class ReaderConformance:
    """The suite; it needs fixtures `reader` (a row) and `sample` (a file of it, of at least 2 pixels and 2 greys)."""

    def test_names_its_formats(self, reader):
        """For the error that lists what deixis reads."""
        assert reader.formats
        assert all(isinstance(name, str) and name for name in reader.formats)

    def test_knows_its_own(self, reader, sample):
        """By the first bytes alone."""
        assert reader.recognises(sample[:HEAD])

    @pytest.mark.parametrize("other", [b"", b"\0", b"%PDF-1.7", b"GIF89a", bytes(HEAD), b"\xff" * HEAD, b"text " * 30])
    def test_leaves_others_alone(self, reader, other):
        """What is not its own, however short."""
        assert not reader.recognises(other)

    def test_gives_an_image(self, reader, sample, tmp_path):
        """Grey, float32, within [0, 1], with its source and its notices."""
        image = reader.read(Source("a", sample, tmp_path / "a"))
        assert isinstance(image, Image)
        assert image.pixels.dtype == np.float32
        assert image.source == tmp_path / "a"
        assert all(isinstance(notice, str) for notice in image.notices)
        assert np.ptp(image.pixels) > 0

    def test_reads_the_same_twice(self, reader, sample):
        """Nothing is drawn or kept."""
        first, second = (reader.read(Source("a", sample)) for _ in range(2))
        np.testing.assert_array_equal(first.pixels, second.pixels)

    @pytest.mark.parametrize("share", [0.1, 0.3, 0.5, 0.7, 0.9])
    def test_half_a_file_is_an_error(self, reader, sample, share):
        """One line that begins with the name the user gave."""
        with pytest.raises(ImageError) as caught:
            reader.read(Source("the name", sample[: int(share * len(sample))]))
        assert str(caught.value).startswith("the name ")
        assert "\n" not in str(caught.value)

    def test_prints_nothing(self, reader, sample, capfd):
        """Neither on success nor over the first half of a file."""
        reader.read(Source("a", sample))
        with pytest.raises(ImageError):
            reader.read(Source("a", sample[: len(sample) // 2]))
        assert "".join(capfd.readouterr()) == ""


SAMPLES = {
    "png": ("raster", encoded(GREY, "PNG")),
    "png16": ("raster", encoded(ramp(top=65535), "PNG")),
    "jpeg": ("raster", encoded(GREY, "JPEG")),
    "tiff": ("raster", encoded(GREY, "TIFF")),
    "dicom": ("dicom", dicom(GREY)),
    "dicom16": ("dicom", dicom(ramp(top=4095), BitsStored=12, WindowCenter=2048, WindowWidth=4096)),
}


class TestBuiltIn(ReaderConformance):
    """Every row that deixis ships."""

    @pytest.fixture(params=sorted(SAMPLES))
    def kind(self, request):
        return request.param

    @pytest.fixture
    def reader(self, kind):
        return READERS[SAMPLES[kind][0]]

    @pytest.fixture
    def sample(self, kind):
        return SAMPLES[kind][1]


def test_every_built_in_row_has_a_sample():
    """A new reader enters the suite."""
    assert {name for name, _ in SAMPLES.values()} == set(READERS.builtin)


PLUGIN = """
import numpy as np
from deixis.images import Reader
from deixis.types import Image

def read(source):
    try:
        height, width = source.content[4], source.content[5]
        pixels = np.frombuffer(source.content[6:], np.uint8).reshape(height, width) / np.float32(255)
    except (ValueError, IndexError) as error:
        raise source.refused("is cut short", "Copy it again") from error
    return Image(pixels.astype(np.float32), source=source.path)

READER = Reader(("TINY",), lambda head: head.startswith(b"TINY"), read)
"""


@pytest.fixture
def plugin(tmp_path, monkeypatch):
    """A package with an entry point of the readers' group, installed as far as Python is concerned."""
    (tmp_path / "tiny_reader.py").write_text(PLUGIN)
    info = tmp_path / "tiny_reader-0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: tiny-reader\nVersion: 0\n")
    (info / "entry_points.txt").write_text("[deixis.images]\ntiny = tiny_reader:READER\n")
    monkeypatch.syspath_prepend(tmp_path)
    yield
    sys.modules.pop("tiny_reader", None)


@pytest.mark.usefixtures("plugin")
class TestPlugIn(ReaderConformance):
    """A reader of another package comes in by its entry point."""

    @pytest.fixture
    def reader(self, plugin):
        return READERS["tiny"]

    @pytest.fixture
    def sample(self):
        return b"TINY" + bytes([40, 50]) + GREY.tobytes()

    def test_read_finds_it(self, sample):
        """By content, like the built-in ones."""
        np.testing.assert_allclose(read(sample).pixels, GREY / 255, atol=1e-6)

    def test_it_is_listed_in_the_error(self):
        """As a format that deixis reads."""
        with pytest.raises(ImageError, match="PNG, JPEG, TIFF, DICOM, TINY"):
            read(b"something else")
