"""Left and right in a phrase."""

import pytest

from deixis.laterality import side_named, swapped_side


@pytest.mark.parametrize(
    ("text", "side"),
    [
        ("Left effusion", "left"),
        ("right-sided line", "right"),
        ("left and right lung", None),
        ("bilateral", None),
        ("upright cleft", None),
    ],
)
def test_the_side_that_a_phrase_names(text, side):
    """Whole words only, and one of the two only."""
    assert side_named(text) == side


def test_left_and_right_are_exchanged():
    """Capitals are kept, other words are left alone, and twice is back."""
    assert swapped_side("Left upper and right lower") == "Right upper and left lower"
    assert swapped_side("upright cleft") == "upright cleft"
    assert swapped_side(swapped_side("left-sided")) == "left-sided"
