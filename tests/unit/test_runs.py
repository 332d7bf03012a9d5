"""Run folders: lines that read back, folders that are refused, and what is still to be done."""

import json
import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deixis.datasets import Wanted
from deixis.errors import CaseError, OutputError
from deixis.evaluate import Row
from deixis.runs import CASES, RUN, Examiner, Order, Record, RunFolder, finite, read_run, report_of, unfinished
from deixis.types import Box

CONFIG = {"dataset": "phantom", "seed": 0}


def record(number=0, scores=None, failure=None):
    row = Row(
        case=f"c{number}",
        patient=f"p{number}",
        category="Edema",
        phrase="œdème, “mild”",
        names_place=None,
        scores={"auroc": 0.5} if scores is None else scores,
        evaluations=20,
        seconds=1.5,
        failure=failure,
        curves={"roc": [0.0, 0.5, 1.0]},
        found=(Box(1, 2, 3.5, 4, 0.25),),
    )
    return Record(row, {"uniform": {"auroc": 0.25}}, "test", (Box(0, 0, 5, 5),), {"other_image": "OSError: gone"})


@given(st.dictionaries(st.text(max_size=8), st.floats(allow_infinity=False), max_size=5))
def test_a_line_reads_back_to_the_last_bit(scores):
    """Every float, NaN too; only the seconds are kept elsewhere."""
    kept = Record.read(record(scores=scores).line())
    assert kept.row.scores.keys() == scores.keys()
    for name, value in scores.items():
        read = kept.row.scores[name]
        assert read == value or (math.isnan(read) and math.isnan(value))
    assert replace(kept, row=replace(kept.row, scores={})) == replace(
        record(), row=replace(record().row, scores={}, seconds=0.0)
    )


def test_a_line_is_one_line_and_plain_json():
    """Whatever the phrase holds; what is not finite is null."""
    line = record(scores={"auroc": math.nan, "cnr": math.inf}).line()
    assert line.count("\n") == 1
    assert json.loads(line)["row"]["scores"] == {"auroc": None, "cnr": None}
    assert finite({"a": (1.0, math.nan), "b": [{"c": -math.inf}]}) == {"a": [1.0, None], "b": [{"c": None}]}


def test_a_folder_keeps_lines_and_its_configuration(tmp_path):
    """Written, read back in order, also by a reader that knows nothing of the order."""
    folder = RunFolder(tmp_path / "run", CONFIG)
    folder.append([record(0), record(1)])
    folder.append([record(2)])
    assert [one.row.case for one in folder.records()] == ["c0", "c1", "c2"]
    records, config = read_run(tmp_path / "run")
    assert config == CONFIG
    assert len(records) == 3
    times = (tmp_path / "run" / "times.jsonl").read_text().splitlines()
    assert json.loads(times[0]) == {"case": "c0", "seconds": 1.5}


@pytest.mark.parametrize("torn", [b'{"row": {"case"', b"{", "“".encode()[:2]])
def test_what_a_killed_run_left_of_a_line_is_cut_off(tmp_path, torn):
    """Half a line, or half a character of one; whole lines stay as they are."""
    RunFolder(tmp_path, CONFIG).append([record(0)])
    whole = (tmp_path / CASES).read_bytes()
    (tmp_path / CASES).write_bytes(whole + torn)
    assert [one.row.case for one in RunFolder(tmp_path, CONFIG).records()] == ["c0"]
    assert (tmp_path / CASES).read_bytes() == whole


def test_another_configuration_is_refused_with_what_differs(tmp_path):
    RunFolder(tmp_path, CONFIG)
    with pytest.raises(OutputError, match="seed: 0 there, 1 now"):
        RunFolder(tmp_path, {**CONFIG, "seed": 1})
    with pytest.raises(OutputError, match="limit: None there, 5 now"):
        RunFolder(tmp_path, {**CONFIG, "limit": 5})


def test_a_folder_that_holds_something_else_is_refused(tmp_path):
    """Nothing of it is touched."""
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(OutputError, match="holds files, and no run"):
        RunFolder(tmp_path, CONFIG)
    assert [file.name for file in tmp_path.iterdir()] == ["thesis.txt"]
    with pytest.raises(OutputError, match="holds no run"):
        read_run(tmp_path)


class Named:
    """Stands for a case: only its id counts here."""

    def __init__(self, id_):
        self.id = id_


def test_an_image_is_unfinished_while_one_of_its_cases_has_no_line():
    groups = [[Named("c0"), Named("c1")], [Named("c2")], [Named("c3")]]
    assert unfinished(groups, [record(0), record(2)]) == [0, 2]
    assert unfinished(groups, [record(i) for i in range(4)]) == []


def test_reports_of_the_method_and_of_a_control():
    """A control's rows take the case's names, and its own scores."""
    records = [record(0), record(1, failure="OSError: gone")]
    assert [row.failure for row in report_of(records, CONFIG).rows] == [None, "OSError: gone"]
    (first, _) = report_of(records, CONFIG, "uniform").rows
    assert (first.case, first.scores) == ("c0", {"auroc": 0.25})
    assert not report_of(records, CONFIG, "nobody").rows


def test_the_configuration_says_all_that_an_answer_depends_on(tiny_model, tmp_path):
    """Weights and the whole recipe; it survives JSON."""
    order = Order("ms-cxr", Wanted(tmp_path, "test", limit=7, options={"table": "x.csv"}), recipe="paper", seed=3)
    config = order.config(tiny_model)
    assert json.loads(json.dumps(config)) == config
    assert config["weights_sha256"] == tiny_model.spec.weights_sha256
    assert config["recipe"]["walk"]["steps"] == 300
    assert (config["split"], config["limit"], config["options"], config["seed"]) == ("test", 7, {"table": "x.csv"}, 3)


def test_predictions_are_told_in_the_configuration(tmp_path):
    config = Order("phantom", Wanted(), predictions=tmp_path).config(None)
    assert (config["model"], config["recipe"]) == (str(tmp_path), {"name": "predictions"})


def test_patients_can_be_left_out(tmp_path):
    """By their ids, before anything is read with a model."""
    (tmp_path / "predictions.json").write_text("{}")
    order = Order("phantom", Wanted(limit=6), predictions=tmp_path, prior_cases=0)
    every = Examiner(order).groups
    patient = every[0][0].patient
    kept = Examiner(replace(order, without=(patient,))).groups
    assert len(kept) == len(every) - 1
    assert patient not in {case.patient for group in kept for case in group}


def test_an_unreadable_answer_is_kept_as_the_reason(tmp_path):
    """The image's cases are lines with the failure; nothing is raised."""
    (tmp_path / "predictions.json").write_text("{}")
    examiner = Examiner(Order("phantom", Wanted(limit=2), predictions=tmp_path, prior_cases=0))
    (first, *_) = examiner.examine(0)
    assert first.row.failure.startswith("CaseError")
    assert not first.scores
    with pytest.raises(CaseError, match="no split 'holdout'"):
        Examiner(Order("phantom", Wanted(split="holdout"), predictions=tmp_path))


def test_the_file_of_the_configuration_is_whole_or_not_there(tmp_path):
    """It is written aside and renamed."""
    RunFolder(tmp_path / "run", CONFIG)
    assert [file.name for file in (tmp_path / "run").iterdir()] == [RUN]
