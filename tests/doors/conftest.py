"""What tests of the doors share."""

import pytest
from calling import call, write_picture


@pytest.fixture
def place(tmp_path, monkeypatch):
    """An empty working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def picture(place):
    return write_picture(place / "chest.png")


@pytest.fixture
def ground(capsys, tiny_folder):
    """`deixis ground ARGUMENTS` with the tiny model."""
    return lambda *arguments: call(capsys, "ground", *arguments, "-m", tiny_folder)


@pytest.fixture
def bundled():
    """The folder of the model that comes with deixis; skips where it is not built yet."""
    from deixis.models.catalog import CATALOG

    folder = CATALOG["phantom"].folder
    if folder is None or not folder.is_dir():
        pytest.skip("the bundled model is not in this checkout")
    return folder
