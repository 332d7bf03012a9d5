"""Do the figures beside an answer tell how good it is? Stability, agreement and score against the IoU with the truth.

    python benchmarks/uncertainty.py -o benchmarks/results/uncertainty.json

Phrases of validation phantoms that no choice has seen, under the default recipe. Spearman's correlation of each figure
with the answer's mIoU, with intervals from resampled phantoms, and the mean mIoU of the lower, middle and upper third.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import numpy as np
import torch
from scipy.stats import spearmanr

import deixis
from deixis.datasets.phantom import TEST_SEED, VALIDATION_SEED, cases
from deixis.evaluate import Answer, score
from deixis.recipes import DEFAULT
from deixis.types import Grounding

FIGURES: Mapping[str, Callable[[Grounding], float]] = {
    "stability": lambda found: float(found.stability or 0),
    "agreement": lambda found: float(found.agreement or 0),
    "score of the best box": lambda found: found.boxes[0].score if found.boxes else 0.0,
}
RESAMPLINGS = 1000


@dataclass(frozen=True)
class Answered:
    """One phrase: how good the answer was, and what stood beside it."""

    patient: str
    miou: float
    figures: tuple[float, ...]


def answered(seeds: range) -> list[Answered]:
    """All phrases of the phantoms."""
    model, rows = deixis.load("phantom", device="cpu"), []
    for patient, group in groupby(cases(seeds, findings=(1, 3)), key=lambda case: str(case.patient)):
        own = tuple(group)
        view = deixis.open_image(own[0].image, model)
        found = view.find_all([case.phrase for case in own])
        answers = tuple(map(Answer.of, found))
        scored = score(own, lambda _, given=answers: given, ["miou"])
        rows += [
            Answered(patient, row.scores["miou"], tuple(figure(one) for figure in FIGURES.values()))
            for row, one in zip(scored, found, strict=True)
        ]
    return rows


def correlation(rows: list[Answered], figure: int) -> dict[str, float]:
    """Spearman's rank correlation with its 95 % interval over phantoms."""

    def of(chosen: list[Answered]) -> float:
        return float(spearmanr([one.figures[figure] for one in chosen], [one.miou for one in chosen]).statistic)

    patients = sorted({one.patient for one in rows})
    by_patient = {patient: [one for one in rows if one.patient == patient] for patient in patients}
    rng = np.random.default_rng(0)
    drawn = [
        of([one for patient in rng.choice(patients, len(patients)) for one in by_patient[patient]])
        for _ in range(RESAMPLINGS)
    ]
    low, high = np.percentile(drawn, (2.5, 97.5))
    return {"value": of(rows), "low": float(low), "high": float(high)}


def thirds(rows: list[Answered], figure: int) -> list[float]:
    """Mean mIoU of the third with the lowest figures, of the middle and of the highest."""
    ranked = sorted(rows, key=lambda one: one.figures[figure])
    return [float(np.mean([one.miou for one in part])) for part in np.array_split(np.array(ranked, object), 3)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=100)
    parser.add_argument("--first-seed", type=int, default=VALIDATION_SEED + 500)
    parser.add_argument("-o", "--output", type=Path, required=True)
    asked = parser.parse_args()
    last = asked.first_seed + asked.images
    if not VALIDATION_SEED <= asked.first_seed < last <= TEST_SEED:
        raise SystemExit(f"Validation seeds are {VALIDATION_SEED} to {TEST_SEED - 1}.")
    torch.set_grad_enabled(False)
    rows = answered(range(asked.first_seed, last))
    result = {
        "recipe": DEFAULT, "seeds": [asked.first_seed, last - 1], "phrases": len(rows),
        "spearman": {name: correlation(rows, index) for index, name in enumerate(FIGURES)},
        "miou_by_thirds": {name: thirds(rows, index) for index, name in enumerate(FIGURES)},
    }  # fmt: skip
    asked.output.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
