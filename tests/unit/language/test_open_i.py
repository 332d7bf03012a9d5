"""Real reports: what was measured still holds. Runs where the reports are present; the labels are checked anywhere."""

import json

import pytest

from deixis.language.lexicon import LEXICON
from deixis.radiology import STATUSES
from openi import ARCHIVE, LABELS, Rate, compared, errors, precision_recall

FILES = {"openi_sentences.json": {"development": 150, "test": 150}, "openi_fresh.json": {"fresh": 150}}
# Precision and recall as measured when the rules stood: of positive findings, of negation.
MEASURED = {
    "development": (1.0, 1.0, 1.0, 1.0),
    "test": (0.961, 1.0, 1.0, 1.0),
    "fresh": (0.95, 0.938, 1.0, 1.0),
}

reports = pytest.mark.skipif(not ARCHIVE.exists(), reason="no Open-i reports beside the repository")


@pytest.mark.parametrize("name", FILES)
def test_labels_are_whole(name):
    rows = json.loads((LABELS / name).read_text(encoding="utf-8"))
    halves = [row["half"] for row in rows]
    assert {half: halves.count(half) for half in set(halves)} == FILES[name]
    assert len({(row["document"], row["section"], row["start"]) for row in rows}) == len(rows)
    for row in rows:
        at = 0
        for start, end, category, status in row["mentions"]:
            assert at <= start < end <= row["end"] - row["start"]
            assert category in LEXICON
            assert status in STATUSES
            at = end


def test_labels_hold_no_text():
    for name in FILES:
        for row in json.loads((LABELS / name).read_text(encoding="utf-8")):
            assert set(row) == {"document", "section", "start", "end", "digest", "half", "mentions"}


@reports
@pytest.mark.parametrize("half", MEASURED)
def test_real_sentences_are_read_as_well_as_measured(half):
    cases = compared(half, "openi_fresh.json" if half == "fresh" else "openi_sentences.json")
    found = (*precision_recall(cases, "present"), *precision_recall(cases, "absent"))
    for rate, measured in zip(found, MEASURED[half], strict=True):
        assert rate.value >= measured - 0.001
    wrong = errors(cases)
    assert len(wrong.missed) + len(wrong.invented) <= 10


@reports
def test_the_drawing_gives_the_labelled_sentences_again():
    from draw_sentences import drawn, fresh

    asked = {"openi_sentences.json": drawn(ARCHIVE), "openi_fresh.json": None}
    asked["openi_fresh.json"] = drawn(ARCHIVE, fresh(ARCHIVE, LABELS / "openi_sentences.json"))
    for name, chosen in asked.items():
        rows = json.loads((LABELS / name).read_text(encoding="utf-8"))
        assert [(one.document, one.section, one.start, one.end, one.half) for one in chosen] == [
            (row["document"], row["section"], row["start"], row["end"], row["half"]) for row in rows
        ]


@reports
def test_every_real_report_is_read():
    """A part of them, whatever they hold."""
    from deixis.language import read_report
    from draw_sentences import sections

    for document, _, text in list(sections(ARCHIVE))[::40]:
        report = read_report(text)
        assert report.sentences, document


def test_intervals_are_wilsons():
    assert Rate(0, 0).value != Rate(0, 0).value
    low, high = Rate(95, 100).interval
    assert (round(low, 4), round(high, 4)) == (0.8882, 0.9785)
    assert Rate(10, 10).interval[1] == pytest.approx(1)
