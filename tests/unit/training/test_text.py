"""The tokenizer learns its words, and the text encoder learns to say them at every word and nowhere else."""

from pathlib import Path

import torch

from deixis.training.text_encoder import TextEncoderPlan, join, token_labels, train_text_encoder
from deixis.training.tokenizer import learn_tokenizer

SENTENCES = [
    ("small right effusion", ("category:effusion", "side:right")),
    ("large left pneumothorax.", ("category:pneumothorax", "side:left")),
    ("consolidation", ("category:consolidation",)),
]


def source(count: int, seed: int) -> list[tuple[str, tuple[str, ...]]]:
    """The three sentences over and over."""
    return [SENTENCES[(seed + i) % 3] for i in range(count)]


def test_frequent_words_are_single_tokens_and_any_text_is_encodable() -> None:
    """Learnt words are one token; unknown ones fall apart but survive the round trip."""
    tokenizer = learn_tokenizer([text for text, _ in source(30, 0)], tokens=16)
    assert tokenizer.tokenize("small right effusion") == ["small</w>", "right</w>", "effusion</w>"]
    ids = tokenizer("Zürich, 3 mm")["input_ids"]
    assert tokenizer.unk_token_id not in ids[1:-1]
    assert tokenizer.decode(ids, skip_special_tokens=True).replace(" ", "") == "zürich,3mm"


def test_tokenizer_survives_saving(tmp_path: Path) -> None:
    """The folder loads as CLIPTokenizer with the same ids and length."""
    tokenizer = learn_tokenizer([text for text, _ in source(30, 0)], tokens=16)
    tokenizer.save_pretrained(tmp_path)
    again = type(tokenizer).from_pretrained(tmp_path)
    assert again("large left effusion")["input_ids"] == tokenizer("large left effusion")["input_ids"]
    assert again.model_max_length == 16


def test_join_tells_where_sentences_begin() -> None:
    """Sentences are separated by one full stop and a space."""
    assert join(["a b", "c."]) == ("a b. c.", [0, 5])
    assert join(["alone"]) == ("alone", [0])


def test_every_word_is_labelled_with_its_own_sentence() -> None:
    """Words of the second sentence carry the second label, begin and padding none."""
    tokenizer = learn_tokenizer([text for text, _ in source(30, 0)], tokens=16)
    first, second = torch.tensor([1.0, 0.0]), torch.tensor([0.0, 1.0])
    _, words, labels = token_labels(tokenizer, [["small right effusion", "consolidation"]], [[first, second]])
    assert words[0].tolist() == [False] + [True] * 6 + [False] * 9
    assert labels[0, 1:5, 0].tolist() == [1, 1, 1, 1]
    assert labels[0, 5:7, 1].tolist() == [1, 1]


def test_words_tell_sentences_apart_and_padding_does_not(tmp_path: Path) -> None:
    """After training, padding is nearly the same for all texts while the words differ."""
    tokenizer = learn_tokenizer([text for text, _ in source(30, 0)], tokens=16)
    plan = TextEncoderPlan(width=32, layers=2, heads=2, steps=150, batch=16, rest=1.0)
    encoder = train_text_encoder(plan, tokenizer, source, tmp_path)
    ids = tokenizer([text for text, _ in SENTENCES], padding="max_length", return_tensors="pt")["input_ids"]
    states = encoder(input_ids=ids).last_hidden_state
    assert states[:, -1].std(0).mean() < 0.2 * states[:, 1].std(0).mean()
    assert not any(parameter.requires_grad for parameter in encoder.parameters())
