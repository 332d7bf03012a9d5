"""Recipes: every constant of a way of reading, each with its source.

A `Recipe` says how an image enters the model, how its latent is walked, which attention is read and how, and how the
heat becomes a mask and boxes. A model that the recipe's rule for sites and steps does not fit brings a `Reading`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from deixis.errors import UnknownNameError
from deixis.geometry import Fit, Interpolation
from deixis.registry import unknown_name

Step = Literal["published", "intended"]


@dataclass(frozen=True)
class InvertedWalk:
    """DDIM inversion with the "" prompt, once per image; the phrase is read off the latents that it passes.

    Args:
        steps: asked number of steps; the stride is 1000 // steps, so 300 gives 334 (the published schedule).
        step: "published" evaluates at t and moves from t to t + Δ, the step that the published code runs;
            "intended" moves from t - Δ to t, the step that it defines and never binds.
        window: shares of `steps` between which list positions are read; T/2 ± 10 % (arXiv 2404.12920).
        betas: first and last β of the scaled-linear schedule for which that share was published.
        log_snr: the noise levels it stands for there, read on any other schedule.
    """

    steps: int = 300
    step: Step = "published"
    window: tuple[float, float] = (0.4, 0.6)
    betas: tuple[float, float] = (0.0015, 0.0205)
    log_snr: tuple[float, float] = (-2.47, -0.90)


@dataclass(frozen=True)
class NoisedWalk:
    """Independent noisings z_t = √ᾱ z₀ + √(1-ᾱ) ε at chosen log-SNRs, all in one batch, no inversion.

    Args:
        draws: noisings per image; ten read as well as the inversion (our pilot, method page).
        log_snr: the window over which they are spread evenly.
    """

    draws: int = 10
    log_snr: tuple[float, float] = (-2.47, -0.90)


@dataclass(frozen=True)
class Reading:
    """Which sites and noise levels of one model are read, where the general rule does not fit its grids.

    Args:
        sites: indices of cross-attention sites in call order.
        log_snr: window of the noise levels.
    """

    sites: tuple[int, ...]
    log_snr: tuple[float, float]


@dataclass(frozen=True)
class Source:
    """One evidence of a recipe, and what becomes of it before it is fused with the others.

    Args:
        evidence: row of the evidence table: "words", "guided", "likelihood", …
        weight: how much it counts in the fusion.
        refiners: rows of the refiner table, applied in this order.
        readings: per model name the sites and noise levels that it takes into account, among those that the recipe
            reads.
        log_snr: the noise levels that it takes into account on any other model; None for all of them.
    """

    evidence: str
    weight: float = 1.0
    refiners: tuple[str, ...] = ()
    readings: Mapping[str, Reading] = field(default_factory=dict)
    log_snr: tuple[float, float] | None = None


@dataclass(frozen=True)
class Calibration:
    """From the strength of an evidence to a presence score: 1 / (1 + exp(-(offset + slope · asinh(strength)))).

    Fitted on validation phantoms of one model, where findings are there or not; it means nothing for another model.
    """

    offset: float
    slope: float

    def __call__(self, strength: float) -> float:
        """The score in [0, 1]."""
        return 1 / (1 + math.exp(-(self.offset + self.slope * math.asinh(strength))))


@dataclass(frozen=True)
class Recipe:
    """A way of reading, complete: the same recipe, seed and weights give the same answer.

    Args:
        name: its row in the table.
        summary: one line for `deixis recipes`.
        walk: how latents at the noise levels that are read come about.
        sources: the evidence, gathered in one pass.
        fusion: row of the fusion table, for several sources.
        fit: how an image enters the model's square.
        antialias: whether an image is smoothed before it is shrunk.
        smoothing: σ of the Gaussian over the heat, in pixels of the model's square.
        gamma: power of the smoothed heat before it is cut; 1 leaves it as it is.
        level: power of the heat after it is cut; below 1 it levels what the threshold kept.
        threshold: row of the threshold table.
        minimum_peak: parts of the mask that nowhere reach this share of the highest heat are left out.
        back: interpolation of the heat on its way to native pixels.
        halves: whether a second and a third answer, from each half of the noise levels, tell how stable it is.
        presence: per model name, how the strength of its evidence becomes a presence score; experimental.
        minimum_presence: a phrase whose presence score lies below it gets no boxes.
        minimum_area: components below this share of the seen image are no boxes.
        readings: per model name, sites and window that replace the general rule.
    """

    name: str
    summary: str
    walk: InvertedWalk | NoisedWalk
    sources: tuple[Source, ...] = (Source("words"),)
    fusion: str = "product"
    fit: Fit = "crop"
    antialias: bool = True
    smoothing: float = 2.5
    gamma: float = 1.0
    level: float = 1.0
    threshold: str = "otsu"
    minimum_peak: float = 0.0
    back: Interpolation = "linear"
    halves: bool = False
    presence: Mapping[str, Calibration] = field(default_factory=dict)
    minimum_presence: float = 0.0
    minimum_area: float = 0.001
    readings: Mapping[str, Reading] = field(default_factory=dict)


# The bundled network's grids are not those the general rule was made for, so recipes name its sites and noise levels.
# Chosen on 77 phrases of 40 validation phantoms (seeds from 900,000): the words point best at the 16×16 sites on the
# way up, between log-SNR 0 and 3; at its finest sites (7 and 8, 32×32) they point away. See docs/results.md.
WORDS = {"phantom": Reading(sites=(5, 6), log_snr=(0.0, 3.0))}
TELLING = {"phantom": Reading(sites=(0, 1, 2, 3, 4, 5, 6), log_snr=(0.0, 3.0))}

PAPER = Recipe(
    name="paper",
    summary="DDIM inversion, mean attention of the words (arXiv 2404.12920 as its code runs)",
    walk=InvertedWalk(),
    antialias=False,  # the published resize is bilinear without antialiasing
    back="nearest",  # the published way back to the shortest side
    readings=WORDS,
)
PAPER_INTENDED = replace(
    PAPER,
    name="paper-intended",
    summary="as paper, with the inversion step that the published code defines and never binds",
    walk=InvertedWalk(step="intended"),
)
FAST = Recipe(
    name="fast",
    summary="ten noisings instead of the inversion, the paper's reading of the words",
    walk=NoisedWalk(),
    readings=WORDS,
)
GUIDED = replace(
    FAST,
    name="guided",
    summary="ten noisings; the change in predicted noise says which attention to trust",
    sources=(Source("guided"),),
    # Cubed correlations make sharp peaks on grids of 16 cells. One latent cell of smoothing and a power of 2/3 level
    # them; chosen on the validation phantoms above, where against σ 2.5 and no power mIoU rises from .38 to .42 and
    # CNR from 1.1 to 1.9 while the mask's own IoU stays at .41.
    smoothing=8.0,
    gamma=2 / 3,
    readings=TELLING,
)

INSTANT = replace(
    FAST,
    name="instant",
    summary="kept queries of ten noisings; a further phrase needs no UNet evaluation",
    sources=(Source("response"),),
    smoothing=8.0,
    gamma=2 / 3,
    # On 188 phrases of 100 validation phantoms (seeds 900,000 to 900,099) the last 16×16 site alone reads best: AUC
    # .956, pointing .851, mIoU .429, against .944, .833 and .385 with site 5 added, and .954, .858, .418 of `guided`.
    readings={"phantom": Reading(sites=(6,), log_snr=(1.0, 4.0))},
)

# Where guided attention and the likelihood both say yes, and a named side beats the other one. Two were chosen on 188
# phrases of 100 validation phantoms (seeds from 900,000), the third on 298 phrases of 170 (seeds from 900,200):
# with it mIoU rises from .496 to .511 there, and exchanging left and right lowers the heat inside the box in 92 of 95
# phrases in place of 81. Eighteen noisings and six for the other side stay within a fifth of what `paper` spends.
# Docs/results.md has the one run on test phantoms. The finish levels what the threshold kept.
BEST = replace(
    FAST,
    name="best",
    summary="eighteen noisings; guided attention where the phrase, on the side it names, makes the image likelier",
    walk=NoisedWalk(draws=18, log_snr=(-3.0, 3.0)),
    sources=(
        Source("guided", weight=0.5, readings={"phantom": Reading(TELLING["phantom"].sites, (0.0, 3.0))}),
        Source("likelihood", weight=0.5),
        Source("named-side", weight=2.0, log_snr=(-3.1, -1.0)),
    ),
    smoothing=8.0,
    gamma=0.75,
    level=0.4,
    minimum_peak=0.45,
    halves=True,
    # Fitted by benchmarks/presence.py on eleven phrases asked of each of 60 validation phantoms, seeds from 900,100.
    presence={"phantom": Calibration(offset=-3.305, slope=101.326)},
    readings={"phantom": Reading(TELLING["phantom"].sites, (-3.0, 3.0))},
)
BEST_INSTANT = replace(
    INSTANT,
    name="best-instant",
    summary="as instant, its heat cut and levelled as in best",
    gamma=0.75,
    level=0.4,
    minimum_peak=0.45,
)
BEST_PRIOR = replace(
    BEST,
    name="best-prior",
    summary="best, pulled to where the phrase's words place it on any chest film; compare with the words alone",
    sources=tuple(
        source if source.evidence == "named-side" else replace(source, refiners=("location-prior",))
        for source in BEST.sources
    ),
)

RECIPES: Mapping[str, Recipe] = {
    recipe.name: recipe for recipe in (PAPER, PAPER_INTENDED, FAST, GUIDED, INSTANT, BEST, BEST_INSTANT, BEST_PRIOR)
}
DEFAULT = "best"


def recipe(name: str) -> Recipe:
    """The recipe of that name; an unknown one raises `UnknownNameError` listing the known."""
    if name not in RECIPES:
        raise unknown_name("recipe", name, tuple(RECIPES))
    return RECIPES[name]


__all__ = [
    "BEST",
    "BEST_INSTANT",
    "BEST_PRIOR",
    "DEFAULT",
    "FAST",
    "GUIDED",
    "INSTANT",
    "PAPER",
    "PAPER_INTENDED",
    "RECIPES",
    "TELLING",
    "WORDS",
    "Calibration",
    "InvertedWalk",
    "NoisedWalk",
    "Reading",
    "Recipe",
    "Source",
    "UnknownNameError",
    "recipe",
]  # fmt: skip
