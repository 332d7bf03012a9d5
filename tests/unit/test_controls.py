"""Controls that ask the model: the same phrase elsewhere, another phrase here."""

from dataclasses import replace

import numpy as np
import pytest

from deixis.controls import EMPTY, Views, other_image, other_phrases, partners, reading, standing
from deixis.datasets.phantom import cases
from deixis.evaluate import MEASURED, evaluate
from deixis.laterality import swapped_side
from deixis.recipes import FAST, NoisedWalk
from deixis.types import Box, Case, Image, LatentModel, Phrase

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


def drawn_case(number, text="left lung", category="a", shape=(96, 96)):
    image = Image(np.random.default_rng(number).random(shape, dtype=np.float32))
    return Case(f"c{number}", image, Phrase(text), category, (Box(4, 4, 12, 12),), shape, patient=f"p{number}")


def test_an_image_stays_open_for_the_next_method(tiny_model):
    """Views of the last two images are kept: a method and a control walk each image once between them."""
    views = Views(tiny_model, "fast")
    first, second, third = (drawn_case(i) for i in range(3))
    opened = views.of(first)
    assert views.of(first) is opened
    views.of(second)
    assert views.of(first) is opened
    views.of(third)
    views.of(second)
    assert views.of(first) is not opened


def test_reading_through_open_views_is_reading(tiny_model):
    """The same answer, bit for bit."""
    case = drawn_case(0)
    alone = reading(tiny_model, "fast")([case])[0]
    through = reading(Views(tiny_model, "fast"))([case])[0]
    assert np.array_equal(alone.heat.values, through.heat.values)


def test_another_image_of_another_shape_is_stretched_over_this_one(tiny_model):
    """The phrase is this case's, the picture the partner's."""
    case, partner = drawn_case(0), drawn_case(1, shape=(64, 128))
    find = other_image(Views(tiny_model, "fast"), "", {"p0": partner})
    (answer,) = find([case])
    assert answer.heat.values.shape == case.shape
    assert answer.heat.seen.any()
    (own,) = reading(tiny_model, "fast")([case])
    assert not np.array_equal(answer.heat.values, own.heat.values)


def test_partners_are_the_patients_before():
    """The first takes the last one's; a patient with two cases has one partner."""
    cases_ = [drawn_case(0), drawn_case(1), drawn_case(2)]
    found = partners([cases_[0], replace(cases_[0], id="again"), *cases_[1:]])
    assert {patient: case.id for patient, case in found.items()} == {"p0": "c2", "p1": "c0", "p2": "c1"}


def test_other_phrases_are_of_another_class_and_patient():
    """The next that is; its own where there is none."""
    cases_ = [drawn_case(0, "x", "a"), drawn_case(1, "y", "a"), drawn_case(2, "z", "b")]
    assert other_phrases(cases_) == {"c0": "z", "c1": "z", "c2": "x"}
    assert other_phrases(cases_[:2]) == {"c0": "x", "c1": "y"}


def test_the_controls_of_a_table(tiny_model):
    """Priors only with cases to fit them on; nothing that asks a model where there is none."""
    cases_ = [drawn_case(0), drawn_case(1)]
    with_model = standing(Views(tiny_model, "fast"), cases_, [])
    assert set(with_model) == {
        "center_gaussian",
        "uniform",
        "other_image",
        "random_phrase",
        "swapped_side",
        "empty_phrase",
    }
    without = standing(None, cases_, cases_)
    assert set(without) == {"center_gaussian", "uniform", "class_prior", "text_prior"}
    (answer,) = without["class_prior"]([cases_[0]])
    assert answer.heat.values[8, 8] > answer.heat.values[60, 60]
