"""Where sentences end, and where they do not."""

import pytest

from deixis.language.sentences import MOST, sentences


def split(text: str) -> list[str]:
    return [text[one.start : one.end] for one in sentences(text, 0, len(text))]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One thing. Another thing.", ["One thing.", "Another thing."]),
        ("A 3.5 cm mass. Clear.", ["A 3.5 cm mass.", "Clear."]),
        ("Seen by Dr. Who. Clear.", ["Seen by Dr. Who.", "Clear."]),
        ("Scar vs. nodule. Clear.", ["Scar vs. nodule.", "Clear."]),
        ("No effusion.Heart is large.", ["No effusion.", "Heart is large."]),
        ("1. One thing. 2. Another thing.", ["1. One thing.", "2. Another thing."]),
        ("1. One thing\n2. Another thing", ["1. One thing", "2. Another thing"]),
        ("- one thing\n- another thing", ["- one thing", "- another thing"]),
        ("One thing\n\nanother thing", ["One thing", "another thing"]),
        ("A mass in the right\nupper lobe.", ["A mass in the right\nupper lobe."]),
        ("Lungs: clear\nPleura: no effusion", ["Lungs: clear", "Pleura: no effusion"]),
        ("THE LUNGS ARE CLEAR\nWITHOUT EFFUSION.", ["THE LUNGS ARE CLEAR\nWITHOUT EFFUSION."]),
        ("Is it clear? Yes! It is.", ["Is it clear?", "Yes!", "It is."]),
        ("  padded.  ", ["padded."]),
        ("...", []),
        ("", []),
    ],
)
def test_sentences(text, expected):
    assert split(text) == expected


def test_offsets_are_of_the_whole_text():
    text = "HEAD: One thing. Another."
    found = list(sentences(text, 6, len(text)))
    assert [text[one.start : one.end] for one in found] == ["One thing.", "Another."]


def test_what_is_no_prose_is_cut_at_blanks():
    pieces = split("word " * 1000)
    assert len(pieces) > 1
    assert all(len(piece) <= MOST for piece in pieces)
    assert all(set(piece.split()) == {"word"} for piece in pieces)


def test_what_has_no_blanks_is_cut_all_the_same():
    assert [len(piece) for piece in split("x" * (MOST + 5))] == [MOST, 5]
