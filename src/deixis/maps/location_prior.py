"""A prior of place from the phrase's own words: no image takes part. It never belongs in `best`."""

from __future__ import annotations

import re
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from deixis.maps.reading import Question, Reader

# Share of the prior that is added to the gated evidence, and where the gate closes (arXiv 2506.10633, its target).
SHARE, CLOSED = 0.1, 1e-5


@dataclass(frozen=True)
class Spot:
    """Centre and width of a Gaussian, as shares of the image's sides, on a frontal view; None where not told."""

    x: float | None = None
    y: float | None = None


# The patient's left is on the image's right. Widths and centres are ours, of a frontal chest film.
WORDS: dict[str, Spot] = {
    "left": Spot(x=0.7),
    "right": Spot(x=0.3),
    "bilateral": Spot(x=0.5),
    "both": Spot(x=0.5),
    "apical": Spot(y=0.2),
    "apex": Spot(y=0.2),
    "upper": Spot(y=0.3),
    "middle": Spot(y=0.5),
    "mid": Spot(y=0.5),
    "perihilar": Spot(y=0.5),
    "lower": Spot(y=0.7),
    "basal": Spot(y=0.75),
    "basilar": Spot(y=0.75),
    "base": Spot(y=0.75),
    "costophrenic": Spot(y=0.78),
    "retrocardiac": Spot(x=0.58, y=0.68),
}
WIDTH, WIDE = 0.14, 0.5


def location_prior(
    maps: Float[Tensor, "phrase row column"], reader: Reader, question: Question
) -> Float[Tensor, "phrase row column"]:
    """1[G > 1e-5]·A + 0.1·G, with A the map from 0 to 1 and G a Gaussian where the phrase's words place it.

    After the target of arXiv 2506.10633. A phrase that names no place keeps its map.
    """
    highest = maps.amax(dim=(-2, -1), keepdim=True)
    evidence = maps / torch.where(highest > 0, highest, 1)
    refined = [gaussian(phrase.text, tuple(maps.shape[-2:])) for phrase in question.phrases]
    return torch.stack([
        one if prior is None else (prior.to(one) > CLOSED) * one + SHARE * prior.to(one)
        for one, prior in zip(evidence, refined, strict=True)
    ])  # fmt: skip


def gaussian(text: str, grid: tuple[int, ...]) -> Float[Tensor, "row column"] | None:
    """G of a phrase on a grid, its peak 1; None where no word names a place."""
    told = [WORDS[word] for word in re.findall(r"[a-z]+", text.lower()) if word in WORDS]
    if not told:
        return None
    xs, ys = ([getattr(spot, axis) for spot in told if getattr(spot, axis) is not None] for axis in "xy")
    down, along = (_hill(places, cells) for places, cells in ((ys, grid[0]), (xs, grid[1])))
    return down[:, None] * along[None, :]


def _hill(places: list[float], cells: int) -> Float[Tensor, " cell"]:
    """Narrow around the mean of the places told; wide around the middle where none is."""
    centre, width = (sum(places) / len(places), WIDTH) if places else (0.5, WIDE)
    if len(set(places)) > 1:
        width = max(WIDTH, (max(places) - min(places)) / 2 + WIDTH)
    return torch.exp(-0.5 * (((torch.arange(cells) + 0.5) / cells - centre) / width) ** 2)
