"""Answers of other systems: maps, boxes, masks, and files that are none."""

import json

import numpy as np
import pytest

from deixis.errors import CaseError
from deixis.predictions import Predictions
from deixis.types import Box, Case, Image, Phrase

SHAPE = (20, 30)


def case(id_="a"):
    image = Image(np.full(SHAPE, 0.5, np.float32))
    return Case(id_, image, Phrase("x"), "X", (Box(1, 2, 5, 6),), SHAPE)


def test_a_map_of_any_size_is_stretched_over_the_image(tmp_path):
    heat = np.zeros((10, 15), np.float32)
    heat[:5] = 1
    np.savez(tmp_path / "a.npz", heat=heat)
    (answer,) = Predictions(tmp_path)([case()])
    assert answer.heat.values.shape == SHAPE
    assert answer.heat.seen.all()
    assert answer.heat.values[:9].min() > 0.9
    assert answer.heat.values[11:].max() < 0.1
    assert answer.mask is None
    assert answer.boxes is None


def test_boxes_become_a_map_of_their_best_scores(tmp_path):
    boxes = np.array([[0, 0, 10, 10, 0.4], [5, 5, 15, 15, 0.9]])
    np.savez(tmp_path / "a.npz", boxes=boxes)
    (answer,) = Predictions(tmp_path)([case()])
    assert answer.boxes == (Box(0, 0, 10, 10, 0.4), Box(5, 5, 15, 15, 0.9))
    assert answer.heat.values[2, 2] == pytest.approx(0.4)
    assert answer.heat.values[7, 7] == pytest.approx(0.9)
    assert answer.heat.values[19, 29] == 0


def test_a_map_wins_over_boxes_and_a_mask_is_taken_as_it_is(tmp_path):
    mask = np.zeros(SHAPE, bool)
    mask[3:6] = True
    np.savez(tmp_path / "a.npz", heat=np.ones(SHAPE), boxes=[[0, 0, 5, 5, 1]], mask=mask)
    (answer,) = Predictions(tmp_path)([case()])
    assert answer.heat.values.min() == 1
    assert len(answer.boxes) == 1
    assert np.array_equal(answer.mask, mask)


def test_boxes_of_many_cases_in_one_file(tmp_path):
    (tmp_path / "predictions.json").write_text(json.dumps({"a": {"boxes": [[0, 0, 5, 5, 1]]}, "b": {"boxes": []}}))
    first, second = Predictions(tmp_path)([case("a"), case("b")])
    assert len(first.boxes) == 1
    assert second.boxes == ()
    assert not second.heat.values.any()


@pytest.mark.parametrize(
    ("arrays", "told"),
    [
        ({"other": np.ones(3)}, "neither heat nor boxes"),
        ({"boxes": np.ones((2, 4))}, r"not \[n 5\]"),
        ({"heat": np.ones(SHAPE), "mask": np.ones((2, 2), bool)}, "mask of a"),
        ({"heat": np.array([{"a": 1}], dtype=object)}, "cannot be read"),
    ],
)
def test_what_cannot_be_scored_is_an_error_that_names_the_case(tmp_path, arrays, told):
    """Pickled objects inside an npz are never opened."""
    np.savez(tmp_path / "a.npz", **arrays)
    with pytest.raises(CaseError, match=told):
        Predictions(tmp_path)([case()])


def test_missing_and_broken_files_are_errors(tmp_path):
    with pytest.raises(CaseError, match="holds no predictions"):
        Predictions(tmp_path)
    with pytest.raises(CaseError, match="holds no predictions"):
        Predictions(tmp_path / "absent")
    (tmp_path / "a.npz").write_bytes(b"not a zip")
    with pytest.raises(CaseError, match="cannot be read"):
        Predictions(tmp_path)([case()])
    with pytest.raises(CaseError, match="no prediction of b"):
        Predictions(tmp_path)([case("b")])
    (tmp_path / "predictions.json").write_text("{")
    with pytest.raises(CaseError, match="is no JSON"):
        Predictions(tmp_path)([case("b")])
