"""A whole report in: sentences and mentions out, whatever the text is."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deixis.errors import ReportError
from deixis.language import MOST_CHARACTERS, read_report
from deixis.language.cues import CUES
from deixis.language.findings import names

REPORT = """INDICATION: Cough, rule out pneumonia.
COMPARISON: Effusion was seen last year.

FINDINGS: The heart is enlarged. There is a small right pleural effusion with basilar atelectasis.
No pneumothorax. Early edema cannot be excluded. The chest tube has been removed.

IMPRESSION:
1. Small right pleural effusion.
2. Cardiomegaly.
"""


def test_a_report_is_read_by_status():
    report = read_report(REPORT)
    told = {status: [one.phrase for one in report.of_status(status)] for status in ("absent", "uncertain", "prior")}
    assert told == {"absent": ["pneumothorax"], "uncertain": ["early edema"], "prior": ["chest tube"]}
    assert [one.phrase for one in report.of_status("present")] == [
        "heart is enlarged", "small right pleural effusion", "basilar atelectasis", "small right pleural effusion",
        "cardiomegaly",
    ]  # fmt: skip


def test_nothing_is_read_out_of_indication_and_comparison():
    report = read_report(REPORT)
    unread = [one for one in report.sentences if one.section in {"indication", "comparison"}]
    assert len(unread) == 2
    assert all(one.mentions == () for one in unread)


def test_offsets_point_into_the_text():
    report = read_report(REPORT)
    words = [report.text[one.start : one.end] for one in report.mentions]
    assert words[:3] == ["heart is enlarged", "pleural effusion", "atelectasis"]
    assert all(one.category and one.phrase for one in report.mentions)


def test_case_and_line_ends_do_not_matter():
    plain = [(one.category, one.status) for one in read_report(REPORT).mentions]
    assert [(one.category, one.status) for one in read_report(REPORT.upper()).mentions] == plain
    assert [(one.category, one.status) for one in read_report(REPORT.replace("\n", "\r\n")).mentions] == plain


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "holds no words"),
        ("  \n ", "holds no words"),
        ("1. 2. -", "holds no words"),
        ("effusion " * MOST_CHARACTERS, "more than"),
        ("effusion \x00 pneumothorax", r"'\\x00' at 9"),
        ("an \ufffd effusion", "UTF-8"),
    ],
)
def test_what_is_no_report_is_an_error_that_says_why(text, told):
    with pytest.raises(ReportError, match=told):
        read_report(text)


def judge(text: str) -> None:
    """Either an error of ours, or a report whose parts lie where they say."""
    try:
        report = read_report(text)
    except ReportError:
        return
    at = 0
    for sentence in report.sentences:
        assert at <= sentence.start < sentence.end <= len(text)
        at = sentence.end
        for mention in sentence.mentions:
            assert sentence.start <= mention.start < mention.end <= sentence.end
            assert mention.phrase.strip()


@given(st.text(max_size=400))
def test_any_text_is_read_or_refused(text):
    judge(text)


WORDS = [
    "no", "not", "may", "effusion", "pneumothorax", "left", "right", "and", "or", "versus", ",", ".", ";", ":", "\n",
    "1.", "-", "cannot be excluded", "has resolved", "the heart is", "enlarged", "calcified", "aorta", "in the",
    "lower lobe",
    "FINDINGS:", "IMPRESSION:", "XXXX", "(", ")", "/", "is", "seen", "with", "small", "stable",
    "history of", "3.5 cm", "normal",
]  # fmt: skip


@given(st.lists(st.sampled_from(WORDS), max_size=60))
def test_any_jumble_of_report_words_is_read(words):
    judge(" ".join(words))


@given(st.lists(st.sampled_from([word for row in CUES for word in row.words if word.isalpha()]), max_size=8))
def test_cues_alone_say_nothing(words):
    found = read_report(" ".join(["The view:", *words])).mentions
    assert {one.category for one in found} <= {one.category for one in names(" ".join(words))}


@pytest.mark.parametrize(
    "unit", ["effusion ", "no possible effusion or ", "left upper mid lower lobe ", "heart is in "]
)
def test_the_longest_text_of_the_worst_kind_takes_seconds(unit):
    text = (unit * MOST_CHARACTERS)[: MOST_CHARACTERS - 1]
    started = time.process_time()
    read_report(text)
    assert time.process_time() - started < 20
