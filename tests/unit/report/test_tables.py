"""Tables and page of a small run, and what a hostile phrase may not do."""

import base64
import csv
import io
import json
import re

import numpy as np
import pytest

from deixis.evaluate import Answer, Row
from deixis.report.files import write_report
from deixis.report.page import page
from deixis.report.summary import Summary
from deixis.report.tables import cases_csv, interval, latex, markdown
from deixis.runs import Record
from deixis.types import Box, Case, HeatMap, Image, Phrase

CONFIG = {"dataset": "ms-cxr", "model": "phantom", "recipe": {"name": "fast"}, "seed": 0}
METRICS = ("auroc", "auroc_smoothed", "auprc", "pointing", "miou", "iou", "dice", "cnr", "cnr_smoothed", "laterality")
HOSTILE = '<script>alert("1")</script> & left'


def record(number, value, control, *, phrase="left effusion", category="Edema", failure=None):
    row = Row(
        case=f"c{number}",
        patient=f"p{number}",
        category=category,
        phrase=phrase,
        names_place=number % 2 == 0,
        scores={} if failure else dict.fromkeys(METRICS, value),
        failure=failure,
        curves={} if failure else {"roc": list(np.linspace(0, 1, 21)), "iou": [0.5] * 20},
    )
    scores = {} if failure else {"uniform": dict.fromkeys(METRICS, control), "text_prior": dict.fromkeys(METRICS, 0.95)}
    return Record(row, scores, truth=(Box(0, 0, 4, 4),))


@pytest.fixture
def summary():
    records = [record(i, 0.8 + i / 100, 0.5, category="Edema" if i < 3 else "Pneumonia") for i in range(6)]
    records.append(record(6, 0.9, 0.5, phrase=HOSTILE))
    records.append(record(7, 0.0, 0.0, failure="OSError: <gone>"))
    return Summary.of(tuple(records), CONFIG)


def show(case_id):
    """A grey picture with its truth in the corner."""
    image = Image(np.full((16, 16), 0.5, np.float32))
    case = Case(case_id, image, Phrase("x"), "X", (Box(0, 0, 4, 4),), image.shape)
    return case, Answer(HeatMap(np.eye(16, dtype=np.float32), np.ones((16, 16), bool))), image


def test_the_markdown_marks_what_is_not_beaten(summary):
    """The method first, then its controls; the text prior is ahead of it, the uniform map is not."""
    lines = markdown(summary).splitlines()
    assert lines[2].startswith("| **fast on phantom** | 7 | 0.8")
    assert any(line.startswith("| uniform | 7 |") for line in lines)
    (marked,) = [line for line in lines if line.startswith("| text_prior")]
    assert "not beaten: AUROC before threshold, pointing, mIoU, CNR before threshold" in marked
    assert any(line.startswith("| Pneumonia | 3 |") for line in lines)
    assert any(line.startswith("| phrases that name none |") for line in lines)
    widths = {line.count("|") for line in lines if line.startswith("|")}
    assert len(widths) == 1


def test_the_csv_has_a_row_per_case_and_method(summary):
    """Phrases with quotes and commas come back as they were; failures are rows with the reason."""
    rows = list(csv.DictReader(io.StringIO(cases_csv(summary))))
    assert [row["method"] for row in rows].count("own") == 8
    assert [row["method"] for row in rows].count("uniform") == 7
    assert {row["phrase"] for row in rows} == {"left effusion", HOSTILE}
    (failed,) = [row for row in rows if row["failure"]]
    assert (failed["case"], failed["auroc"]) == ("c7", "")


def test_the_latex_compiles_by_eye(summary):
    """Begin meets end, underscores are escaped, as many cells in every row."""
    text = latex(summary)
    assert text.startswith(r"\begin{tabular}{lrrrrr}")
    assert text.rstrip().endswith(r"\end{tabular}")
    assert r"text\_prior" in text
    assert {line.count(" & ") for line in text.splitlines() if "&" in line} == {5}


def test_an_interval_without_a_value_is_a_dash(summary):
    assert interval(summary.own.macro("nothing")) == "–"
    assert re.fullmatch(r"0\.\d{3} \[0\.\d{3}, 0\.\d{3}\]", interval(summary.own.macro("auroc")))


def test_the_page_is_one_file_and_runs_nothing(summary):
    """No script, no link out; what phrases hold is shown, not done; every picture is a PNG."""
    text = page(summary, show)
    assert "<script" not in text
    assert "&lt;script&gt;" in text
    assert "&lt;gone&gt;" in text
    assert not re.search(r"(src|href)=.?(https?:|//)", text)
    pictures = re.findall(r"base64,([A-Za-z0-9+/=]+)", text)
    assert len(pictures) == 6 + 3 * 4
    assert all(base64.b64decode(one).startswith(b"\x89PNG") for one in pictures)
    assert text.count("<table>") == text.count("</table>") == 3
    assert "does not beat text_prior" in text


def test_the_page_of_a_run_in_which_everything_failed():
    """It still says why."""
    records = tuple(record(i, 0, 0, failure="OSError: gone") for i in range(2))
    text = page(Summary.of(records, CONFIG))
    assert text.count("OSError: gone") == 2


def test_all_files_are_written_whole(summary, tmp_path):
    """Names, JSON that reads back, nothing left aside."""
    files = write_report(summary, tmp_path, show)
    names = ["report.json", "cases.csv", "table.md", "table.tex", "report.html"]
    assert [file.name for file in files] == names
    assert sorted(file.name for file in tmp_path.iterdir()) == sorted(names)
    content = json.loads((tmp_path / "report.json").read_text())
    assert content["schema"] == "deixis.report/1"
    assert content["omitted"] == {"c7": "OSError: <gone>"}
    assert content["not_beaten"]["auroc_smoothed"] == ["text_prior"]
    assert content["ahead"]["uniform"]["auroc_smoothed"]["low"] > 0
    assert content["subsets"]["phrases that name a place"]["cases"] == 4


def test_without_matplotlib_there_is_no_page(summary, tmp_path, monkeypatch):
    """The numbers are written all the same."""
    monkeypatch.setitem(__import__("sys").modules, "matplotlib", None)
    assert [file.name for file in write_report(summary, tmp_path)] == [
        "report.json",
        "cases.csv",
        "table.md",
        "table.tex",
    ]
