"""Hashes of weights."""

from pathlib import Path

import pytest

from deixis.errors import ModelError
from deixis.models.weights import check_fingerprint, fingerprint


def make(folder: Path, content: bytes = b"weights") -> Path:
    folder.mkdir(parents=True)
    (folder / "unet.safetensors").write_bytes(content)
    return folder


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


def test_other_weights_than_the_published_are_an_error(tmp_path):
    """The error names both hashes; the published ones pass."""
    folder = make(tmp_path / "a")
    check_fingerprint(folder, fingerprint(folder))
    with pytest.raises(ModelError, match=r"not the published ones.*0000"):
        check_fingerprint(folder, "0" * 64)


def test_a_single_file_is_hashed_by_its_own_name(tmp_path):
    folder = make(tmp_path / "a")
    assert fingerprint(folder / "unet.safetensors") == fingerprint(folder)
