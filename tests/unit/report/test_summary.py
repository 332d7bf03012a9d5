"""Average precision, permutation tests and what counts as beaten, on rows whose answers are known."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deixis.errors import CaseError
from deixis.evaluate import Report, Row
from deixis.report.compare import differences, permutation_p, side_by_side
from deixis.report.published import ROWS
from deixis.report.summary import Summary, average_precision
from deixis.runs import Record
from deixis.types import Box

CONFIG = {"dataset": "ms-cxr", "model": "m", "recipe": {"name": "r"}}
HERE, THERE = Box(0, 0, 10, 10), Box(50, 50, 60, 60)


def row(number, value, found=(), category="a", patient=None):
    scores = dict.fromkeys(("auroc", "auroc_smoothed", "pointing", "miou", "cnr", "cnr_smoothed"), value)
    return Row(f"c{number}", patient or f"p{number}", category, "phrase", None, scores, found=tuple(found))


def scored(box, score):
    return Box(box.x0, box.y0, box.x1, box.y1, score)


def test_average_precision_of_perfect_boxes_is_one_and_of_none_is_zero():
    perfect = [Record(row(i, 1.0, [HERE]), truth=(HERE,)) for i in range(3)]
    assert average_precision(perfect) == 1
    assert average_precision([Record(row(0, 1.0), truth=(HERE,))]) == 0
    assert average_precision([Record(row(0, 1.0, [HERE]))]) is None


def test_average_precision_by_hand():
    """Hits at ranks 1 and 3 of two truths: ½·1 + ½·⅔."""
    records = [
        Record(row(0, 1.0, [scored(HERE, 0.9), scored(THERE, 0.8)]), truth=(HERE,)),
        Record(row(1, 1.0, [scored(HERE, 0.7)]), truth=(HERE,)),
    ]
    assert average_precision(records) == pytest.approx(0.5 + 0.5 * 2 / 3)


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=12))
def test_average_precision_lies_between_none_and_all(drawn):
    """In [0, 1], whatever the scores; and no better than the share of truths that are hit."""
    records = [
        Record(row(i, 1.0, [scored(HERE if hit else THERE, score)]), truth=(HERE,))
        for i, (score, hit) in enumerate(drawn)
    ]
    share = sum(hit for _, hit in drawn) / len(drawn)
    assert 0 <= average_precision(records) <= share + 1e-9


def test_permutation_p_is_the_share_of_sign_patterns():
    """Against all patterns of six patients, counted one by one."""
    values = np.array([0.3, 0.2, 0.4, -0.1, 0.25, 0.05])
    first = Report(tuple(row(i, value) for i, value in enumerate(values)))
    second = Report(tuple(row(i, 0.0) for i in range(len(values))))
    patterns = np.array(list(itertools.product([-1, 1], repeat=6)))
    exact = np.mean(np.abs(patterns @ values) >= abs(values.sum()) - 1e-12)
    assert permutation_p(first, second, "auroc") == pytest.approx(exact, abs=0.02)
    assert permutation_p(first, first, "auroc") == 1


def summary(own, control):
    records = tuple(
        Record(
            row(i, a),
            {"uniform": dict.fromkeys(("auroc", "auroc_smoothed", "pointing", "miou", "cnr", "cnr_smoothed"), b)},
        )
        for i, (a, b) in enumerate(zip(own, control, strict=True))
    )
    return Summary.of(records, CONFIG)


def test_a_control_is_beaten_only_where_the_interval_excludes_zero():
    assert summary([0.9, 0.8, 0.95], [0.5, 0.4, 0.5]).unbeaten("auroc") == ()
    assert summary([0.9, 0.2, 0.95], [0.5, 0.6, 0.5]).unbeaten("auroc") == ("uniform",)
    assert summary([0.5, 0.5], [0.5, 0.5]).unbeaten("auroc") == ("uniform",)


def test_published_rows_stand_beside_runs_and_say_that_they_were_not_run():
    told = side_by_side({"mine": summary([0.9, 0.8], [0.5, 0.5])})
    assert "BioViL-T (published, not run here: arXiv 2506.10633" in told
    frozen = next(one for one in ROWS if one.method == "LDM" and one.dataset == "ms-cxr")
    means = [np.mean([values[i] for values in frozen.classes.values()]) for i in (0, 1)]
    assert means == pytest.approx([frozen.cnr, frozen.miou], abs=0.01)


def test_runs_without_a_common_case_cannot_be_compared():
    other = Summary.of((Record(row(9, 0.5)),), CONFIG)
    with pytest.raises(CaseError, match="no case in common"):
        differences(summary([0.9], [0.5]), other)
