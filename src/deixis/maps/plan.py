"""From a recipe's sources to one map per phrase: gather all evidence in one pass, refine each, fuse."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from deixis.errors import DeixisError
from deixis.maps.evidence import EVIDENCE
from deixis.maps.fusion import fused
from deixis.maps.gathering import Scope, gather
from deixis.maps.reading import Question, Reader
from deixis.maps.refiners import REFINERS
from deixis.maps.sites import sites_named
from deixis.recipes import Recipe, Source


def read(reader: Reader, question: Question, recipe: Recipe) -> Float[Tensor, "phrase row column"]:
    """A map per phrase, >= 0 and finite, on the finest grid of the recipe's evidence.

    Every phrase is asked once at every noise level, however many sources there are.
    """
    sources = recipe.sources
    scopes = [scope_of(reader, source) for source in sources]
    gatherings = [
        EVIDENCE[source.evidence](reader, question, scope) for source, scope in zip(sources, scopes, strict=True)
    ]
    gather(reader, question, gatherings)
    maps = [_refined(one.maps(), source, reader, question) for one, source in zip(gatherings, sources, strict=True)]
    return fused(maps, [source.weight for source in sources], recipe.fusion)


def scope_of(reader: Reader, source: Source) -> Scope:
    """The sites and noise levels of a source: those it names for this model, else all that the recipe reads.

    Raises:
        DeixisError: none of the recipe's noise levels lies in the window that the source names.
    """
    reading = source.readings.get(reader.model.spec.name)
    if reading is None:
        return Scope(reader.sites, torch.full((reader.steps,), 1 / reader.steps, device=reader.device))
    levels = torch.from_numpy(reader.model.schedule.log_snr(reader.trajectories[0].timesteps))
    low, high = reading.log_snr
    inside = ((levels >= low) & (levels <= high)).float().to(reader.device)
    if not inside.any():
        raise DeixisError(
            f"{source.evidence!r} reads log-SNR {low} to {high}; the walk only reads {float(levels.min()):.2f} to "
            f"{float(levels.max()):.2f}. Widen either."
        )
    return Scope(sites_named(reader.model.spec, reading.sites), inside / inside.sum())


def _refined(
    maps: Float[Tensor, "phrase row column"], source: Source, reader: Reader, question: Question
) -> Float[Tensor, "phrase row column"]:
    for name in source.refiners:
        maps = REFINERS[name](maps, reader, question)
    return maps
