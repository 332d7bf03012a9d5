"""Text states are kept by phrase."""

import pytest
import torch

from deixis.models.remembered import RememberedText, stacked
from deixis.types import Context


class Text:
    tokens, width = 2, 3

    def __init__(self):
        self.asked = []

    def embed(self, texts):
        self.asked.append(list(texts))
        states = torch.tensor([[[float(len(text))] * 3] * 2 for text in texts])
        return Context(
            tuple(texts), states, None, (((0, 0), (0, 0)),) * len(texts), (1,) * len(texts), {"size": states}
        )


def test_a_phrase_is_encoded_once_and_alone():
    """Whatever its neighbours and the order; the rows come as asked, extras too."""
    text = Text()
    kept = RememberedText(text)
    found = kept.embed(["a", "bcd", "a"])
    again = kept.embed(["bcd"])
    assert text.asked == [["a"], ["bcd"]]
    assert found.texts == ("a", "bcd", "a")
    assert found.states[:, 0, 0].tolist() == [1, 3, 1]
    assert found.extra["size"].shape == (3, 2, 3)
    torch.testing.assert_close(again.states, found.states[1:2])


def test_what_was_asked_longest_ago_leaves_first():
    """Two phrases fit; the one used last stays."""
    text = Text()
    kept = RememberedText(text, limit=2 * Text().embed(["a"]).nbytes)
    for asked in ("a", "b", "a", "c", "a", "b"):
        kept.embed([asked])
    assert text.asked == [["a"], ["b"], ["c"], ["b"]]
    assert len(kept) == 2


def test_contexts_of_nothing_cannot_be_stacked():
    """There must be at least one."""
    with pytest.raises(IndexError):
        stacked([])
