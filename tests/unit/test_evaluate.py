"""Rows, means, intervals and controls, on maps whose scores are known."""

from collections.abc import Sequence

import numpy as np
import pytest

from deixis.controls import Prior, centre_gaussian, class_keys, text_keys, uniform
from deixis.datasets.phantom import cases
from deixis.evaluate import Answer, Report, Row, evaluate, paired_difference, truth_of
from deixis.types import Box, Case, HeatMap, Image, Phrase

SHAPE = (32, 32)
BOX = Box(4, 4, 12, 12)


def case(number: int, category: str = "a", box: Box = BOX, text: str = "left a") -> Case:
    """A case on a grey image; every image has its own patient."""
    image = Image(np.full(SHAPE, 0.5, np.float32))
    return Case(f"c{number}", image, Phrase(text), category, (box,), SHAPE, patient=f"p{number}")


def perfect(group: Sequence[Case]) -> list[Answer]:
    """Answers with the truth."""
    everywhere = np.ones(SHAPE, bool)
    return [Answer(HeatMap(truth_of(one).astype(np.float32), everywhere), mask=truth_of(one)) for one in group]


def test_truth_scores_one_and_has_no_spread() -> None:
    """A perfect method: every mean is 1 with an interval of no width."""
    report = evaluate([case(i, "ab"[i % 2]) for i in range(6)], perfect, ["auroc", "miou", "pointing"])
    for mean in (report.macro("auroc"), report.micro("miou"), report.macro("pointing")):
        assert (mean.value, mean.low, mean.high) == (1, 1, 1)


def test_an_image_is_asked_for_once() -> None:
    """The cases of one image come to the method together."""
    drawn = list(cases(range(5), 64))
    seen: list[int] = []

    def find(group: Sequence[Case]) -> list[Answer]:
        seen.append(len(group))
        return list(uniform(group))

    report = evaluate(drawn, find, ["auroc"])
    assert sum(seen) == len(drawn) == len(report.rows)
    assert len(seen) == len({one.patient for one in drawn})


def test_a_failing_image_is_kept_with_its_reason() -> None:
    """The others are scored; the report names what was omitted."""

    def find(group: Sequence[Case]) -> list[Answer]:
        if group[0].id == "c1":
            raise OSError("unreadable")
        return perfect(group)

    report = evaluate([case(i) for i in range(3)], find, ["auroc"])
    assert len(report.scored) == 2
    assert report.to_json()["omitted"] == {"c1": "OSError: unreadable"}
    assert report.macro("auroc").value == 1


def rows(values: dict[str, list[float]]) -> Report:
    """Rows with given scores per class."""
    numbered = [(category, value) for category, own in values.items() for value in own]
    return Report(
        tuple(Row(f"c{i}", f"p{i}", category, "", None, {"m": value}) for i, (category, value) in enumerate(numbered))
    )


def test_macro_weighs_classes_and_micro_cases() -> None:
    """Three cases of 0 and one of 1."""
    report = rows({"a": [0, 0, 0], "b": [1]})
    assert report.macro("m").value == 0.5
    assert report.micro("m").value == 0.25


def test_intervals_are_repeatable_and_hold_the_mean() -> None:
    """The same rows give the same interval; more rows a narrower one."""
    rng = np.random.default_rng(0)
    few, many = rows({"a": list(rng.normal(size=20))}), rows({"a": list(rng.normal(size=2000))})
    mean = few.micro("m")
    assert mean == few.micro("m")
    assert mean.low < mean.value < mean.high
    assert many.micro("m").high - many.micro("m").low < (mean.high - mean.low) / 4


def test_paired_difference_sees_a_small_constant_gain() -> None:
    """Pairing takes the cases' own spread out."""
    rng = np.random.default_rng(1)
    base = list(rng.normal(size=50))
    gain = paired_difference(rows({"a": [v + 0.01 for v in base]}), rows({"a": base}), "m")
    assert gain.value == pytest.approx(0.01)
    assert gain.excludes_zero


def test_report_has_the_documented_keys() -> None:
    """Schema, macro, micro, classes, controls, config, omitted; intervals as value, low, high."""
    report = evaluate([case(i) for i in range(3)], perfect, ["auroc"], config={"recipe": "x"})
    told = report.to_json({"uniform": evaluate([case(i) for i in range(3)], uniform, ["auroc"])})
    assert set(told) == {"schema", "macro", "micro", "classes", "controls", "config", "omitted"}
    assert told["macro"]["auroc"] == {"value": 1, "low": 1, "high": 1}
    assert told["controls"]["uniform"]["auroc"]["value"] == 0.5
    assert told["classes"]["a"]["cases"] == 3


def test_centre_gaussian_is_hottest_in_the_middle() -> None:
    """Its peak is the centre of the image."""
    heat = centre_gaussian([case(0)])[0].heat.values
    assert np.unravel_index(heat.argmax(), SHAPE) in {(15, 15), (15, 16), (16, 15), (16, 16)}


def test_priors_answer_with_the_mean_truth_of_the_words() -> None:
    """A known phrase gives its own mean, an unknown one that of its place words, else its class, else nothing."""
    left, right = Box(16, 4, 28, 12), Box(2, 4, 14, 12)
    prior = Prior.fitted(
        [case(0, text="a on the left", box=left), case(1, text="a on the right", box=right)], text_keys
    )
    known = prior([case(2, text="A on the left.")])[0].heat.values
    assert known[8, 20] == 1
    assert known[8, 8] == 0
    placed = prior([case(3, text="tiny a on the right")])[0].heat.values
    assert placed[8, 8] == 1
    classed = prior([case(4, text="a")])[0].heat.values
    assert classed[8, 8] == classed[8, 20] == 0.5
    assert not prior([case(5, "b", text="b")])[0].heat.values.any()
    assert Prior.fitted([case(0)], class_keys)([case(9)])[0].heat.values[8, 8] == 1
