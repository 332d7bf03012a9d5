"""What every writer must keep to. A plug-in package subclasses `WriterConformance` with its own fixture `writer`."""

import sys
from dataclasses import replace

import numpy as np
import pytest

from deixis.errors import ImageError
from deixis.types import Phrase
from deixis.writers import WRITERS, write
from deixis.writers.dicom_cr import write_cr
from deixis.writers.naming import numbered
from unit.writers.making import empty_grounding, grounded_report, grounding

CASES = {
    "one": lambda: [grounding()],
    "several": lambda: [grounding("a"), grounding("b"), grounding("a")],
    "nothing found": lambda: [empty_grounding()],
    "no source": lambda: [grounding(source=None)],
    "unusual phrase": lambda: [grounding(Phrase("胸水 / “x” " * 30, (0, 2)))],
    "all seen": lambda: [grounding(unseen=0)],
    "tall": lambda: [grounding(shape=(300, 20), unseen=0)],
}


def takes(writer, one) -> bool:
    """Whether it writes about the image of this grounding."""
    try:
        writer.accepts(one.image)
    except ImageError:
        return False
    return True


def suited(writer, groundings, folder):
    """The groundings, of a DICOM file where the writer takes no other."""
    if takes(writer, groundings[0]):
        return groundings
    image = groundings[0].image
    image = replace(image, source=write_cr(image, folder / "chest.dcm"))
    return [replace(one, image=image) for one in groundings]


class WriterConformance:
    """The suite; it needs a fixture `writer` that gives a row of the table."""

    @pytest.fixture(params=sorted(CASES))
    def groundings(self, request, writer, tmp_path_factory):
        return suited(writer, CASES[request.param](), tmp_path_factory.mktemp("source"))

    def test_what_it_does_not_accept_it_does_not_write(self, writer, tmp_path):
        """No file, but an error in one line."""
        plain = grounding(source=tmp_path / "missing.png")
        if takes(writer, plain):
            return
        with pytest.raises(ImageError) as caught:
            writer.write([plain], tmp_path, "chest")
        assert "\n" not in str(caught.value)
        assert list(tmp_path.iterdir()) == []

    def test_writes_what_it_says(self, writer, groundings, tmp_path):
        """The files that it returns are there, not empty, and there are no others."""
        written = writer.write(groundings, tmp_path, "chest")
        assert written
        assert set(written) == set(tmp_path.iterdir())
        assert all(path.stat().st_size > 0 for path in written)

    def test_names_tell_whose_file_it_is(self, writer, groundings, tmp_path):
        """Of a phrase, of the image, or the document."""
        written = writer.write(groundings, tmp_path, "chest")
        stems = {*numbered(groundings), "chest", "groundings"}
        assert all(path.name.split(".")[0] in stems for path in written)

    def test_changes_nothing_that_it_is_given(self, writer, tmp_path, tmp_path_factory):
        """Arrays may be read-only, and stay as they are."""
        (one,) = suited(writer, [grounding()], tmp_path_factory.mktemp("source"))
        arrays = one.image.pixels, one.heat.values, one.heat.seen, one.mask
        before = [array.copy() for array in arrays]
        for array in arrays:
            array.flags.writeable = False
        writer.write([one], tmp_path, "chest")
        assert all(np.array_equal(array, old) for array, old in zip(arrays, before, strict=True))

    def test_replaces_its_own_files(self, writer, groundings, tmp_path):
        """Twice is once."""
        assert set(writer.write(groundings, tmp_path, "chest")) == set(writer.write(groundings, tmp_path, "chest"))

    def test_missing_folder_is_an_os_error(self, writer, tmp_path):
        """`write` turns it into an OutputError that names the folder."""
        given = suited(writer, [grounding()], tmp_path)
        with pytest.raises(FileNotFoundError):
            writer.write(given, tmp_path / "missing", "chest")

    @pytest.mark.parametrize("text", ["Right effusion. No edema.", "No edema."])
    def test_a_report_is_written_by_rows_that_have_a_place_for_it(self, writer, text, tmp_path):
        """With groundings and without; the files are those that it returns."""
        if writer.write_report is None:
            pytest.skip("has no place for a report")
        report = grounded_report(text)
        written = writer.write_report(report, report.groundings, tmp_path, "chest")
        assert set(written) == set(tmp_path.iterdir())


class TestBuiltIn(WriterConformance):
    """Every row that deixis ships."""

    @pytest.fixture(params=sorted(WRITERS.builtin))
    def writer(self, request):
        return WRITERS[request.param]


PLUGIN = """
from deixis.writers import Writer
from deixis.writers.aside import write_bytes

def write(groundings, folder, stem):
    text = "\\n".join(grounding.phrase.text for grounding in groundings)
    return (write_bytes(folder / f"{stem}.txt", text.encode()),)

WRITER = Writer(write)
"""


@pytest.fixture
def plugin(tmp_path_factory, monkeypatch):
    """A package with an entry point of the writers' group, installed as far as Python is concerned."""
    place = tmp_path_factory.mktemp("plugin")
    (place / "tiny_writer.py").write_text(PLUGIN)
    info = place / "tiny_writer-0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: tiny-writer\nVersion: 0\n")
    (info / "entry_points.txt").write_text("[deixis.writers]\ntxt = tiny_writer:WRITER\n")
    monkeypatch.syspath_prepend(place)
    yield
    sys.modules.pop("tiny_writer", None)


@pytest.mark.usefixtures("plugin")
class TestPlugIn(WriterConformance):
    """A writer of another package comes in by its entry point."""

    @pytest.fixture
    def writer(self, plugin):
        return WRITERS["txt"]

    def test_it_is_a_format_like_any_other(self, tmp_path):
        """Its file is written, and listed in the document."""
        written = write([grounding()], tmp_path, ["json", "txt"])
        assert {file.name for file in written.files} == {"chest.txt", "groundings.json"}
        assert '"chest.txt"' in (written.folder / "groundings.json").read_text()

    def test_it_is_written_beside_a_report_without_knowing_of_it(self, tmp_path):
        """Where there is something to write: it is never called without groundings."""
        for text, own in (("Right effusion.", {"chest.txt"}), ("No effusion.", set())):
            report = grounded_report(text)
            written = write(report.groundings, tmp_path / text, ["json", "txt"], "chest", report)
            assert {file.name for file in written.files} == {"groundings.json", "report.html", *own}
