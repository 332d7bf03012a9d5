"""`deixis models`: the models that a name reaches, what a folder is, and a folder made anew in safetensors."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from deixis.cli import console
from deixis.cli.options import taking

if TYPE_CHECKING:
    from deixis.models.catalog import Entry
    from deixis.types import LatentModel


@dataclass(frozen=True)
class ModelOptions:
    """What can be said after `deixis models check`."""

    model: Annotated[str, typer.Argument(metavar="MODEL", help="A name from `deixis models`, a path, or a hub id.")]
    text_encoder: Annotated[str | None, typer.Option(metavar="MODEL", help="Take the text encoder from here.")] = None
    vae: Annotated[str | None, typer.Option(metavar="MODEL", help="Take the autoencoder from here.")] = None
    lora: Annotated[list[str] | None, typer.Option(metavar="PATH", help="Fold in a LoRA. Repeat for more.")] = None


models = typer.Typer(invoke_without_command=True)


@models.callback()
def listing(context: typer.Context) -> None:
    """List the models known by name, with licence, gate, size, and where a copy of each is on this machine."""
    if context.invoked_subcommand is not None:
        return
    from deixis.errors import DeixisError
    from deixis.models.catalog import entry_of
    from deixis.models.finding import known_names, locate

    rows = console.table("model", "family", "size", "licence", "gate", "where")
    for name in known_names():
        entry = entry_of(name)
        gate = entry.gate if entry is not None else ""
        try:
            found = locate(name, fetch=False)
            rows.add_row(name, _family(found.place), _size(found.place), found.label.licence, gate, str(found.place))
        except DeixisError:
            rows.add_row(name, *_absent(entry), gate, "not here")
    console.results().print(rows)
    console.say(
        "\nAny model of a known family also works by its path or hub id: -m path/to/model. What one is, and whether"
    )
    console.say("it can be read: deixis models check MODEL. How to get each: docs/models.md.")


def _absent(entry: Entry | None) -> tuple[str, str, str]:
    """Family, size and licence of what is not here."""
    if entry is None:
        return ("unknown", "", "")
    return ("" if entry.kind == "model" else entry.kind, f"{entry.size:.1f} GB", entry.label.licence)


def _family(place: Path) -> str:
    """The family that recognises the model."""
    from deixis.models.loading import FAMILIES

    return next((name for name in FAMILIES if FAMILIES[name].recognises(place)), "unknown")


def _size(place: Path) -> str:
    from deixis.models.weights import weight_files

    size = sum(file.stat().st_size for file in weight_files(place))
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.1f} MB"


@models.command()
@taking(ModelOptions)
def check(asked: ModelOptions) -> None:
    """Say what a model is, which recipes fit it, and whether one tapped evaluation runs."""
    from deixis.models.loading import load

    loaded = load(asked.model, "cpu", text_encoder=asked.text_encoder, vae=asked.vae, lora=asked.lora or ())
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
    from deixis.models.convert import convert as converted
    from deixis.models.finding import find
    from deixis.writers.aside import replaced_folder

    if target.exists():
        raise OutputError(f"{target} exists. Name a folder that does not.")
    folder = find(source)
    with replaced_folder(target) as beside:
        files = [file.relative_to(beside) for file in converted(folder, beside)]
    for file in files:
        console.say(str(target / file))
