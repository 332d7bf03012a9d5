"""`deixis.writers.write`: whole folders, and nothing half-written."""

import json
from pathlib import Path

import numpy as np
import pytest

from deixis.errors import OutputError, UnknownNameError
from deixis.writers import FORMATS, WRITERS, write
from deixis.writers.aside import write_bytes
from unit.writers.making import empty_grounding, grounding

PHRASES = ["right pleural effusion", "cardiomegaly"]


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def groundings(*phrases: str):
    return [grounding(phrase) for phrase in phrases or PHRASES]


def test_layout(tmp_path):
    """DIR/<stem>/{groundings.json, NN-<slug>.png, NN-<slug>.npz}, and nothing else."""
    written = write(groundings(), tmp_path / "new" / "out")
    assert written.folder == tmp_path / "new" / "out" / "chest"
    expected = {"groundings.json"}
    expected |= {f"{name}.{end}" for name in ("01-right-pleural-effusion", "02-cardiomegaly") for end in ("png", "npz")}
    assert names(written.folder) == expected == {file.name for file in written.files}
    assert names(tmp_path / "new" / "out") == {"chest"}


@pytest.mark.parametrize("formats", [["png"], ["npz"], ["json"], ["json", "png"], ["png", "png"]])
def test_formats(formats, tmp_path):
    """Only what was asked for; `groundings.json` lists all of it, whatever the order."""
    written = write(groundings("a"), tmp_path, formats, "x")
    assert {file.suffix for file in written.files} == {f".{form}" for form in formats}
    if "json" in formats:
        document = json.loads((written.folder / "groundings.json").read_text())
        listed = document["images"][0]["groundings"][0]["files"]
        assert set(listed) == names(written.folder) - {"groundings.json"}


def test_all_formats_are_known():
    """What is written by default stands in the table."""
    assert set(FORMATS) <= set(WRITERS)


def test_unknown_format_writes_nothing(tmp_path):
    """The known ones are listed."""
    with pytest.raises(UnknownNameError, match="png, json, npz"):
        write(groundings(), tmp_path / "out", ["png", "pgn"])
    assert not (tmp_path / "out").exists()


def test_npz_holds_heat_mask_and_seen(tmp_path):
    """In native pixels, equal to the grounding's."""
    one = grounding()
    written = write([one], tmp_path, ["npz"])
    with np.load(written.files[0]) as arrays:
        assert set(arrays) == {"heat", "mask", "seen"}
        assert (arrays["heat"].dtype, arrays["mask"].dtype, arrays["seen"].dtype) == (np.float32, bool, bool)
        np.testing.assert_array_equal(arrays["heat"], one.heat.values)
        np.testing.assert_array_equal(arrays["mask"], one.mask)
        np.testing.assert_array_equal(arrays["seen"], one.heat.seen)


def test_second_run_replaces_the_first(tmp_path):
    """Other phrases leave no files of the earlier ones."""
    write(groundings(), tmp_path)
    written = write(groundings("edema"), tmp_path)
    assert names(written.folder) == {"groundings.json", "01-edema.png", "01-edema.npz"}
    assert names(tmp_path) == {"chest"}


@pytest.mark.parametrize("first", [FORMATS, ("png",)])
def test_files_that_are_not_ours_stay(first, tmp_path):
    """A user's notes, pictures and folders in the folder survive any number of runs."""
    folder = write(groundings("edema"), tmp_path, first).folder
    (folder / "notes.txt").write_text("mine")
    (folder / "07-my-own.png").write_text("mine too")
    (folder / "sub").mkdir()
    write(groundings("effusion"), tmp_path)
    kept = names(folder)
    assert {"notes.txt", "07-my-own.png", "sub", "01-effusion.png", "groundings.json"} <= kept
    assert ("01-edema.png" in kept) == ("json" not in first)
    assert names(tmp_path) == {"chest"}


