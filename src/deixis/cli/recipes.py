"""`deixis recipes`: the ways of reading, and every constant of one of them with its source."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from dataclasses import fields
from typing import TYPE_CHECKING, Annotated, Any

import typer

from deixis.cli import console

if TYPE_CHECKING:
    from deixis.recipes import Recipe
    from deixis.types import ModelSpec

# An entry of a docstring's "Args:": the name at its indent, its text over the lines that are indented further.
ENTRY = re.compile(r"^    (\w+): (.+(?:\n {8}.+)*)", re.MULTILINE)


def recipes(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="A recipe to show in full.")] = None,
    model: Annotated[
        str | None, typer.Option("--model", "-m", help="With NAME: also which sites of this model it reads.")
    ] = None,
) -> None:
    """List the recipes, or show one with all its constants and where they come from."""
    from deixis.recipes import recipe

    if name is None:
        _list()
        return
    chosen = recipe(name)
    _show(chosen)
    if model is not None:
        from deixis.models.loading import load

        _show_sites(chosen, load(model, device="cpu").spec)


def _list() -> None:
    from deixis.recipes import DEFAULT, RECIPES

    rows = console.table("recipe", "what it does")
    for known in RECIPES.values():
        rows.add_row(f"{known.name} (default)" if known.name == DEFAULT else known.name, known.summary)
    console.results().print(rows)


def _show(recipe: Recipe) -> None:
    console.say(f"{recipe.name}: {recipe.summary}\n")
    rows = console.table("constant", "value", "meaning and source")
    for row in constants(recipe):
        rows.add_row(*row)
    console.results().print(rows)


def _show_sites(recipe: Recipe, spec: ModelSpec) -> None:
    from deixis.maps.sites import sites_of

    reading = recipe.readings.get(spec.name)
    sites = sites_of(spec, recipe)
    how = "by the general rule" if reading is None else f"named for it, log-SNR {reading.log_snr}"
    console.say(f"\nOf {spec.name} it reads {len(sites)} of {len(spec.sites)} cross-attention sites ({how}):")
    rows = console.table("site", "grid", "heads", "module")
    for site in sites:
        rows.add_row(str(site.index), f"{site.grid[0]}×{site.grid[1]}", str(site.heads), site.name)
    console.results().print(rows)


def constants(value: Any, prefix: str = "") -> Iterator[tuple[str, str, str]]:
    """Name, value and meaning of each field of a recipe, and of the walk in it; meanings are those of its docstring."""
    said = {name: " ".join(text.split()) for name, text in ENTRY.findall(inspect.getdoc(type(value)) or "")}
    for field in fields(value):
        held = getattr(value, field.name)
        if field.name == "walk":
            yield field.name, type(held).__name__, (inspect.getdoc(type(held)) or "").split("\n\n", maxsplit=1)[0]
            yield from constants(held, "walk.")
        elif field.name not in {"name", "summary"}:
            yield prefix + field.name, _told(held), said.get(field.name, "")


def _told(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, dict):
        return "; ".join(f"{name}: sites {row.sites}, log-SNR {row.log_snr}" for name, row in value.items()) or "none"
    return str(value)
