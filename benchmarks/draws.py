"""How few noisings hold quality: scores of recipes against their number of draws, on validation phantoms.

python benchmarks/draws.py -o benchmarks/results/draws.json
"""

from __future__ import annotations

import argparse
import itertools
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import deixis
from deixis.datasets.phantom import VALIDATION_SEED, cases
from deixis.errors import DeixisError
from deixis.evaluate import Answer, Report, Row, score
from deixis.many import ground_many
from deixis.recipes import NoisedWalk, recipe
from deixis.types import Case

SHOWN = ("auroc_smoothed", "pointing", "miou", "cnr_smoothed")
DRAWS = (1, 2, 3, 5, 10, 20)


def scores(model: Any, name: str, draws: int, groups: Sequence[Sequence[Case]]) -> Report:
    """One recipe with so many draws over the window that it has."""
    chosen = recipe(name)
    if not isinstance(chosen.walk, NoisedWalk):
        raise SystemExit(f"{name} does not draw.")
    chosen = replace(chosen, walk=replace(chosen.walk, draws=draws))
    asked = [(group[0].image, [case.phrase for case in group]) for group in groups]
    rows: list[Row] = []
    for group, found in zip(groups, ground_many(asked, model, chosen), strict=True):
        rows += score(group, lambda _, given=found: [Answer.of(one) for one in given], SHOWN)
    return Report(tuple(rows))


def draw(rows: Sequence[dict[str, Any]], file: Path) -> None:
    """mIoU and AUROC against the number of draws."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, panels = plt.subplots(1, 2, figsize=(7.5, 3), layout="constrained")
    for panel, metric, label in zip(panels, ("miou", "auroc_smoothed"), ("mean IoU", "AUROC"), strict=True):
        for name, own in itertools.groupby(rows, key=lambda row: row["recipe"]):
            points = list(own)
            panel.plot([row["draws"] for row in points], [row[metric] for row in points], "o-", label=name)
        panel.set(xscale="log", xlabel="noisings", ylabel=label, xticks=DRAWS, xticklabels=DRAWS)
    panels[0].legend(frameon=False, fontsize=8)
    figure.savefig(file, dpi=110)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=50)
    parser.add_argument("--recipes", nargs="+", default=["fast", "guided", "best", "instant"])
    parser.add_argument("-o", "--output", type=Path, required=True)
    asked = parser.parse_args()
    model = deixis.load("phantom", device="cpu")
    seeds = range(VALIDATION_SEED + 200, VALIDATION_SEED + 200 + asked.images)
    every = cases(seeds, findings=(1, 3))
    groups = [list(group) for _, group in itertools.groupby(every, key=lambda case: case.patient)]
    rows = []
    for name, draws in itertools.product(asked.recipes, DRAWS):
        try:
            report = scores(model, name, draws, groups)
        except DeixisError as error:
            print(f"{name} with {draws}: {error}", flush=True)
            continue
        rows.append({"recipe": name, "draws": draws, **{one: round(report.macro(one).value, 4) for one in SHOWN}})
        print(rows[-1], flush=True)
    result = {"seeds": [seeds[0], seeds[-1]], "phrases": sum(map(len, groups)), "rows": rows}
    asked.output.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    draw(rows, asked.output.with_suffix(".png"))


if __name__ == "__main__":
    main()
