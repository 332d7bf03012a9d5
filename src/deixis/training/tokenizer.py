"""A CLIP tokenizer whose byte-pair vocabulary is learnt from the phrases it will meet."""

from __future__ import annotations

import json
from collections.abc import Iterable

from tokenizers import Tokenizer
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import ByteLevel
from tokenizers.trainers import BpeTrainer
from transformers.models.clip.tokenization_clip import CLIPTokenizer

BEGIN, END, SUFFIX = "<|startoftext|>", "<|endoftext|>", "</w>"


def learn_tokenizer(texts: Iterable[str], *, merges: int = 1500, tokens: int = 48) -> CLIPTokenizer:
    """A tokenizer that splits exactly as CLIP's does, with at most `merges` merges learnt from `texts`.

    Every byte is in the vocabulary, alone and at the end of a word, so any text can be encoded. `tokens` is the
    length to which it pads, begin and end included.
    """
    splitter = CLIPTokenizer().backend_tokenizer
    learner = Tokenizer(BPE(end_of_word_suffix=SUFFIX))
    learner.normalizer, learner.pre_tokenizer = splitter.normalizer, splitter.pre_tokenizer
    alphabet = sorted(ByteLevel.alphabet())
    # The trainer counts single symbols, with and without the suffix, towards its vocabulary.
    size = 2 * len(alphabet) + merges
    learner.train_from_iterator(
        texts,
        BpeTrainer(
            vocab_size=size, min_frequency=2, initial_alphabet=alphabet, end_of_word_suffix=SUFFIX,
            show_progress=False,
        ),
    )  # fmt: skip
    learnt = [tuple(pair) for pair in json.loads(learner.to_str())["model"]["merges"]]
    symbols = [*alphabet, *(symbol + SUFFIX for symbol in alphabet), *("".join(pair) for pair in learnt)]
    # Two pairs can spell one symbol; it keeps its first place.
    vocabulary = {symbol: i for i, symbol in enumerate(dict.fromkeys([*symbols, BEGIN, END]))}
    return CLIPTokenizer(vocab=vocabulary, merges=learnt, model_max_length=tokens)
