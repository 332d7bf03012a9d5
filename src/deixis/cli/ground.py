"""`deixis ground`: where each phrase lives in each image."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from deixis.cli import console
from deixis.cli.answers import show_answers
from deixis.cli.failures import INTERRUPTED, WRONG, as_bug, as_told
from deixis.cli.options import taking
from deixis.cli.outputs import check_writable
from deixis.cli.precision import Precision
from deixis.cli.progress import Bar, progress
from deixis.cli.reports import report_text
from deixis.errors import caught
from deixis.recipes import DEFAULT

if TYPE_CHECKING:
    from deixis.diffusion.kept import Trajectories
    from deixis.models.counted import CountedModel
    from deixis.radiology import GroundedReport, RadiologyReport
    from deixis.recipes import Recipe
    from deixis.types import Grounding, Image, Phrase
    from deixis.writers.json import FailureEntry, ImageEntry

Result = TypeVar("Result")


@dataclass(frozen=True)
class Options:
    """What can be said after `deixis ground`."""

    images: Annotated[list[Path], typer.Argument(metavar="IMAGE", help="PNG, JPEG, TIFF or DICOM files.")]
    phrase: Annotated[
        list[str] | None, typer.Option("--phrase", "-p", help="What to look for. Repeat it for more phrases.")
    ] = None
    report: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="A radiology report: look for what it states; - reads standard input."),
    ] = None
    model: Annotated[str, typer.Option("--model", "-m", help="A name from `deixis models`, a path, or a hub id.")] = (
        "phantom"
    )
    text_encoder: Annotated[
        str | None,
        typer.Option(metavar="MODEL", help="Take the text encoder from here: for models that come without one."),
    ] = None
    vae: Annotated[str | None, typer.Option(metavar="MODEL", help="Take the autoencoder from here.")] = None
    lora: Annotated[list[str] | None, typer.Option(metavar="PATH", help="Fold in a LoRA. Repeat for more.")] = None
    recipe: Annotated[str, typer.Option("--recipe", "-r", help="A name from `deixis recipes`.")] = DEFAULT
    output: Annotated[Path, typer.Option("--output", "-o", help="Where results go, one folder per image.")] = Path(
        "deixis-out"
    )
    format: Annotated[
        str, typer.Option(help="What to write, separated by commas: png, json, npz; of DICOM files also seg, sr, sc.")
    ] = "png,json,npz"
    json: Annotated[bool, typer.Option("--json", help="Print the results as JSON, and nothing else.")] = False
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1, …; auto takes a GPU where there is one.")] = (
        "auto"
    )
    dtype: Annotated[Precision, typer.Option(help="Precision of the weights; half of it halves memory.")] = (
        Precision.FLOAT32
    )
    max_memory: Annotated[
        int | None,
        typer.Option(min=1, metavar="MIB", help="MiB for weights and one call of the model; smaller batches fit in."),
    ] = None
    keep_walks: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Keep walked images here, for the next phrase. As private as the images."),
    ] = None
    seed: Annotated[int, typer.Option(help="Which noise. The same seed gives the same answer.")] = 0
    min_score: Annotated[
        float,
        typer.Option(min=0.0, max=1.0, help="No boxes for a phrase whose presence score is lower. Experimental."),
    ] = 0.0


@dataclass(frozen=True)
class Order:
    """The options, checked as far as that goes before anything is loaded."""

    asked: Options
    phrases: tuple[Phrase, ...]
    report: RadiologyReport | None
    recipe: Recipe
    formats: tuple[str, ...]

    @property
    def asks(self) -> bool:
        """Whether anything is to be looked for: a report may state nothing."""
        return bool(self.phrases) or (self.report is not None and bool(self.report.of_status("present")))

    @cached_property
    def kept(self) -> Trajectories | None:
        """Where walks are kept, if anywhere."""
        from deixis.diffusion.kept import Trajectories

        return None if self.asked.keep_walks is None else Trajectories(folder=self.asked.keep_walks)


@taking(Options)
def ground(asked: Options) -> None:
    """Find where each PHRASE, or each finding of a report, lives in each IMAGE; write pictures and data of it."""
    order = checked(asked)
    outcomes: list[ImageEntry | FailureEntry] = []
    try:
        with progress(len(asked.images)) as bar:
            for outcome in _outcomes(order, bar):
                outcomes.append(outcome)
                bar.advance()
    except KeyboardInterrupt:
        console.note(f"Interrupted: {len(outcomes)} of {len(asked.images)} images are done, and whole.")
        raise typer.Exit(INTERRUPTED) from None
    failed = _report(outcomes, asked)
    if failed:
        if len(outcomes) > 1:
            console.note(f"{failed} of {len(outcomes)} images failed.")
        raise typer.Exit(WRONG)


def checked(asked: Options) -> Order:
    """The order for these options; what is wrong with them raises before torch is loaded."""
    from deixis.errors import PhraseError
    from deixis.language import read_report
    from deixis.models.finding import find
    from deixis.recipes import recipe
    from deixis.registry import unknown_name
    from deixis.types import Phrase
    from deixis.writers import WRITERS

    phrases = tuple(Phrase(text) for text in asked.phrase or ())
    report = None if asked.report is None else read_report(report_text(asked.report))
    if not phrases and report is None:
        raise PhraseError('Nothing to look for. Give --phrase "right pleural effusion", or --report FILE.')
    chosen = replace(recipe(asked.recipe), minimum_presence=asked.min_score)
    formats = tuple(name.strip() for name in asked.format.split(",") if name.strip())
    for name in formats:
        if name not in WRITERS:
            raise unknown_name("output format", name, WRITERS.names())
    for name in filter(None, (asked.model, asked.text_encoder, asked.vae, *(asked.lora or ()))):
        find(name)
    check_writable(asked.output)
    return Order(asked, phrases, report, chosen, formats)


def _outcomes(order: Order, bar: Bar) -> Iterator[ImageEntry | FailureEntry]:
    """What became of each image, in order. The model is loaded for the first image that can be read."""
    from deixis.writers import folder_names
    from deixis.writers.json import FailureEntry

    model: CountedModel | None = None
    for path, name in zip(order.asked.images, folder_names(order.asked.images), strict=True):
        bar.start(path.name)
        image = _attempt(path, _read, path, order.formats)
        if isinstance(image, FailureEntry):
            yield image
            continue
        if model is None and order.asks:
            bar.start("loading the model")
            model = _ready(order)
        bar.start(path.name, None if model is None else partial(_spent, model, model.evaluations))
        yield _attempt(path, _grounded, image, model, order, name)


def _read(path: Path, formats: Sequence[str]) -> Image:
    """The image, once it is sure that every format can be written of it."""
    from deixis.images import read
    from deixis.writers import check_image

    image = read(path)
    check_image(image, formats)
    return image


def _spent(model: CountedModel, before: int) -> int:
    return model.evaluations - before


def _ready(order: Order) -> CountedModel:
    """The model, once it is sure that it takes every phrase that was typed."""
    from deixis.errors import DeixisError
    from deixis.models.counted import CountedModel
    from deixis.models.loading import load

    asked = order.asked
    loaded = load(
        asked.model,
        asked.device,
        asked.dtype.in_torch,
        text_encoder=asked.text_encoder,
        vae=asked.vae,
        lora=asked.lora or (),
    )
    model = CountedModel(loaded)
    if asked.min_score and model.spec.name not in order.recipe.presence:
        raise DeixisError(
            f"--min-score {asked.min_score} needs a presence score, and recipe {asked.recipe!r} has none for "
            f"{model.spec.name!r}. Leave it out, or give the recipe a `presence` for that model."
        )
    if order.phrases:
        model.embed([phrase.text for phrase in order.phrases])
    return model


def _grounded(image: Image, model: CountedModel | None, order: Order, name: str) -> ImageEntry:
    """One image, grounded and written; without a model, a report that states nothing."""
    from deixis.writers import write
    from deixis.writers.json import image_entry

    groundings, report = _answers(image, model, order)
    written = write(groundings, order.asked.output, order.formats, name, report)
    return image_entry(groundings, written.folder.name, [file.name for file in written.files], report)


def _answers(
    image: Image, model: CountedModel | None, order: Order
) -> tuple[tuple[Grounding, ...], GroundedReport | None]:
    """All groundings, those of the report last, and the report."""
    from deixis.ground import open_image
    from deixis.ground_report import nothing_asserted, report_in

    if model is None:
        return (), None if order.report is None else nothing_asserted(image, order.report)
    limit = None if order.asked.max_memory is None else order.asked.max_memory * 2**20
    view = open_image(image, model, order.recipe, seed=order.asked.seed, max_memory=limit, kept=order.kept)
    groundings = view.find_all(order.phrases)
    if order.report is None:
        return groundings, None
    report = report_in(view, order.report)
    return (*groundings, *report.groundings), report


def _attempt(path: Path, work: Callable[..., Result], *given: object) -> Result | FailureEntry:
    """What `work` gives; where it fails, the failure, already told."""
    from deixis.writers.json import FailureEntry

    found = caught(work, *given)
    if not isinstance(found, Exception):
        return found
    told = as_told(found) or as_bug(found)
    console.complain(told if path.name in told else f"{path}: {told}")
    return FailureEntry(str(path), told)


def _report(outcomes: Sequence[ImageEntry | FailureEntry], asked: Options) -> int:
    """Print what was found; gives how many images failed."""
    from deixis.writers.json import Document, FailureEntry, ImageEntry

    images = tuple(outcome for outcome in outcomes if isinstance(outcome, ImageEntry))
    failures = tuple(outcome for outcome in outcomes if isinstance(outcome, FailureEntry))
    if asked.json:
        console.say(Document(images, failures).text().removesuffix("\n"))
    elif images:
        show_answers(images, asked.output)
    return len(failures)
