"""Which cross-attention sites of a network are read."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from deixis.errors import DeixisError
from deixis.recipes import Recipe
from deixis.types import ModelSpec, Site

# Pixels of the image per query position at the sites that are read: 16×16 of a 512 px model (arXiv 2404.12920).
PIXELS_PER_QUERY = 32


def sites_of(spec: ModelSpec, recipe: Recipe) -> tuple[Site, ...]:
    """The sites that a recipe reads of a model: those it names for it, else those of the general rule.

    Raises:
        DeixisError: it names sites that the model lacks, or the rule finds none; says which sites there are.
    """
    reading = recipe.readings.get(spec.name)
    return sites_by_rule(spec) if reading is None else sites_named(spec, reading.sites)


def sites_named(spec: ModelSpec, indices: Sequence[int]) -> tuple[Site, ...]:
    """The sites at the given positions in call order; a position that the model lacks raises `DeixisError`."""
    absent = [index for index in indices if not 0 <= index < len(spec.sites)]
    if absent or not indices:
        raise DeixisError(f"The recipe reads sites {list(indices)}; {spec.name!r} has {_described(spec)}.")
    return tuple(spec.sites[index] for index in sorted(set(indices)))


def sites_by_rule(spec: ModelSpec) -> tuple[Site, ...]:
    """The sites whose grid's side is the image's side / 32, without the first of each stage of several sites.

    Carries the published choice {3, 4, 6, 7} of the MONAI network over to others: {5, 8, 9} of Stable Diffusion 1.5
    (method page 1.4). Where it finds none, `DeixisError` says which sites there are.
    """
    side = spec.image_size // PIXELS_PER_QUERY
    fitting = [site for site in spec.sites if site.grid == (side, side)]
    chosen: list[Site] = []
    for _, group in groupby(fitting, key=lambda site: site.stage):
        stage = list(group)
        chosen += stage[1:] if len(stage) > 1 else stage
    if not chosen:
        raise DeixisError(
            f"{spec.name!r} has no attention on a {side}×{side} grid, which this recipe reads by its rule; it has "
            f"{_described(spec)}. Give the recipe a reading for {spec.name!r}."
        )
    return tuple(chosen)


def _described(spec: ModelSpec) -> str:
    sites = ", ".join(f"{site.index} ({site.grid[0]}×{site.grid[1]})" for site in spec.sites)
    return f"sites {sites}" if sites else "none"
