"""Finding model folders, and hashing them."""

from pathlib import Path

import pytest

from deixis.errors import ModelError, UnknownNameError
from deixis.models.catalog import CATALOG
from deixis.models.weights import find, fingerprint, known_names


def make(folder: Path, content: bytes = b"weights") -> Path:
    folder.mkdir(parents=True)
    (folder / "unet.safetensors").write_bytes(content)
    return folder


def test_a_path_is_taken_as_it_is(tmp_path):
    """As a Path, or as text with a separator."""
    folder = make(tmp_path / "mine")
    assert find(folder) == find(str(folder)) == folder


def test_a_path_that_is_no_folder_is_an_error(tmp_path):
    """Missing, or a file."""
    with pytest.raises(ModelError, match="does not exist"):
        find(tmp_path / "nothing")
    with pytest.raises(ModelError, match="is a file"):
        find(make(tmp_path / "mine") / "unet.safetensors")


def test_names_are_looked_up_under_the_models_variable(tmp_path, monkeypatch):
    """In each of its folders in turn, before the catalog; and they are listed among the known."""
    first, second = make(tmp_path / "a" / "one"), make(tmp_path / "b" / "phantom")
    monkeypatch.setenv("DEIXIS_MODELS", f"{tmp_path / 'a'}:{tmp_path / 'gone'}:{tmp_path / 'b'}")
    assert find("one") == first
    assert find("phantom") == second
    assert known_names() == ("phantom", "one")


def test_a_known_name_wins_over_a_folder_here(tmp_path, monkeypatch):
    """A folder in the working directory is found by its bare name only if that is no known name."""
    monkeypatch.chdir(tmp_path)
    make(tmp_path / "mine")
    make(tmp_path / "phantom")
    assert find("mine") == Path("mine")
    bundled = CATALOG["phantom"].folder
    if bundled.is_dir():
        assert find("phantom") == bundled
    assert find("./phantom") == Path("phantom")


def test_an_unknown_name_is_an_error():
    """It lists the known ones."""
    with pytest.raises(UnknownNameError, match="phantom"):
        find("nobody")


def test_the_fingerprint_changes_with_the_weights(tmp_path):
    """One byte, or a file's name: another hash; copies hash alike."""
    same = {fingerprint(make(tmp_path / name)) for name in ("a", "b")}
    other = fingerprint(make(tmp_path / "c", b"Weights"))
    renamed = make(tmp_path / "d")
    (renamed / "unet.safetensors").rename(renamed / "vae.safetensors")
    assert len(same) == 1
    assert len({*same, other, fingerprint(renamed)}) == 3


def test_the_fingerprint_follows_a_file_that_is_rewritten(tmp_path):
    """Remembered hashes are of one state of a file."""
    folder = make(tmp_path / "a")
    before = fingerprint(folder)
    (folder / "unet.safetensors").write_bytes(b"others, longer")
    assert fingerprint(folder) != before
