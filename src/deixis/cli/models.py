"""`deixis models`: the models that a name reaches, what a folder is, and a folder made anew in safetensors."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from deixis.cli import console

if TYPE_CHECKING:
    from deixis.types import LatentModel

models = typer.Typer(invoke_without_command=True)


@models.callback()
def listing(context: typer.Context) -> None:
    """List the models known by name: those that come with deixis and the folders under DEIXIS_MODELS."""
    if context.invoked_subcommand is not None:
        return
    from deixis.errors import DeixisError
    from deixis.models.catalog import CATALOG, label_of
    from deixis.models.weights import find, known_names

    rows = console.table("model", "family", "size", "licence", "where")
    for name in known_names():
        try:
            folder = find(name)
        except DeixisError:
            rows.add_row(name, "", "", CATALOG[name].label.licence, "not here")
            continue
        rows.add_row(name, _family(folder), _size(folder), label_of(folder).licence, str(folder))
    console.results().print(rows)
    console.say("\nAny folder of a known family also works by its path: -m path/to/model. What one is, and whether it")
    console.say("works: deixis models check path/to/model.")


def _family(folder: Path) -> str:
    """The first row of the table of families that recognises the folder."""
    from deixis.models.loading import FAMILIES

    return next((name for name in FAMILIES if FAMILIES[name].recognises(folder)), "unknown")


def _size(folder: Path) -> str:
    from deixis.models.weights import weight_files

    return f"{sum(file.stat().st_size for file in weight_files(folder)) / 1e6:.1f} MB"


@models.command()
def check(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="A name from `deixis models`, or a folder.")],
    text_encoder: Annotated[str | None, typer.Option(metavar="MODEL", help="Take the text encoder from here.")] = None,
) -> None:
    """Say what a model is, which recipes fit it, and whether one tapped evaluation runs."""
    from deixis.models.loading import load

    loaded = load(model, "cpu", text_encoder=text_encoder)
    spec = loaded.spec
    for name, told in (
        ("model", f"{spec.name}, family {spec.family}"),
        ("licence", spec.licence),
        ("weights", f"sha256 {spec.weights_sha256}"),
        ("image", f"{spec.image_size}×{spec.image_size} pixels"),
        ("latent", f"{spec.latent_channels} channels, 1/{spec.downsampling} of a side, times {spec.latent_scale}"),
        ("prediction", spec.prediction),
        ("tokens", f"{spec.tokens}, begin and end included"),
        ("sites", " ".join(f"{site.index}:{site.grid[0]}×{site.grid[1]}" for site in spec.sites)),
        *((f"recipe {name}", told) for name, told in _fits(loaded)),
        ("one evaluation", _tapped(loaded)),
    ):
        console.say(f"{name:<22} {told}")


def _fits(model: LatentModel) -> list[tuple[str, str]]:
    """For every recipe the sites that it reads, or why it reads none."""
    from deixis.errors import DeixisError
    from deixis.maps.sites import sites_of
    from deixis.recipes import RECIPES

    told = []
    for recipe in RECIPES.values():
        try:
            sites = sites_of(model.spec, recipe)
            told.append((recipe.name, f"reads sites {', '.join(str(site.index) for site in sites)}"))
        except DeixisError as error:
            told.append((recipe.name, str(error)))
    return told


def _tapped(model: LatentModel) -> str:
    """One evaluation on noise with all sites tapped; a fault in it is an error like any other."""
    import torch

    heard = []

    class Tap:
        """Counts sites."""

        def receive(self, site: object, timestep: object, q: object, k: object, bias: object) -> None:
            """Note that a site was heard."""
            heard.append(site)

    spec = model.spec
    side = spec.image_size // spec.downsampling
    latent, words = torch.randn(1, spec.latent_channels, side, side), model.embed(["left lung"])
    started = time.perf_counter()
    with model.tapped(spec.sites, Tap()):
        answer = model.noise(latent, torch.tensor([500]), words)
    seconds = time.perf_counter() - started
    finite = "finite" if bool(torch.isfinite(answer).all()) else "NOT FINITE, so these weights cannot be read"
    return f"{len(heard)} of {len(spec.sites)} sites heard, the answer is {finite}, {seconds:.1f} s"


@models.command()
def convert(
    source: Annotated[Path, typer.Argument(metavar="SOURCE", help="Folder of a model with pickled weights.")],
    target: Annotated[Path, typer.Argument(metavar="TARGET", help="Folder to make; it must not exist.")],
) -> None:
    """Copy a model with its pickled weights written as safetensors; pickles that need more than tensors are refused."""
    from deixis.errors import OutputError
    from deixis.models import weights
    from deixis.models.convert import convert as converted
    from deixis.writers.aside import replaced_folder

    if target.exists():
        raise OutputError(f"{target} exists. Name a folder that does not.")
    folder = weights.find(source)
    with replaced_folder(target) as beside:
        files = [file.relative_to(beside) for file in converted(folder, beside)]
    for file in files:
        console.say(str(target / file))
