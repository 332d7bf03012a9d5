"""Items by content, blocks by image."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deixis.cohort.items import Block, Item, blocks_of
from deixis.errors import ManifestError

ITEM = Item(2, "a.png", ("effusion",))


def test_an_id_comes_from_content_and_not_from_place():
    assert ITEM.id == replace(ITEM, row=9, split="test", id="").id
    others = [("b.png", ("effusion",), None), ("a.png", ("edema",), None), ("a.png", ("effusion",), "a report")]
    ids = {Item(2, image, phrases, report).id for image, phrases, report in others}
    assert len({ITEM.id, *ids}) == 4
    assert Item(2, "a.png", ("effusion",), id="mine").id == "mine"


@pytest.mark.parametrize(
    ("image", "phrases", "report", "told"),
    [
        ("", ("x",), None, "names no image"),
        ("a.png", (), None, "neither phrases nor a report"),
        ("a.png", ("x", " "), None, "an empty phrase"),
    ],
)
def test_what_cannot_be_asked_is_no_item(image, phrases, report, told):
    with pytest.raises(ManifestError, match=told):
        Item(1, image, phrases, report)


@given(st.lists(st.integers(0, 12), max_size=40), st.integers(1, 5))
def test_blocks_hold_every_item_once_and_every_image_once(images, size):
    """Whatever the order of rows: full blocks but the last, images in the order in which they come first."""
    items = [Item(row, f"{image}.png", ("x",), id=str(row)) for row, image in enumerate(images)]
    blocks = blocks_of(items, size)
    sheets = [sheet for block in blocks for sheet in block.sheets]
    assert [sheet.image for sheet in sheets] == [f"{image}.png" for image in dict.fromkeys(images)]
    assert sorted(item.row for sheet in sheets for item in sheet.items) == list(range(len(items)))
    assert [block.number for block in blocks] == list(range(len(blocks)))
    assert all(len(block.sheets) == size for block in blocks[:-1])


def test_a_part_of_a_block_holds_whole_images():
    """All items of an image are done again with the one that failed, so that its batches are the same."""
    items = [Item(row, image, ("x",), id=str(row)) for row, image in enumerate(("a", "b", "a", "c"))]
    (block,) = blocks_of(items, 9)
    part = block.of({2})
    assert part == Block(0, (block.sheets[0],))
    assert [item.row for item in part.sheets[0].items] == [0, 2]
    assert block.of(set()).sheets == ()


def test_an_image_that_fails_fails_for_all_its_items():
    (block,) = blocks_of([ITEM, replace(ITEM, row=3, id="other")], 2)
    failures = block.sheets[0].failed("image", "it is damaged")
    assert [(one.row, one.id, one.kind) for one in failures] == [(2, ITEM.id, "image"), (3, "other", "image")]
