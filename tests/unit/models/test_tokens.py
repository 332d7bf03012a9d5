"""Texts to ids: padded, with where each token came from, and never cut off silently."""

import pytest

from deixis.errors import PhraseError
from deixis.models.tokens import tokenized
from tiny_model import CAPACITY, tiny_tokenizer


def test_ids_are_padded_and_spans_spell_the_text():
    found = tokenized(tiny_tokenizer(), ["left lung", ""], CAPACITY, "tiny")
    assert [len(row) for row in found.ids] == [CAPACITY, CAPACITY]
    assert ["left lung"[a:b] for a, b in found.spans[0] if a < b] == ["left", "lung"]
    assert found.ends == (3, 1)
    assert [sum(row) for row in found.real] == [4, 2]


def test_a_text_that_does_not_fit_is_counted_and_not_quoted():
    """The error says which it is, names the model, and repeats nothing: report text can hold names."""
    text = "left lung " * 40
    with pytest.raises(PhraseError, match=f"80 tokens, and {CAPACITY - 2} fit into 'tiny'") as raised:
        tokenized(tiny_tokenizer(), ["left", text], CAPACITY, "tiny")
    assert "Phrase 2 of 2" in str(raised.value)
    assert "left lung" not in str(raised.value)
