"""Files of results: the schema, masks that COCO's own tools read, and writing that is whole or not at all."""

import errno

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis.extra.numpy import array_shapes, arrays
from pycocotools.mask import decode

from deixis.cohort.heats import HEAT_STORES, keep
from deixis.cohort.items import Failure, Item
from deixis.cohort.shards import (
    RESULTS,
    Answered,
    facts_of,
    failures_table,
    read_failures,
    read_rows,
    results_table,
    rle,
    whole,
    write_table,
)
from deixis.datasets.rle import coco_mask
from deixis.radiology import Mention
from deixis.types import Box, Grounding, HeatMap, Image, Phrase, Provenance

ITEM = Item(7, "a.png", ("edema",), id="seven", split="val")
FAILURES = (Failure(9, "nine", "b.png", "image", "It is damaged."), Failure(8, "", "", "manifest", "The row is empty."))


@pytest.fixture
def grounding(grey):
    mask = grey > 0.6
    made = Provenance("tiny", "abc", "fast", 3, {"python": "3", "deixis": "0"}, 1.5, 20, ("told",))
    seen = np.ones(grey.shape, bool)
    return Grounding(
        Image(grey), Phrase("edema"), HeatMap(grey, seen), mask, (Box(1, 2, 3.5, 4, 0.25),), made, 0.5, None
    )


@given(arrays(np.bool_, array_shapes(min_dims=2, max_dims=2, max_side=40)))
def test_a_mask_is_read_by_coco_and_by_our_own_dataset(mask):
    coded = rle(mask)
    np.testing.assert_array_equal(decode(coded), mask)
    np.testing.assert_array_equal(coco_mask(coded), mask)


def test_a_row_reads_back(grounding, tmp_path):
    """Every column; what is not known is null."""
    denied = Answered(ITEM, 1, "effusion", None, Mention(0, 8, "absent", "Effusion", "effusion", "left"), "denied")
    write_table(results_table([denied.row(), Answered(ITEM, 0, "edema", grounding, heat="7-0").row()]), tmp_path / "p")
    first, second = read_rows(tmp_path / "p")
    assert set(first) == set(RESULTS.names)
    assert (first["id"], first["row"], first["number"], first["image"], first["split"]) == (
        "seven",
        7,
        0,
        "a.png",
        "val",
    )
    assert first["boxes"] == [{"x0": 1.0, "y0": 2.0, "x1": 3.5, "y1": 4.0, "score": 0.25}]
    assert (first["height"], first["width"]) == grounding.mask.shape == tuple(first["mask"]["size"])
    assert first["mask_area"] == grounding.mask.sum()
    assert (first["stability"], first["agreement"], first["presence"]) == (0.5, None, None)
    assert (first["status"], first["reason"]) == (None, None)
    assert dict(first["versions"]) == {"python": "3", "deixis": "0"}
    assert (first["seconds"], first["unet_evaluations"], first["notices"]) == (1.5, 20, ["told"])
    assert (second["status"], second["reason"], second["laterality"]) == ("absent", "denied", "left")
    assert second["boxes"] is second["mask"] is second["model"] is None
    assert facts_of(tmp_path / "p") == {"schema": "deixis.cohort/1", "rows": "2"}


def test_failures_read_back_in_the_order_of_the_manifest(tmp_path):
    assert read_failures(tmp_path / "f") == ()
    write_table(failures_table(FAILURES), tmp_path / "f")
    assert read_failures(tmp_path / "f") == FAILURES[::-1]


def test_a_file_without_rows_has_the_schema(tmp_path):
    write_table(results_table([]), tmp_path / "p")
    assert pq.read_schema(tmp_path / "p").names == RESULTS.names


def test_what_fails_in_the_middle_leaves_what_was_there(tmp_path):
    path = tmp_path / "p"
    path.write_text("before")
    writing = whole(path)
    writing.__enter__().write_text("half")
    assert not writing.__exit__(OSError, OSError(errno.ENOSPC, "full"), None)
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("name", list(HEAT_STORES))
def test_heat_maps_come_back_as_float16(name, tmp_path):
    """Maps of images that are done again replace the old ones; the others stay."""
    store = HEAT_STORES[name]
    maps = {"2-0": np.eye(4, 5, dtype=np.float16), "3-0": np.full((2, 3), 0.5, np.float16)}
    keep(store, tmp_path / f"h{store.suffix}", maps)
    keep(store, tmp_path / f"h{store.suffix}", {"3-0": np.zeros((2, 3), np.float16)})
    found = store.read(tmp_path / f"h{store.suffix}")
    assert set(found) == set(maps)
    np.testing.assert_array_equal(found["2-0"], maps["2-0"])
    assert not found["3-0"].any()
    assert found["2-0"].dtype == np.float16
    assert [file.name for file in tmp_path.iterdir()] == [f"h{store.suffix}"]
