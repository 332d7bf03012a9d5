"""Which token is what: begin, words, punctuation, end, padding."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Bool

from deixis.errors import PhraseError
from deixis.types import Context, Phrase

# Words that say how others belong together, and nothing of the image.
FUNCTION_WORDS = frozenset({
    "a", "an", "and", "are", "as", "at", "by", "for", "from", "has", "have", "in", "is", "it", "its", "near", "no",
    "of", "on", "or", "over", "the", "there", "this", "to", "with", "within",
})  # fmt: skip
WORD = re.compile(r"[a-z]+")

TokenKind = Literal["words", "punctuation", "end", "begin", "padding"]


@dataclass(frozen=True)
class TokenKinds:
    """Masks over the tokens of one text; each token is of exactly one kind."""

    words: Bool[np.ndarray, " token"]
    punctuation: Bool[np.ndarray, " token"]
    end: Bool[np.ndarray, " token"]
    begin: Bool[np.ndarray, " token"]
    padding: Bool[np.ndarray, " token"]

    def of(self, kind: TokenKind) -> Bool[np.ndarray, " token"]:
        """The mask of one kind."""
        masks: dict[TokenKind, Bool[np.ndarray, " token"]] = {
            "words": self.words,
            "punctuation": self.punctuation,
            "end": self.end,
            "begin": self.begin,
            "padding": self.padding,
        }
        return masks[kind]


def token_kinds(context: Context, case: int) -> TokenKinds:
    """The kinds of the tokens of the text in row `case`.

    A token with a letter or a digit is (part of) a word, other tokens that stand for characters are punctuation.
    """
    text, spans, last = context.texts[case], context.spans[case], context.ends[case]
    position = np.arange(len(spans))
    stands = np.array([start < end for start, end in spans])
    spelt = np.array([any(character.isalnum() for character in text[start:end]) for start, end in spans])
    within = stands & (position < last)
    return TokenKinds(
        words=within & spelt,
        punctuation=within & ~spelt,
        end=position == last,
        begin=~within & (position < last),
        padding=position > last,
    )


def phrase_tokens(context: Context, case: int, phrase: Phrase) -> Bool[np.ndarray, " token"]:
    """The tokens that spell the phrase, its punctuation too; begin, end and padding are not among them.

    What arXiv 2404.12920 averages over. With a span only the tokens that touch it; a span that no token touches
    raises `PhraseError`.
    """
    kinds = token_kinds(context, case)
    wanted: Bool[np.ndarray, " token"] = kinds.words | kinds.punctuation
    if phrase.span is not None:
        first, end = phrase.span
        wanted = wanted & np.array([start < end and stop > first for start, stop in context.spans[case]])
    if not wanted.any():
        raise PhraseError(f"No token of the text encoder falls into {phrase.span or 'the phrase'}. Widen the span.")
    return wanted


def content_tokens(context: Context, case: int, phrase: Phrase) -> Bool[np.ndarray, " token"]:
    """The tokens of the phrase that spell a word other than a function word; all of them where nothing else is left.

    Generate to Ground keeps adjectives, nouns and verbs; in phrases of radiology what it drops are these few words.
    """
    spelt = phrase_tokens(context, case, phrase)
    text, spans = context.texts[case].lower(), context.spans[case]
    words = [found.span() for found in WORD.finditer(text) if found.group() not in FUNCTION_WORDS]
    told = np.array([any(first <= start and stop <= last for first, last in words) for start, stop in spans])
    wanted: Bool[np.ndarray, " token"] = spelt & told
    return wanted if wanted.any() else spelt


def telling_tokens(context: Context, case: int, phrase: Phrase) -> tuple[int, ...]:
    """Positions of the tokens whose maps may tell where a phrase is: the phrase's, the end, and one padding.

    Padding tokens attend to the same text and hardly differ, so one speaks for all (our pilot, method page).
    """
    kinds = token_kinds(context, case)
    paddings = np.flatnonzero(kinds.padding)[:1]
    chosen = (np.flatnonzero(phrase_tokens(context, case, phrase)), np.flatnonzero(kinds.end), paddings)
    return tuple(int(position) for position in np.concatenate(chosen))
