"""Sections by their headings, however they are typed."""

import pytest

from deixis.language.sections import HEADINGS, UNREAD, sections


def named(text: str) -> dict[str, str]:
    return {one.name: text[one.start : one.end].strip() for one in sections(text)}


def test_a_report_with_headings_on_their_lines():
    text = "HISTORY: cough\n\nTECHNIQUE: PA\nFINDINGS:\nClear lungs.\n\nIMPRESSION: Normal."
    assert named(text) == {
        "indication": "cough", "technique": "PA", "findings": "Clear lungs.", "impression": "Normal.",
    }  # fmt: skip


@pytest.mark.parametrize(
    "text", ["findings: clear", "Findings:\nclear", "FINDINGS\nclear", "**Findings:** clear", "## Findings\nclear"]
)
def test_a_heading_may_be_typed_in_many_ways(text):
    assert named(text) == {"findings": "clear"}


def test_headings_in_capitals_open_sections_within_a_line():
    assert named("CHEST HISTORY: cough FINDINGS: clear IMPRESSION: normal") == {
        "": "CHEST", "indication": "cough", "findings": "clear", "impression": "normal",
    }  # fmt: skip


def test_a_text_without_headings_is_one_section_without_a_name():
    assert named("The lungs are clear.") == {"": "The lungs are clear."}


def test_a_word_within_a_sentence_opens_nothing():
    text = "These findings: they are none. Lungs: clear."
    assert [one.name for one in sections(text)] == [""]


def test_an_empty_section_is_left_out():
    assert named("FINDINGS:\nIMPRESSION: normal") == {"impression": "normal"}


@pytest.mark.parametrize("name", HEADINGS)
def test_sections_that_are_not_read_are_those_of_other_times(name):
    (section,) = sections(f"{name.upper()}: effusion" if name != "indication" else "INDICATION: effusion")
    assert section.name == name
    assert section.read == (name not in UNREAD)
