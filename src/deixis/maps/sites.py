"""Which cross-attention sites of a network are read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from deixis.errors import DeixisError
from deixis.recipes import Recipe
from deixis.types import ModelSpec, Site

# Pixels of the image per query position at the sites that are read: 16×16 of a 512 px model (arXiv 2404.12920).
PIXELS_PER_QUERY = 32
# The published sites 3 to 7 of 11, as shares of the way through the network.
DEPTH = (0.3, 0.7)


@dataclass(frozen=True)
class Choice:
    """The sites that are read, and why these, in words for a user."""

    sites: tuple[Site, ...]
    why: str


def sites_of(spec: ModelSpec, recipe: Recipe) -> tuple[Site, ...]:
    """The sites that a recipe reads of a model; raises as `choose_sites` does."""
    return choose_sites(spec, recipe).sites


def choose_sites(spec: ModelSpec, recipe: Recipe) -> Choice:
    """The sites that a recipe reads of a model: those it names for it, else those of the general rule.

    Raises:
        DeixisError: it names sites that the model lacks, or the rule finds none; says which sites there are.
    """
    reading = recipe.readings.get(spec.name)
    if reading is not None:
        return Choice(sites_named(spec, reading.sites), f"the recipe names them for {spec.name}")
    return choose_by_rule(spec)


def sites_named(spec: ModelSpec, indices: Sequence[int]) -> tuple[Site, ...]:
    """The sites at the given positions in call order; a position that the model lacks raises `DeixisError`."""
    absent = [index for index in indices if not 0 <= index < len(spec.sites)]
    if absent or not indices:
        raise DeixisError(f"The recipe reads sites {list(indices)}; {spec.name!r} has {_described(spec)}.")
    return tuple(spec.sites[index] for index in sorted(set(indices)))


def choose_by_rule(spec: ModelSpec) -> Choice:
    """The sites whose grid's side is the image's side / 32, without the first of each stage of several sites.

    Carries the published choice {3, 4, 6, 7} of the MONAI network over to others: {5, 8, 9} of Stable Diffusion 1.5
    (method page 1.4). A transformer works on one grid from end to end, so what carries over to it is the depth: sites
    between .3 and .7 of the call order, where the published ones lie. Where neither finds any, `DeixisError` says which
    sites there are.
    """
    side = spec.image_size // PIXELS_PER_QUERY
    fitting = [site for site in spec.sites if site.grid == (side, side)]
    chosen: list[Site] = []
    for _, group in groupby(fitting, key=lambda site: site.stage):
        stage = list(group)
        chosen += stage[1:] if len(stage) > 1 else stage
    if chosen:
        return Choice(
            tuple(chosen),
            f"their grid has the image's side / {PIXELS_PER_QUERY}, as 16×16 of the published 512 px model; the first "
            "of each stage of several sites is left out, as there",
        )
    if len(spec.sites) > 1 and len({site.grid for site in spec.sites}) == 1:
        last = len(spec.sites) - 1
        middle = tuple(site for site in spec.sites if DEPTH[0] <= site.index / last <= DEPTH[1])
        return Choice(
            middle,
            f"a transformer has one grid, so the published sites' depth is carried over: {DEPTH[0]} to {DEPTH[1]} of "
            "the call order",
        )
    raise DeixisError(
        f"{spec.name!r} has no attention on a {side}×{side} grid, which this recipe reads by its rule; it has "
        f"{_described(spec)}. Give the recipe a reading for {spec.name!r}."
    )


def _described(spec: ModelSpec) -> str:
    sites = ", ".join(f"{site.index} ({site.grid[0]}×{site.grid[1]})" for site in spec.sites)
    return f"sites {sites}" if sites else "none"
