"""`deixis pacs`: answers about a study in an archive, stored beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from deixis.cli import console
from deixis.cli.answers import told
from deixis.cli.failures import INTERRUPTED
from deixis.cli.options import taking
from deixis.cli.progress import progress
from deixis.recipes import DEFAULT

if TYPE_CHECKING:
    from deixis.pacs import Outcome

pacs = typer.Typer(no_args_is_help=True, help="Answers about a study in an archive, stored beside it (DICOMweb).")


@dataclass(frozen=True)
class Options:
    """What can be said after `deixis pacs ground`."""

    url: Annotated[str, typer.Option(help="The archive's DICOMweb service, as https://host/dicom-web.")]
    study: Annotated[str, typer.Option(metavar="UID", help="StudyInstanceUID of the study.")]
    phrase: Annotated[list[str], typer.Option("--phrase", "-p", help="What to look for. Repeat it for more phrases.")]
    series: Annotated[str | None, typer.Option(metavar="UID", help="Only the images of this series.")] = None
    model: Annotated[str, typer.Option("--model", "-m", help="A name from `deixis models`, a path, or a hub id.")] = (
        "phantom"
    )
    recipe: Annotated[str, typer.Option("--recipe", "-r", help="A name from `deixis recipes`.")] = DEFAULT
    format: Annotated[str, typer.Option(help="What to store, separated by commas: sr, seg, sc.")] = "sr,seg,sc"
    store: Annotated[bool, typer.Option("--store/--dry-run", help="Store the answers, or only show them.")] = True
    credentials: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Lines of NAME=value, instead of the environment: see docs/pacs.md."),
    ] = None
    timeout: Annotated[float, typer.Option(min=1, metavar="SECONDS", help="How long the archive may be silent.")] = 60
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1, …; auto takes a GPU where there is one.")] = (
        "auto"
    )
    seed: Annotated[int, typer.Option(help="Which noise. The same seed gives the same answer.")] = 0


@pacs.command("ground")
@taking(Options)
def ground(asked: Options) -> None:
    """Find where each PHRASE lives in the frontal radiographs of a study, and store SR, SEG and SC beside them.

    Credentials come from DEIXIS_PACS_USER and DEIXIS_PACS_PASSWORD, or DEIXIS_PACS_TOKEN, or a file. A second run
    stores nothing that the archive already has.
    """
    from deixis.archive import Archive
    from deixis.credentials import Credentials
    from deixis.models.finding import find
    from deixis.models.loading import load
    from deixis.pacs import Order, ground_study
    from deixis.recipes import recipe
    from deixis.registry import unknown_name
    from deixis.types import Phrase
    from deixis.writers import DICOM_OBJECTS

    phrases, chosen = tuple(Phrase(text) for text in asked.phrase), recipe(asked.recipe)
    formats = tuple(dict.fromkeys(name.strip() for name in asked.format.split(",") if name.strip()))
    for name in formats or ("",):
        if name not in DICOM_OBJECTS:
            raise unknown_name("DICOM object format", name, DICOM_OBJECTS.names())
    find(asked.model)
    archive = Archive.at(asked.url, Credentials.found(asked.credentials), asked.timeout)
    for notice in archive.notices:
        console.note(notice)
    order = Order(phrases, load(asked.model, asked.device), chosen, asked.seed, formats, asked.store)
    answers = ground_study(archive, asked.study, order, asked.series)
    outcomes: list[Outcome] = []
    try:
        with progress(None) as bar:
            bar.start("asking the archive")
            for outcome in answers:
                outcomes.append(outcome)
                bar.start(f"{len(outcomes)} images done")
    except KeyboardInterrupt:
        console.note(f"Interrupted: {len(outcomes)} images are done; what they gave is stored whole.")
        raise typer.Exit(INTERRUPTED) from None
    finally:
        # Also where the archive fails half-way: what was done by then is done.
        if outcomes:
            _show(outcomes, asked)


def _show(outcomes: Sequence[Outcome], asked: Options) -> None:
    """Boxes by image, counted in the archive's order, and what became of the objects. No identifier is shown."""
    rows = console.table("image", "phrase", "boxes x0 y0 x1 y1 (score)", "seconds")
    for number, outcome in enumerate(outcomes, start=1):
        for found in outcome.groundings:
            rows.add_row(str(number), found.phrase.text, told(found.boxes), f"{found.provenance.seconds:.2f}")
    if rows.row_count:
        console.results().print(rows)
        console.say("")
    for number, outcome in enumerate(outcomes, start=1):
        console.say(f"image {number}: {_became(outcome, stored=asked.store)}")
    notices = dict.fromkeys(
        notice for outcome in outcomes for found in outcome.groundings for notice in found.provenance.notices
    )
    for notice in notices:
        console.say(notice)


def _became(outcome: Outcome, *, stored: bool) -> str:
    if outcome.skipped is not None:
        return f"passed over, {outcome.skipped}"
    if not outcome.groundings:
        return f"answered before: the archive has all {outcome.kept} objects"
    if not stored:
        return "nothing stored, as asked"
    return f"{outcome.stored} objects stored" + (f", {outcome.kept} were there" if outcome.kept else "")
