"""Text for DICOM's elements."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deixis.writers.dicom_words import line, size


@pytest.mark.parametrize(("text", "said"), [
    ("right pleural effusion", "right pleural effusion"),
    ("  two\n lines\tand tabs ", "two lines and tabs"),
    ("left\\right", "left/right"),
    ("bell\x07 and \x1b[31mred", "bell and [31mred"),
    ("\n\n", "phrase"),
])  # fmt: skip
def test_one_line_without_what_separates_values(text, said):
    assert line(text, 64) == said


def test_a_long_text_is_cut_after_a_word():
    cut = line("opacity in the right lower lobe " * 5, 64)
    assert cut == "opacity in the right lower lobe opacity in the right lower…"
    assert size(cut) <= 64


def test_a_long_word_is_cut_inside():
    assert line("a" * 100, 20) == "a" * 17 + "…"


@given(st.text(), st.integers(16, 100))
def test_any_text_fits_whatever_is_counted(text, most):
    """Letters or bytes; and nothing of it is a control character or a backslash."""
    fitted = line(text, most)
    assert 0 < len(fitted) <= size(fitted) <= most
    assert fitted.isprintable() or " " in fitted or any(letter.isspace() for letter in fitted)
    assert "\\" not in fitted
    assert fitted == fitted.strip()


@given(st.text(max_size=40))
def test_twice_is_once(text):
    assert line(line(text, 64), 64) == line(text, 64)
