"""Which token is what."""

import numpy as np
import pytest

from deixis.errors import PhraseError
from deixis.maps.tokens import phrase_tokens, telling_tokens, token_kinds
from deixis.types import Phrase

TEXT = "small left effusion."
# begin, small, left, effusion (one letter a token where the tiny vocabulary lacks the word), full stop, end, padding


def test_every_token_has_exactly_one_kind(tiny_model):
    """Begin, words, punctuation, end and padding share the tokens out among them."""
    kinds = token_kinds(tiny_model.embed([TEXT]), 0)
    together = np.stack([kinds.begin, kinds.words, kinds.punctuation, kinds.end, kinds.padding])
    assert (together.sum(axis=0) == 1).all()


def test_kinds_stand_where_the_text_has_them(tiny_model):
    """One begin, three words of one token each, a full stop, one end, then padding."""
    kinds = token_kinds(tiny_model.embed([TEXT]), 0)
    assert np.flatnonzero(kinds.begin).tolist() == [0]
    assert np.flatnonzero(kinds.words).tolist() == [1, 2, 3]
    assert np.flatnonzero(kinds.punctuation).tolist() == [4]
    assert np.flatnonzero(kinds.end).tolist() == [5]
    assert np.flatnonzero(kinds.padding)[0] == 6


def test_the_empty_text_has_no_words(tiny_model):
    """Begin, end and padding only."""
    kinds = token_kinds(tiny_model.embed([""]), 0)
    assert not kinds.words.any()
    assert kinds.end.sum() == kinds.begin.sum() == 1


def test_a_phrase_is_words_and_punctuation(tiny_model):
    """What the paper averages over: every token of the phrase, the full stop too."""
    assert np.flatnonzero(phrase_tokens(tiny_model.embed([TEXT]), 0, Phrase(TEXT))).tolist() == [1, 2, 3, 4]


def test_a_span_selects_words(tiny_model):
    """Only tokens that touch the characters count, a word touched in part counts whole."""
    context = tiny_model.embed([TEXT])
    assert np.flatnonzero(phrase_tokens(context, 0, Phrase(TEXT, span=(6, 10)))).tolist() == [2]
    assert np.flatnonzero(phrase_tokens(context, 0, Phrase(TEXT, span=(8, 13)))).tolist() == [2, 3]


def test_a_span_between_words_is_an_error(tiny_model):
    """A blank names no token; the text says to widen the span."""
    with pytest.raises(PhraseError, match="Widen"):
        phrase_tokens(tiny_model.embed([TEXT]), 0, Phrase(TEXT, span=(5, 6)))


def test_a_long_word_is_all_its_pieces(tiny_model):
    """A word outside the vocabulary splits; every piece is (part of) a word."""
    kinds = token_kinds(tiny_model.embed(["xyz lung"]), 0)
    assert np.flatnonzero(kinds.words).tolist() == [1, 2, 3, 4]


def test_telling_tokens_are_the_phrase_the_end_and_one_padding(tiny_model):
    """One padding speaks for all."""
    assert telling_tokens(tiny_model.embed([TEXT]), 0, Phrase(TEXT)) == (1, 2, 3, 4, 5, 6)


def test_a_text_that_fills_the_model_has_no_padding_to_tell(tiny_model):
    """30 one-letter words with begin and end fill 32 tokens."""
    text = " ".join("a" * 30)
    assert telling_tokens(tiny_model.embed([text]), 0, Phrase(text)) == tuple(range(1, 32))
