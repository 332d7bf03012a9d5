"""Run lengths against pycocotools, and SIIM's by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deixis.datasets.rle import coco_mask, coco_runs, from_runs, polygon_mask, resized_mask, siim_runs
from deixis.errors import CaseError


@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 2**32 - 1), st.floats(0, 1))
def test_compressed_and_plain_runs_are_pycocotools(height, width, seed, share):
    """Its own encoder writes what ours decodes, for any mask."""
    coco = pytest.importorskip("pycocotools.mask", reason="the oracle")
    mask = np.random.default_rng(seed).random((height, width)) < share
    encoded = coco.encode(np.asfortranarray(mask.astype(np.uint8)))
    text = {"size": encoded["size"], "counts": encoded["counts"].decode()}
    assert np.array_equal(coco_mask(text), mask)
    assert np.array_equal(coco_mask({"size": [height, width], "counts": coco_runs(text["counts"])}), mask)


def test_siim_counts_gaps_from_the_run_before_down_the_columns():
    """Gap 2, run 3, gap 4, run 1 of a 3×4 image."""
    mask = from_runs(siim_runs("2 3 4 1", (3, 4)), (3, 4))
    assert np.flatnonzero(mask.T).tolist() == [2, 3, 4, 9]
    assert not from_runs(siim_runs("-1", (3, 4)), (3, 4)).any()


@pytest.mark.parametrize("encoded", ["2 3 4", "5 99", "-3 4", "10 x"])
def test_runs_that_do_not_fit_are_errors(encoded):
    with pytest.raises((CaseError, ValueError)):
        from_runs(siim_runs(encoded, (3, 4)), (3, 4))


@pytest.mark.parametrize("counts", ["o", "\n", "abc~", [5], [-1, 13]])
def test_broken_coco_masks_are_errors(counts):
    """Ends inside a number, holds a strange letter, or does not add up."""
    with pytest.raises(CaseError):
        coco_mask({"size": [3, 4], "counts": counts})


def test_a_mask_is_taken_at_the_centres_of_the_other_size():
    mask = np.zeros((4, 4), bool)
    mask[:, :2] = True
    assert np.array_equal(resized_mask(mask, (8, 2)), np.repeat([[True, False]], 8, axis=0))
    assert resized_mask(mask, (4, 4)) is mask


def test_a_polygon_holds_its_inside():
    mask = polygon_mask([(2, 1), (6, 1), (6, 4), (2, 4)], (8, 8))
    assert mask[2:4, 3:6].all()
    assert not mask[6:].any()