def test_foreign_groundings_json_deletes_nothing(tmp_path):
    """A file of that name that is not ours, or names files elsewhere, is no licence to delete."""
    folder = tmp_path / "chest"
    folder.mkdir()
    (tmp_path / "precious").write_text("mine")
    (folder / "other").write_text("mine")
    for text in ("[]", "{", '{"schema": "else", "images": []}', _listing("../precious"), '{"schema": 3}'):
        (folder / "groundings.json").write_text(text)
        write(groundings("edema"), tmp_path)
        assert (tmp_path / "precious").exists()
        assert (folder / "other").exists()


def _listing(name: str) -> str:
    return json.dumps({"schema": "deixis.groundings/1", "images": [{"files": [name], "groundings": []}]})


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError(28, "No space left on device"), ValueError])
def test_interruption_leaves_the_earlier_run(error, tmp_path, monkeypatch):
    """Ctrl-C or a full disk in the middle: what stood before stands, and no trace of the rest."""
    folder = write(groundings(), tmp_path).folder
    before = {path.name: path.read_bytes() for path in folder.iterdir()}

    def failing(path, content):
        if "02" in path.name:
            raise error
        return write_bytes(path, content)

    monkeypatch.setattr("deixis.writers.npz.write_bytes", failing)
    expected = OutputError if isinstance(error, OSError) else error
    with pytest.raises(expected):
        write(groundings("edema", "nodule"), tmp_path)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert names(tmp_path) == {"chest"}


def test_failed_swap_brings_the_earlier_folder_back(tmp_path, monkeypatch):
    """Also between the two renames."""
    folder = write(groundings(), tmp_path).folder
    before = names(folder)
    rename = Path.rename

    def failing(self, target):
        if self.name.endswith(".partial"):
            raise KeyboardInterrupt
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", failing)
    with pytest.raises(KeyboardInterrupt):
        write(groundings("edema"), tmp_path)
    assert names(folder) == before
    assert names(tmp_path) == {"chest"}


def test_output_folder_below_a_file(tmp_path):
    """One line that says what to do."""
    (tmp_path / "file").write_text("x")
    with pytest.raises(OutputError, match=r"cannot be written \(.*\)\. Choose another output folder\.$"):
        write(groundings(), tmp_path / "file")


def test_file_in_the_place_of_the_folder(tmp_path):
    """It is left alone."""
    (tmp_path / "chest").write_text("mine")
    with pytest.raises(OutputError):
        write(groundings(), tmp_path)
    assert (tmp_path / "chest").read_text() == "mine"
    assert names(tmp_path) == {"chest"}


def test_unwritable_folder(tmp_path, monkeypatch):
    """The operating system's reason stands in the error, the hidden folder's name does not."""

    def denied(self, *args, **kwargs):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "mkdir", denied)
    with pytest.raises(OutputError, match="permission denied") as caught:
        write(groundings(), tmp_path)
    assert "partial" not in str(caught.value)


def test_full_disk_names_the_folder(tmp_path, monkeypatch):
    """Not the file aside."""

    def full(path, content):
        raise OSError(28, "No space left on device", str(path))

    monkeypatch.setattr("deixis.writers.overlay.write_bytes", full)
    with pytest.raises(OutputError, match="no space left") as caught:
        write(groundings(), tmp_path)
    assert str(tmp_path / "chest") in str(caught.value)
    assert "partial" not in str(caught.value)
    assert names(tmp_path) == set()


def test_symbolic_link_stays_one(tmp_path):
    """Where the image's folder is a link, its target is replaced."""
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "chest").symlink_to(tmp_path / "elsewhere")
    write(groundings("edema"), tmp_path / "out")
    assert (tmp_path / "out" / "chest").is_symlink()
    assert "groundings.json" in names(tmp_path / "elsewhere")


def test_nothing_to_write(tmp_path):
    """A caller's mistake."""
    with pytest.raises(ValueError, match="no groundings"):
        write([], tmp_path)


def test_empty_answer_is_written_too(tmp_path):
    """No heat, no box: all files all the same."""
    assert len(write([empty_grounding()], tmp_path).files) == 3


def test_write_bytes_is_atomic(tmp_path):
    """The old file stands until the new one is whole."""
    path = tmp_path / "a.bin"
    write_bytes(path, b"old")
    with pytest.raises(TypeError):
        write_bytes(path, "not bytes")
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == {"a.bin"}
