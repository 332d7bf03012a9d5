"""`deixis recipes`: the ways of reading, and every constant of one of them with its source."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from deixis.cli import console

if TYPE_CHECKING:
    from deixis.recipes import InvertedWalk, Recipe
    from deixis.types import LatentModel, ModelSpec

# An entry of a docstring's "Args:": the name at its indent, its text over the lines that are indented further.
ENTRY = re.compile(r"^    (\w+): (.+(?:\n {8}.+)*)", re.MULTILINE)


def recipes(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="A recipe to show in full.")] = None,
    model: Annotated[
        str | None, typer.Option("--model", "-m", help="With NAME: also what it reads of this model, and why.")
    ] = None,
    text_encoder: Annotated[str | None, typer.Option(metavar="MODEL", help="Take the text encoder from here.")] = None,
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

        loaded = load(model, device="cpu", text_encoder=text_encoder)
        _show_sites(chosen, loaded.spec)
        _show_steps(chosen, loaded)


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
    from deixis.maps.sites import choose_sites

    choice = choose_sites(spec, recipe)
    console.say(f"\nOf {spec.name} it reads {len(choice.sites)} of {len(spec.sites)} cross-attention sites:")
    rows = console.table("site", "grid", "heads", "module")
    for site in choice.sites:
        rows.add_row(str(site.index), f"{site.grid[0]}×{site.grid[1]}", str(site.heads), site.name)
    console.results().print(rows)
    console.say(f"Why these: {choice.why}.")


def _show_steps(recipe: Recipe, model: LatentModel) -> None:
    from deixis.diffusion.walks import read_timesteps
    from deixis.recipes import InvertedWalk

    reading = recipe.readings.get(model.spec.name)
    window = None if reading is None else reading.log_snr
    steps = read_timesteps(model.schedule, recipe.walk, window)
    levels = model.schedule.log_snr(steps)
    console.say(
        f"\nIt reads {len(steps)} steps, timesteps {steps[0]} to {steps[-1]} of {len(model.schedule.alphas_bar)}, "
        f"log-SNR {levels[0]:.2f} to {levels[-1]:.2f}."
    )
    if reading is not None:
        why = f"the recipe names log-SNR {reading.log_snr} for {model.spec.name}"
    elif isinstance(recipe.walk, InvertedWalk) and follows_published(model, recipe.walk):
        why = f"the published share {recipe.walk.window} of the steps, on the published noise schedule"
    else:
        why = (
            f"the log-SNRs {recipe.walk.log_snr} for which the published share of the steps stands on its own schedule"
        )
    console.say(f"Why these: {why}.")


def follows_published(model: LatentModel, walk: InvertedWalk) -> bool:
    """Whether a model was trained on the noise schedule for which the paper's share of steps was published."""
    from deixis.diffusion.schedule import follows_scaled_linear

    return follows_scaled_linear(model.schedule, walk.betas)


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
        return "; ".join(f"{name}: {_told(row)}" for name, row in value.items()) or "none"
    if isinstance(value, tuple) and any(map(is_dataclass, value)):
        return "\n".join(map(_told, value))
    if is_dataclass(value):
        held = ((field.name, getattr(value, field.name)) for field in fields(value))
        return ", ".join(f"{name} {_told(one)}" for name, one in held if one not in (None, (), {}))
    return str(value)
