"""Words against what attracts attention without them, and words under kept queries."""

from dataclasses import replace

import pytest
import torch

from deixis.errors import PhraseError
from deixis.maps.plan import read
from deixis.maps.reading import Question
from deixis.recipes import FAST, NoisedWalk, Source
from deixis.types import Box, Phrase
from planted_model import PlantedModel
from walking import reader_of, walked

PLACE = Box(32, 64, 96, 128)


def reader(model):
    return reader_of(model, walked(model, model.encode(torch.zeros(1, 1, 128, 128)), NoisedWalk(3)))


def asked(model, evidence, *texts):
    recipe = replace(FAST, sources=(Source(evidence),))
    question = Question.of_one_image(tuple(map(Phrase, texts)), model.embed(texts))
    return [torch.from_numpy(one.map) for one in read(reader(model), question, recipe)]


def inside(heat):
    """Whether the hottest half lies where it was planted."""
    return heat[64:128, 32:96].mean() - heat.mean()


@pytest.mark.parametrize("evidence", ["words-over-begin", "words-less-null", "words-entmax", "content"])
def test_what_was_planted_is_found(evidence):
    """Each is a variant of the words' reading."""
    assert inside(asked(PlantedModel(PLACE), evidence, "some effusion")[0]) > 0.2


def test_attention_that_the_empty_text_draws_too_is_taken_off():
    """Where a model looks at the same positions without words, nothing is left."""

    class Staring(PlantedModel):
        def _attention(self, site, context):
            return super()._attention(site, self.embed(["word"] * len(context)))

    assert asked(Staring(PLACE), "words-less-null", "word")[0].abs().max() == 0
    assert asked(Staring(PLACE), "words", "word")[0].max() > 0.9


@pytest.mark.parametrize("evidence", ["words-kept-queries", "words-told-all"])
def test_kept_queries_read_as_the_words_do(evidence):
    """The planted queries do not depend on the text, so that nothing changes but the cost."""
    model = PlantedModel(PLACE)
    texts = ("some effusion", "opacity")
    found = asked(model, evidence, *texts)
    assert model.calls == 3
    for one, other in zip(found, asked(PlantedModel(PLACE), "words", *texts), strict=True):
        torch.testing.assert_close(one, other)


def test_texts_that_do_not_fit_together_are_left_out_of_the_joint_one():
    """Not out of the answer; one that is too long by itself is an error."""

    class Short(PlantedModel):
        def embed(self, phrases):
            if any(len(text.split()) > 4 for text in phrases):
                raise PhraseError("at most 4 words fit")
            return super().embed(phrases)

    found = asked(Short(PLACE), "words-told-all", "one two", "three four", "five six")
    assert len(found) == 3
    assert all(inside(one) > 0.2 for one in found)
    with pytest.raises(PhraseError):
        asked(Short(PLACE), "words-told-all", "one two three four five")


def test_function_words_do_not_count_among_the_content():
    """ "in the" is dropped; a phrase of nothing else is read whole."""
    model = PlantedModel(PLACE)
    context = model.embed(["effusion in the base", "of the"])
    from deixis.maps.tokens import content_tokens, phrase_tokens

    kept = content_tokens(context, 0, Phrase("effusion in the base"))
    assert kept.tolist() == [False, True, False, False, True, *[False] * 7]
    only = Phrase("of the")
    assert content_tokens(context, 1, only).tolist() == phrase_tokens(context, 1, only).tolist()
