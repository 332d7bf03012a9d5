"""`deixis train`: make a small latent diffusion model of phantoms."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from deixis.cli import console


def train(  # noqa: PLR0917 - typer reads options from parameters
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder of the training; an old one is gone on with.")],
    data: Annotated[
        Path | None, typer.Option("--data", help="A set that `deixis phantom` wrote; else phantoms are drawn.")
    ] = None,
    seeds: Annotated[
        str, typer.Option(metavar="FIRST:END", help="Seeds of the phantoms that are drawn, END not included.")
    ] = "0:10000",
    size: Annotated[int, typer.Option(help="Side of an image in pixels, a multiple of 32.", min=64)] = 256,
    start: Annotated[
        str, typer.Option(metavar="MODEL", help="Go on from a trained model; its text encoder stays as it is.")
    ] = "",
    steps: Annotated[
        str, typer.Option(metavar="TEXT,AUTOENCODER,DENOISER", help="Steps of the three stages.")
    ] = "700,1400,2000",
    seed: Annotated[int, typer.Option(help="Seed of weights, noise and order.")] = 0,
    device: Annotated[str, typer.Option(help="cpu, cuda, or auto.")] = "auto",
) -> None:
    """Train a small latent diffusion model; stop it at any moment and call it again to go on."""
    import torch

    from deixis.training.plan import TrainingPlan
    from deixis.training.plot import plot_losses
    from deixis.training.recipe import train as run

    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    text, autoencoder, denoiser = _counts(steps)
    first, images = _range(seeds)
    plain = TrainingPlan(images=images, first_seed=first, size=size, start=start)
    plan = replace(
        plain,
        text=replace(plain.text, seed=seed, steps=text),
        autoencoder=replace(plain.autoencoder, seed=seed, steps=autoencoder, crop=min(size, plain.autoencoder.crop)),
        denoiser=replace(plain.denoiser, seed=seed, steps=denoiser),
    )
    model = run(plan, output, device=device, data=data)
    console.say(f"The model is in {model}: `deixis ground IMAGE -p PHRASE -m {model}`.")
    try:
        console.say(f"Losses: {plot_losses(output)} (numbers in log.csv).")
    except ModuleNotFoundError:
        console.say("Losses: log.csv. For a plot install the extra `eval` (matplotlib).")


def _counts(steps: str) -> tuple[int, int, int]:
    """Three whole numbers of at least 1."""
    counts = [int(count) for count in steps.split(",") if count.strip().isdigit()]
    if len(counts) != 3 or min(counts) < 1 or steps.count(",") != 2:
        raise typer.BadParameter(f"--steps takes three whole numbers such as 700,1400,2000; got {steps!r}.")
    return counts[0], counts[1], counts[2]


def _range(seeds: str) -> tuple[int, int]:
    """First seed and how many, at least one."""
    ends = [int(end) for end in seeds.split(":") if end.strip().isdigit()]
    if len(ends) != 2 or seeds.count(":") != 1 or ends[0] >= ends[1]:
        raise typer.BadParameter(f"--seeds takes two rising whole numbers such as 0:10000; got {seeds!r}.")
    return ends[0], ends[1] - ends[0]
