"""Controls that ask the model: the same phrase elsewhere, another phrase here."""

from dataclasses import replace

import numpy as np
import pytest

from deixis.controls import EMPTY, other_image, reading, swapped_side
from deixis.datasets.phantom import cases
from deixis.evaluate import MEASURED, evaluate
from deixis.recipes import FAST, NoisedWalk
from deixis.types import Case, LatentModel, Phrase

QUICK = replace(FAST, walk=NoisedWalk(draws=2))


@pytest.fixture(scope="module")
def asked() -> list[Case]:
    """The cases of two small phantoms with one phrase each."""
    drawn = list(cases(range(20, 22), 128, findings=(1, 1)))
    # The tiny model takes few tokens.
    return [replace(case, phrase=Phrase(f"left {text}")) for case, text in zip(drawn, ("edema", "haze"), strict=True)]


def test_reading_scores_the_thresholded_heat_and_keeps_the_smoothed(asked: list[Case], tiny_model: LatentModel) -> None:
    """Final heat is 0 outside the mask; both are in native pixels; the cost is counted."""
    answer = reading(tiny_model, QUICK)(asked[:1])[0]
    assert answer.smoothed is not None
    assert answer.mask is not None
    assert not answer.heat.values[~answer.mask].any()
    assert np.array_equal(answer.heat.values[answer.mask], answer.smoothed.values[answer.mask])
    assert answer.evaluations == 2


def test_another_question_gives_another_answer(asked: list[Case], tiny_model: LatentModel) -> None:
    """`ask` replaces the words; the image stays."""
    own = reading(tiny_model, QUICK)(asked[:1])[0]
    other = reading(tiny_model, QUICK, ask=lambda case: "tiny air")(asked[:1])[0]
    assert own.smoothed is not None
    assert other.smoothed is not None
    assert not np.array_equal(own.smoothed.values, other.smoothed.values)


def test_other_image_is_the_partners_answer(asked: list[Case], tiny_model: LatentModel) -> None:
    """The phrase of the first read on the second is what reading it there gives."""
    partner = {str(asked[0].patient): asked[1]}
    there = other_image(tiny_model, QUICK, partner)(asked[:1])[0]
    moved = replace(asked[1], phrase=asked[0].phrase)
    same = reading(tiny_model, QUICK)([moved])[0]
    assert np.array_equal(there.heat.values, same.heat.values)


def test_an_evaluation_with_a_model_runs_through(asked: list[Case], tiny_model: LatentModel) -> None:
    """Every measured score is there, for the empty phrase too."""
    report = evaluate(asked, reading(tiny_model, QUICK, ask=lambda _: EMPTY))
    assert [row.failure for row in report.rows] == [None, None]
    assert set(report.rows[0].scores) == set(MEASURED)


def test_swapping_twice_is_nothing(asked: list[Case]) -> None:
    """The control changes sides only."""
    for case in asked:
        assert swapped_side(swapped_side(case.phrase.text)) == case.phrase.text
