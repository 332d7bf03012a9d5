"""`report.html`: the report in the colours of its picture, in one file that runs nothing."""

import re
from html import unescape

import pytest

from deixis.language import read_report
from deixis.radiology import GroundedReport
from deixis.writers.layers import COLOURS
from deixis.writers.report_page import FILE_NAME, POLICY, page, write_page
from unit.test_notebook import Tags
from unit.writers.making import NOTICE, grounded_report, grounding


@pytest.fixture
def tags():
    return Tags(page(grounded_report()).removeprefix("<!doctype html>"))


def plain(html: str) -> str:
    """The text of the report's own box."""
    (box,) = re.findall(r'<div class="report">(.*?)</div>', html, re.DOTALL)
    return unescape(re.sub(r"<sup>\d+</sup>|<[^>]+>", "", box))


def test_the_text_stands_there_as_it_came():
    told = grounded_report()
    assert plain(page(told)) == told.report.text


def test_what_was_looked_for_is_marked_in_the_colour_of_its_layer(tags):
    marks = [(one["data-n"], one["style"]) for one in tags.of("mark")]
    assert marks == [("1", f"--c:{COLOURS[0]}"), ("2", f"--c:{COLOURS[1]}"), ("1", f"--c:{COLOURS[0]}")]
    heats = [one["data-n"] for one in tags.of("img") if one.get("class") == "layer heat"]
    assert heats == ["1", "2"]


def test_sentences_are_tinted_in_the_colours_of_what_they_name(tags):
    tinted = [one["style"] for one in tags.of("span") if one.get("class") == "sentence"]
    assert len(tinted) == 2
    assert COLOURS[0] in tinted[0]
    assert COLOURS[1] in tinted[0]


def test_the_others_are_marked_by_their_status(tags):
    kinds = [one["class"].split()[1] for one in tags.of("span") if (one.get("class") or "").startswith("mention ")]
    assert kinds[:4] == ["absent", "uncertain", "prior", "present"]


def test_what_was_not_looked_for_is_listed_with_its_kind_or_reason(tags):
    text = " ".join(tags.words)
    for title in ("Denied", "Left open", "Past", "Stated, not grounded"):
        assert title in text
    assert "cardiomegaly: too long" in text


def test_text_cannot_become_markup():
    told = grounded_report('FINDINGS: Left effusion "><img src=x onerror=alert(1)> <script>alert(2)</script>.')
    tags = Tags(page(told).removeprefix("<!doctype html>"))
    assert tags.of("script") == []
    assert all("onerror" not in one for one in tags.of("img"))
    assert plain(page(told)) == told.report.text


def test_the_page_forbids_whatever_it_does_not_hold(tags):
    assert POLICY in [one.get("content") for one in tags.of("meta")]
    assert tags.of("script") == tags.of("link") == []
    assert all(one["src"].startswith("data:") for one in tags.of("img"))
    assert not [one for _, one in tags.found if any(name.startswith("on") for name in one)]


def test_light_and_dark_are_both_meant():
    html = page(grounded_report())
    assert "color-scheme:light dark" in html
    assert "prefers-color-scheme:dark" in html


def test_every_notice_goes_with_it(tags):
    text = " ".join(tags.words)
    assert "Research use only, not for diagnosis." in text
    assert NOTICE[1:] in text
    assert "Colour converted to grey" in text
    assert "Model planted, recipe guided, seed 0." in text
    assert "The model looked at 75% of the image." in text


def test_every_layer_can_be_switched_and_lit_up(tags):
    html = page(grounded_report())
    for number in (1, 2):
        assert {"type": "checkbox", "id": f"show-{number}", "checked": None} in tags.of("input")
        assert f'#show-{number}:not(:checked)) .layer[data-n="{number}"]{{display:none}}' in html
        assert f'mark[data-n="{number}"]:hover' in html


def test_a_report_that_states_nothing_has_a_page_too():
    report = read_report("The lungs are clear.")
    html = page(GroundedReport(grounding().image, report, ()))
    assert "states no finding" in html
    assert 'type="radio"' not in html
    assert plain(html) == report.text


def test_the_page_is_written_into_the_folder(tmp_path):
    path = write_page(grounded_report(), tmp_path)
    assert path == tmp_path / FILE_NAME
    assert path.read_text(encoding="utf-8").startswith("<!doctype html>")
