"""Catalog rows, labels, and what a folder's own file says."""

import json
from pathlib import Path

import pytest

from deixis.errors import ModelError
from deixis.models.catalog import CATALOG, ROWS, Entry, Label, entry_of, label_of
from deixis.models.weights import fingerprint


def test_every_row_is_known_by_one_name_only():
    """Names, aliases and ids do not meet, so that what is asked for is never a matter of order."""
    names = [name for entry in ROWS for name in (entry.label.name, *entry.aliases, *entry.ids)]
    assert len(names) == len(set(names))
    for entry in ROWS:
        assert all(entry_of(name) is entry for name in (entry.label.name, *entry.aliases, *entry.ids))
    assert entry_of("nobody") is None


@pytest.mark.parametrize("entry", ROWS, ids=lambda entry: entry.label.name)
def test_a_row_says_what_a_user_must_know(entry):
    """Licence and summary; a size unless it comes with deixis; parts that have rows of their own."""
    assert entry.summary
    assert entry.label.licence
    assert (entry.folder is not None) != (entry.size > 0)
    assert set(entry.label.parts) <= {"vae", "text_encoder"}
    for part, name in entry.label.parts.items():
        kind = CATALOG[name].kind
        assert kind in {"model", "autoencoder" if part == "vae" else "text encoder"}


def test_the_bundled_weights_are_the_published_ones():
    """The hash of the row is that of the files, and the card names it."""
    entry = CATALOG["phantom"]
    assert fingerprint(entry.folder) == entry.sha256
    assert entry.sha256 in (entry.folder / "MODEL_CARD.md").read_text()


def test_a_folder_without_a_label_is_called_by_its_own_name(tmp_path):
    label = label_of(tmp_path)
    assert label.name == tmp_path.name
    assert "unknown" in label.licence
    assert "not for diagnosis" in label.notice


def test_what_the_folder_says_goes_before_the_catalog(tmp_path):
    """Field by field: the rest is the row's."""
    entry = Entry(Label("row", licence="MIT", tokens=128), summary="x")
    assert label_of(tmp_path, entry) is entry.label
    (tmp_path / "deixis.json").write_text(json.dumps({"notice": "Mine.", "tokens": 77}))
    label = label_of(tmp_path, entry)
    assert (label.name, label.licence, label.notice, label.tokens) == ("row", "MIT", "Mine.", 77)


def test_a_single_file_has_its_label_beside_it(tmp_path):
    file = tmp_path / "model.safetensors"
    file.touch()
    assert label_of(file).name == "model"
    (tmp_path / "model.deixis.json").write_text('{"licence": "mine"}')
    assert label_of(file).licence == "mine"


@pytest.mark.parametrize(
    "content",
    ["{", "[]", '{"colour": "blue"}', '{"name": 3}', '{"parts": "vae"}', '{"tokens": "many"}', '{"scheduler": []}'],
)
def test_an_unreadable_label_is_an_error_that_lists_its_fields(tmp_path, content):
    (tmp_path / "deixis.json").write_text(content)
    with pytest.raises(ModelError, match=r"is not a model label.*name, licence, notice"):
        label_of(Path(tmp_path))
