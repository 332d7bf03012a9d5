"""The model card of a trained model: what it was made from, at what cost, and what it must not be used for."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import torch

from deixis.datasets.phantom import scene
from deixis.models.catalog import CATALOG
from deixis.models.finding import find
from deixis.models.weights import fingerprint
from deixis.training.loop import read_log
from deixis.training.plan import TrainingPlan

# Models of phantoms share the bundled one's label: its name, under which recipes look for sites, and its notice.
LABEL = CATALOG["phantom"].label
# Shares of the image whose quantiles describe how large the findings are.
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


def model_card(plan: TrainingPlan, folder: Path, device: str, *, sample: int = 400) -> str:
    """Markdown: data with the quantiles of finding areas over `sample` training images, sizes, steps, time, limits."""
    seeds = range(plan.first_seed, plan.first_seed + plan.images)
    drawn = seeds[:sample]
    data = (
        f"{plan.images:,} synthetic chest radiographs of {plan.size}×{plan.size} pixels, seeds {seeds[0]} to "
        f"{seeds[-1]} of `deixis phantom`, with phrases of its grammar. Share of the image that a finding covers, "
        f"quantiles over {len(drawn)} of the images:\n"
    )
    training = (
        f"\nOn {device}, {os.cpu_count()} CPU cores ({platform.machine()}), torch {torch.__version__}, bf16 autocast. "
        "The text encoder was trained on phrases alone and then frozen: its words say which finding, side, zone and "
        "degree their sentence names, while begin, end and padding are held at one constant state.\n"
    )
    limits = (
        "The findings are drawn, not seen: shapes, textures and words are those of the phantom. English phrases of its "
        f"grammar only, at most {plan.tokens - 2} tokens. Frontal views only.\n"
    )
    sections = ["# A small latent diffusion model of phantoms\n", f"{LABEL.notice}\n", "## Data\n", data]
    sections += [
        *_areas(drawn, plan.size),
        "\n## Training\n",
        *_stages(plan, folder),
        f"\nWeights: sha256 `{fingerprint(folder / 'model')}`.",
        _command(plan),
        training,
        *_earlier(plan),
        "## Limits\n",
        limits,
    ]
    return "\n".join(sections)


def _command(plan: TrainingPlan) -> str:
    """What to type for the same plan."""
    steps = f"{plan.text.steps},{plan.autoencoder.steps},{plan.denoiser.steps}"
    seeds = f"{plan.first_seed}:{plan.first_seed + plan.images}"
    start = f" --start {Path(plan.start).name}" if plan.start else ""
    said = f"deixis train -o DIR --seeds {seeds} --size {plan.size} --steps {steps} --seed {plan.denoiser.seed}{start}"
    return f"\n`{said}`"


def _earlier(plan: TrainingPlan) -> list[str]:
    """What is known of the model that a training went on from: its weights' hash and its own card's training."""
    if not plan.start:
        return []
    folder = find(plan.start)
    told = f"### The model it went on from\n\nWeights of SHA-256 {fingerprint(folder)[:16]}. Its own card says:\n"
    card = folder / "MODEL_CARD.md"
    text = card.read_text(encoding="utf-8") if card.is_file() else "## Training\n\nNothing: it has no card.\n"
    training = text.partition("## Training\n")[2].partition("\n## ")[0].strip()
    return [told, *(f"> {line}".rstrip() for line in training.splitlines()), ""]


def _areas(seeds: Iterable[int], size: int) -> list[str]:
    """A table of quantiles of mask areas per class."""
    areas: dict[str, list[float]] = {}
    for seed in seeds:
        for finding in scene(seed, size).findings:
            areas.setdefault(finding.category, []).append(100 * float(finding.mask.mean()))
    rows = ["| class | findings | " + " | ".join(f"{q:.0%}" for q in QUANTILES) + " |", "|---" * 7 + "|"]
    for category, values in sorted(areas.items()):
        cells = " | ".join(f"{value:.1f} %" for value in np.quantile(values, QUANTILES))
        rows.append(f"| {category} | {len(values)} | {cells} |")
    return rows


def _stages(plan: TrainingPlan, folder: Path) -> list[str]:
    """Steps, batch, last loss and wall time of every stage."""
    batches = {
        "text_encoder": plan.text.batch,
        "autoencoder": plan.autoencoder.batch,
        "denoiser": plan.denoiser.batch,
    }
    last = {stage: (step, loss, seconds) for stage, step, loss, seconds in read_log(folder)}
    rows = ["| stage | steps | batch | last loss | wall time |", "|---|---|---|---|---|"]
    for stage, (step, loss, seconds) in last.items():
        rows.append(f"| {stage} | {step:,} | {batches[stage]} | {loss:.4f} | {seconds / 60:.0f} min |")
    return rows
