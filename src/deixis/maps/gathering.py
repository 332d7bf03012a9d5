"""One pass over all noise levels for every evidence of a recipe: each gathers sums of its own while it goes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor

from deixis.maps.reading import Question, Reader, Reply
from deixis.maps.taps import Heard
from deixis.types import Phrase, Site


@dataclass(frozen=True)
class Scope:
    """What an evidence takes into account.

    Args:
        sites: cross-attention sites.
        levels: how much each noise level counts; they sum to 1.
    """

    sites: tuple[Site, ...]
    levels: Float[Tensor, " step"]


@dataclass(frozen=True)
class Counterpart:
    """Other texts, with which an evidence compares the phrases.

    Args:
        texts: one per phrase; "" for a phrase that has none, about which nothing is asked.
        steps: noise levels at which they are asked.
    """

    texts: tuple[str, ...]
    steps: tuple[int, ...]


class Gathering(ABC):
    """Gathers one evidence for all phrases of a question; what it keeps does not grow with the noise levels.

    Attributes:
        sites: the sites that it listens to.
        predicts: whether it needs the predicted noise.
        points: whether its maps point by themselves; others only weigh what points.
        counterpart: what it compares the phrases with, if anything.
    """

    sites: tuple[Site, ...] = ()
    predicts: bool = False
    points: bool = True
    counterpart: Counterpart | None = None

    def hear(self, heard: Heard, reply: Reply) -> None:  # noqa: B027 - an evidence may be deaf
        """Take one of its sites of a call."""

    def take(self, reply: Reply) -> None:  # noqa: B027 - an evidence may need no noise
        """Take what was predicted."""

    def compare(self, reply: Reply) -> None:  # noqa: B027 - an evidence may compare with nothing
        """Take what was predicted with the counterparts; the reply's phrases are those they belong to."""

    def strength(self) -> Float[Tensor, " phrase"] | None:
        """How strongly the evidence speaks for each phrase being there at all; None where it cannot tell."""
        return None

    @abstractmethod
    def maps(self) -> Float[Tensor, "phrase row column"]:
        """A map per phrase, >= 0 and finite, on a grid of its own; all equal where nothing was found."""


def gather(reader: Reader, question: Question, gatherings: Sequence[Gathering]) -> None:
    """Ask every phrase at every noise level once, and let all gatherings take their share.

    What only listens to attention lets each call end early; what needs nothing asks for no evaluation. Counterparts
    come after the phrases, and those that several evidences name are asked once.
    """
    noise = any(one.predicts for one in gatherings)
    sites = tuple(sorted({site for one in gatherings for site in one.sites}, key=lambda site: site.index))
    if not noise and not sites:
        return
    for reply in reader.ask(question, sites, noise=noise):
        # One site after another, so that what is formed of one is gone before the next.
        for said in reply.heard:
            heard = Heard(said.site, said.q, said.k, said.bias)
            for one in gatherings:
                if any(site.index == heard.site.index for site in one.sites):
                    one.hear(heard, reply)
        for one in gatherings:
            one.take(reply)
    for texts in dict.fromkeys(one.counterpart.texts for one in gatherings if one.counterpart):
        comparing = [one for one in gatherings if one.counterpart and one.counterpart.texts == texts]
        for reply in _compared(reader, question, comparing, texts):
            for one in comparing:
                one.compare(reply)


def _compared(
    reader: Reader, question: Question, comparing: Sequence[Gathering], texts: Sequence[str]
) -> Iterator[Reply]:
    """Replies to the counterparts, at all noise levels that any of the evidences names."""
    rows = [row for row, text in enumerate(texts) if text]
    steps = sorted({step for one in comparing if one.counterpart for step in one.counterpart.steps})
    if not rows or not steps:
        return
    asked = [texts[row] for row in rows]
    images = tuple(question.images[row] for row in rows)
    other = Question(tuple(map(Phrase, asked)), reader.model.embed(asked), images)
    belong = torch.tensor(rows, device=reader.device)
    for reply in reader.ask(other, (), noise=True, steps=steps):
        yield replace(reply, phrases=belong[reply.phrases])
