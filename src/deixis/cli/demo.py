"""`deixis demo`: the whole way once, on a synthetic chest X-ray whose truth is known."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from deixis.cli import console
from deixis.cli.answers import notices, told
from deixis.cli.outputs import check_writable
from deixis.cli.progress import progress
from deixis.recipes import DEFAULT

if TYPE_CHECKING:
    from deixis.datasets.phantom import PlantedPhrase
    from deixis.writers.json import GroundingEntry

# A phantom of the test range with three findings of different kinds.
SEED = 1_000_010
MOST_PHRASES = 3


def demo(
    output: Annotated[Path, typer.Option("--output", "-o", help="Where the pictures go.")] = Path("deixis-out"),
    model: Annotated[str, typer.Option("--model", "-m", help="A name from `deixis models`, or a folder.")] = "phantom",
    recipe: Annotated[str, typer.Option("--recipe", "-r", help="A name from `deixis recipes`.")] = DEFAULT,
    phantom: Annotated[int, typer.Option(help="Seed of the synthetic X-ray; training ended below 900,000.")] = SEED,
) -> None:
    """Draw a synthetic chest X-ray, ground its own phrases in it, and compare with the truth."""
    check_writable(output)
    from deixis.datasets.phantom import scene
    from deixis.ground import open_image
    from deixis.types import Image
    from deixis.writers import write
    from deixis.writers.json import image_entry

    with progress(1) as bar:
        bar.start("loading the model")
        drawn = scene(phantom, findings=(2, MOST_PHRASES))
        asked = drawn.phrases[:MOST_PHRASES]
        view = open_image(Image(drawn.pixels, (drawn.spacing, drawn.spacing)), model, recipe)
        bar.start("grounding")
        found = view.find_all([phrase.text for phrase in asked])
        written = write(found, output, stem=f"phantom-{phantom}")
    entry = image_entry(found, written.folder.name, [file.name for file in written.files])
    _show(asked, entry.groundings)
    console.say("\nPictures:")
    for file in written.files:
        if file.suffix == ".png":
            console.say(f"  {file}")
    console.say("")
    for notice in notices([entry]):
        console.say(notice)


def _show(asked: Sequence[PlantedPhrase], answers: Sequence[GroundingEntry]) -> None:
    rows = console.table("phrase", "found x0 y0 x1 y1 (score)", "truth x0 y0 x1 y1", "hottest pixel", "seconds")
    for phrase, answer in zip(asked, answers, strict=True):
        column, row = (int(centre) for centre in answer.heat.peak_at)
        truth = "\n".join(f"{box.x0:.0f} {box.y0:.0f} {box.x1:.0f} {box.y1:.0f}" for box in phrase.boxes)
        hit = "inside the truth" if phrase.mask[row, column] else "outside the truth"
        rows.add_row(phrase.text, told(answer.boxes), truth, hit, f"{answer.provenance.seconds:.2f}")
    console.results().print(rows)
