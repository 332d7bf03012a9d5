"""From a recipe's sources to one map per phrase: gather all evidence in one pass, refine each, fuse."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from deixis.errors import DeixisError
from deixis.maps.evidence import EVIDENCE
from deixis.maps.fusion import fused
from deixis.maps.gathering import Gathering, Scope, gather
from deixis.maps.reading import Question, Reader
from deixis.maps.refiners import REFINERS
from deixis.maps.sites import sites_named
from deixis.recipes import Recipe, Source


@dataclass(frozen=True)
class Found:
    """What was found of one phrase.

    Args:
        map: >= 0 and finite, on the finest grid of the recipe's evidence.
        halves: the same from every other noise level and from the rest, where the recipe asks how far they agree.
        alone: what each evidence finds by itself, where several point.
        strength: how strongly the evidence speaks for the phrase being there, where any can tell.
    """

    map: Float[np.ndarray, "row column"]
    halves: tuple[Float[np.ndarray, "row column"], ...] = ()
    alone: tuple[Float[np.ndarray, "_ _"], ...] = ()
    strength: float | None = None


def read(reader: Reader, question: Question, recipe: Recipe) -> list[Found]:
    """What a recipe finds of every phrase, each asked once at every noise level, however many sources there are."""
    shares = [torch.ones(reader.steps, device=reader.device)]
    if recipe.halves and reader.steps > 1:
        even = (torch.arange(reader.steps, device=reader.device) % 2 == 0).float()
        shares += [even, 1 - even]
    gatherings = [[_begun(reader, question, source, share) for source in recipe.sources] for share in shares]
    gather(reader, question, list(chain.from_iterable(gatherings)))
    refined = [_refined(some, reader, question, recipe) for some in gatherings]
    weights = [source.weight for source in recipe.sources]
    maps = [fused(some, weights, recipe.fusion).cpu().numpy() for some in refined]
    pointing = [one.cpu().numpy() for one, kind in zip(refined[0], gatherings[0], strict=True) if kind.points]
    strengths = next((one for one in (some.strength() for some in gatherings[0]) if one is not None), None)
    return [
        Found(
            maps[0][phrase],
            tuple(half[phrase] for half in maps[1:]),
            tuple(one[phrase] for one in pointing) if len(pointing) > 1 else (),
            None if strengths is None else float(strengths[phrase]),
        )
        for phrase in range(len(question))
    ]


def _begun(reader: Reader, question: Question, source: Source, share: Float[Tensor, " step"]) -> Gathering:
    scope = scope_of(reader, source)
    levels = scope.levels * share
    # Half of a window that holds a single level is empty; it then counts whole in both.
    levels = levels if levels.any() else scope.levels
    return EVIDENCE[source.evidence](reader, question, Scope(scope.sites, levels / levels.sum()))


def _refined(
    gatherings: Sequence[Gathering], reader: Reader, question: Question, recipe: Recipe
) -> list[Float[Tensor, "phrase _ _"]]:
    """The maps of every source, after its refiners."""
    refined = []
    for one, source in zip(gatherings, recipe.sources, strict=True):
        maps = one.maps()
        for name in source.refiners:
            maps = REFINERS[name](maps, reader, question)
        refined.append(maps)
    return refined


def scope_of(reader: Reader, source: Source) -> Scope:
    """The sites and noise levels of a source: those it names for this model, else all that the recipe reads.

    Raises:
        DeixisError: none of the recipe's noise levels lies in the window that the source names.
    """
    reading = source.readings.get(reader.model.spec.name)
    sites = reader.sites if reading is None else sites_named(reader.model.spec, reading.sites)
    window = source.log_snr if reading is None else reading.log_snr
    if window is None:
        return Scope(sites, torch.full((reader.steps,), 1 / reader.steps, device=reader.device))
    levels = torch.from_numpy(reader.model.schedule.log_snr(reader.trajectories[0].timesteps))
    low, high = window
    inside = ((levels >= low) & (levels <= high)).float().to(reader.device)
    if not inside.any():
        raise DeixisError(
            f"{source.evidence!r} reads log-SNR {low} to {high}; the walk only reads {float(levels.min()):.2f} to "
            f"{float(levels.max()):.2f}. Widen either."
        )
    return Scope(sites, inside / inside.sum())
