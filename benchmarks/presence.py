"""Can the strength of the evidence tell whether a finding is there? Present against absent phrases, per class.

    python benchmarks/presence.py -o benchmarks/results/presence.json

Every phantom, with none to three findings, is asked one plain phrase per class (and per device). The calibration of the
score is fitted on validation seeds; area under the ROC curve and reliability are of test seeds, with intervals from
resampled phantoms.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

import deixis
from deixis.datasets.phantom import TEST_SEED, VALIDATION_SEED, Scene, scene
from deixis.maps.batches import Batches
from deixis.maps.plan import read
from deixis.maps.reading import Question
from deixis.opening import Fitted, Way, open_all
from deixis.recipes import BEST, Calibration
from deixis.types import Phrase

CLASSES = (
    "atelectasis", "cardiomegaly", "consolidation", "pulmonary edema", "lung opacity", "pleural effusion", "pneumonia",
    "pneumothorax",
)  # fmt: skip
CATEGORIES = dict(zip(
    CLASSES, ("Atelectasis", "Cardiomegaly", "Consolidation", "Edema", "Lung Opacity", "Pleural Effusion", "Pneumonia",
              "Pneumothorax"), strict=True,
))  # fmt: skip
DEVICES = {
    "central venous catheter": "central line",
    "pacemaker": "pacemaker",
    "endotracheal tube": "endotracheal tube",
}
PHRASES = (*CLASSES, *DEVICES)
RESAMPLINGS, BINS = 1000, 5


@dataclass(frozen=True)
class Asked:
    """A phrase of one phantom: how strong its evidence was, and whether it is true."""

    seed: int
    phrase: str
    present: bool
    strength: float


def is_present(drawn: Scene, phrase: str) -> bool:
    """Whether the phantom shows what the phrase names."""
    if phrase in DEVICES:
        return any(finding.kind == DEVICES[phrase] for finding in drawn.findings)
    return any(finding.category == CATEGORIES[phrase] for finding in drawn.findings)


def strengths(model: Any, seeds: range) -> list[Asked]:
    """All phrases on all phantoms."""
    found, started = [], time.perf_counter()
    question = Question.of_one_image(tuple(map(Phrase, PHRASES)), model.embed(PHRASES))
    for number, seed in enumerate(seeds, start=1):
        drawn = scene(seed, 256, findings=(0, 3))
        fitted = Fitted.into(deixis.Image(drawn.pixels), model.spec.image_size, BEST)
        reader = open_all(model, [fitted], Way(BEST, 0, Batches(16)))
        for phrase, one in zip(PHRASES, read(reader, question, BEST), strict=True):
            found.append(Asked(seed, phrase, is_present(drawn, phrase), float(one.strength or 0.0)))
        if number % 10 == 0:
            print(f"{number} phantoms, {time.perf_counter() - started:.0f} s", flush=True)
    return found


def fitted_on(asked: Sequence[Asked]) -> Calibration:
    """Logistic regression of presence on asinh(strength)."""
    features = np.array([[math.asinh(one.strength)] for one in asked])
    line = LogisticRegression(C=1e3).fit(features, [one.present for one in asked])
    return Calibration(round(float(line.intercept_[0]), 3), round(float(line.coef_[0, 0]), 3))


def area(asked: Sequence[Asked]) -> dict[str, Any]:
    """AUROC of present against absent with its 95 % interval over phantoms."""
    seeds = sorted({one.seed for one in asked})
    by_seed = {seed: [one for one in asked if one.seed == seed] for seed in seeds}
    rng, values = np.random.default_rng(0), []
    for _ in range(RESAMPLINGS):
        drawn = [one for seed in rng.choice(seeds, len(seeds)) for one in by_seed[int(seed)]]
        truth = [one.present for one in drawn]
        if 0 < sum(truth) < len(truth):
            values.append(roc_auc_score(truth, [one.strength for one in drawn]))
    truth = [one.present for one in asked]
    low, high = np.percentile(values, (2.5, 97.5))
    whole = roc_auc_score(truth, [one.strength for one in asked])
    return {"value": float(whole), "low": float(low), "high": float(high), "present": sum(truth), "asked": len(truth)}


def reliability(asked: Sequence[Asked], calibration: Calibration) -> list[dict[str, float]]:
    """Mean score and share present, in bins of equal numbers."""
    scored = sorted((calibration(one.strength), one.present) for one in asked)
    return [
        {
            "score": float(np.mean([s for s, _ in part])),
            "present": float(np.mean([p for _, p in part])),
            "of": len(part),
        }
        for part in (scored[i * len(scored) // BINS : (i + 1) * len(scored) // BINS] for i in range(BINS))
    ]


def draw(result: dict[str, Any], file: Path) -> None:
    """Reliability, and the area of every phrase."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(8.5, 3.2), layout="constrained")
    bins = result["reliability"]
    left.plot([0, 1], [0, 1], ":", color="#888")
    left.plot([one["score"] for one in bins], [one["present"] for one in bins], "o-", color="#0b6e99")
    left.set(xlabel="presence score", ylabel="share present", xlim=(0, 1), ylim=(0, 1), title="test phantoms")
    rows = sorted(result["auroc"].items(), key=lambda item: item[1]["value"])
    values = [one["value"] for _, one in rows]
    spread = [[one["value"] - one["low"] for _, one in rows], [one["high"] - one["value"] for _, one in rows]]
    right.errorbar(values, range(len(rows)), xerr=spread, fmt="o", color="#0b6e99", capsize=2)
    right.set_yticks(range(len(rows)), [name for name, _ in rows], fontsize=7)
    right.axvline(0.5, color="#888", linestyle=":")
    right.set(xlabel="AUROC, present against absent", xlim=(None, 1))
    figure.savefig(file, dpi=110)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fitting", type=int, default=60, help="validation phantoms")
    parser.add_argument("--images", type=int, default=100, help="test phantoms")
    parser.add_argument("-o", "--output", type=Path, required=True)
    asked = parser.parse_args()
    torch.set_grad_enabled(False)
    model = deixis.load("phantom", device="cpu")
    first = VALIDATION_SEED + 100
    calibration = fitted_on(strengths(model, range(first, first + asked.fitting)))
    print(calibration, flush=True)
    found = strengths(model, range(TEST_SEED, TEST_SEED + asked.images))
    areas = {phrase: area([one for one in found if one.phrase == phrase]) for phrase in PHRASES}
    result = {
        "model": model.spec.name, "recipe": BEST.name, "calibration": vars(calibration),
        "macro_auroc": float(np.mean([one["value"] for one in areas.values()])), "auroc": areas,
        "reliability": reliability(found, calibration), "phantoms": {"fitted": asked.fitting, "test": asked.images},
    }  # fmt: skip
    asked.output.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    draw(result, asked.output.with_suffix(".png"))
    print(json.dumps(result["auroc"], indent=1), result["macro_auroc"])


if __name__ == "__main__":
    main()
