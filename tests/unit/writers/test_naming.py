"""Names of files and folders."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deixis.writers.naming import folder_names, numbered, slug, stem_of
from unit.writers.making import grounding


@pytest.mark.parametrize(("text", "expected"), [
    ("Right pleural effusion.", "right-pleural-effusion"),
    ("  ÖDEM, größer als zuvor ", "odem-grosser-als-zuvor"),
    ("../../etc/passwd", "etc-passwd"),
    ("胸水", "phrase"),
    ("x" * 99, "x" * 40),
    ("blunting of the left costophrenic angle and more", "blunting-of-the-left-costophrenic-angle"),
])  # fmt: skip
def test_slug(text, expected):
    """ASCII words, short, safe, cut between words."""
    assert slug(text) == expected


@given(st.text())
def test_slug_is_always_a_safe_name(text):
    """Whatever the phrase is."""
    name = slug(text)
    assert 0 < len(name) <= 40
    assert set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")
    assert not name.startswith("-")


def test_files_are_numbered_as_asked():
    """From 01, wider where there are more than 99, so that they sort."""
    assert numbered([grounding("a"), grounding("a")]) == ("01-a", "02-a")
    many = numbered([grounding("a", (8, 8), unseen=0)] * 100)
    assert many[0] == "001-a"
    assert list(many) == sorted(many)


@pytest.mark.parametrize(("source", "expected"), [
    ("a/chest.png", "chest"), ("chest.tar.gz", "chest.tar"), (".dcm", "dcm"), ("..", "image"), ("a:b*c.png", "a-b-c"),
    ("Thorax süd.jpg", "Thorax süd"), ("x" * 300, "x" * 100), ("trailing. .png", "trailing"), (None, "image"),
])  # fmt: skip
def test_stem(source, expected):
    """The file's own name as far as any file system takes it."""
    assert stem_of(None if source is None else Path(source)) == expected


def test_equal_stems_get_numbers():
    """In order, and never a name that another input has."""
    sources = ["a/chest.png", "b/chest.dcm", "chest-2.png", "CHEST.tif", None]
    names = folder_names([None if source is None else Path(source) for source in sources])
    assert names == ("chest", "chest-2", "chest-2-2", "CHEST-3", "image")


@given(st.lists(st.sampled_from(["a.png", "A.png", "a-2.png", "a-2-2.png", "b/a.dcm", "a-3.tif"]), max_size=12))
def test_folder_names_differ_and_repeat(sources):
    """One per input, different on any file system, the same at the next run."""
    names = folder_names([Path(source) for source in sources])
    assert len({name.casefold() for name in names}) == len(sources)
    assert names == folder_names([Path(source) for source in sources])
