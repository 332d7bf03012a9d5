"""Finding models: paths, names, the hub's cache, and the hub."""

from pathlib import Path

import pytest

from deixis.errors import ModelError, UnknownNameError
from deixis.models.catalog import CATALOG
from deixis.models.finding import find, known_names


def make(folder: Path, content: bytes = b"weights") -> Path:
    folder.mkdir(parents=True)
    (folder / "unet.safetensors").write_bytes(content)
    return folder


def test_a_path_is_taken_as_it_is(tmp_path):
    """As a Path, or as text with a separator."""
    folder = make(tmp_path / "mine")
    assert find(folder) == find(str(folder)) == folder


def test_a_path_that_is_no_model_is_an_error(tmp_path):
    """Missing, or a file of another kind; a weight file may be a model."""
    for missing in (tmp_path / "nothing", str(tmp_path / "nothing.safetensors"), "no/such/folder"):
        with pytest.raises(ModelError, match="does not exist"):
            find(missing)
    with pytest.raises(ModelError, match=r"single files end in \.safetensors"):
        find(Path(__file__))
    file = make(tmp_path / "mine") / "unet.safetensors"
    assert find(file) == file


def test_names_are_looked_up_under_the_models_variable(tmp_path, monkeypatch):
    """In each of its folders in turn, before the catalog; and they are listed among the known."""
    first, second = make(tmp_path / "a" / "one"), make(tmp_path / "b" / "phantom")
    monkeypatch.setenv("DEIXIS_MODELS", f"{tmp_path / 'a'}:{tmp_path / 'gone'}:{tmp_path / 'b'}")
    assert find("one") == first
    assert find("phantom") == second
    assert known_names() == (*CATALOG, "one")


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


def test_a_path_means_the_same_from_anywhere_and_a_name_stays_a_name(tmp_path, monkeypatch):
    """Workers of a cluster stand in folders of their own. A known name wins over a folder of that name."""
    from deixis.models.finding import anywhere

    (tmp_path / "phantom").mkdir()
    monkeypatch.chdir(tmp_path)
    assert anywhere("./phantom") == str(tmp_path / "phantom")
    assert anywhere("phantom") == "phantom"
    assert anywhere("owner/model") == "owner/model"
