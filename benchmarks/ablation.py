"""What each reader adds: every evidence alone, then forward selection, on validation phantoms and never on test ones.

    python benchmarks/ablation.py -o benchmarks/results/ablation.json
    python benchmarks/ablation.py --model FOLDER/model --images 50 -o benchmarks/results/ablation_second.json

One pass per image gathers all evidence at thirty noise levels, of which every combination is then finished and scored.
Each candidate has the finish of `best` unless its name says otherwise, so that what differs is the reading; `finish of
paper` shows what the finish alone is worth. The search: every evidence alone, the stronger ones in five windows
of noise levels, the words at every site, then greedily the one that adds most to mean mIoU, up to three sources.
"""

from __future__ import annotations

import argparse
import itertools
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from phantom_table import Drawn

import deixis
from deixis.answering import Asked, Cost, grounding
from deixis.datasets.phantom import TEST_SEED, VALIDATION_SEED
from deixis.evaluate import Answer, Report, Row, paired_difference, score
from deixis.maps.batches import Batches
from deixis.maps.evidence import EVIDENCE
from deixis.maps.fusion import FUSIONS, fused
from deixis.maps.gathering import gather
from deixis.maps.plan import Found, scope_of
from deixis.maps.reading import Question
from deixis.maps.refiners import REFINERS
from deixis.opening import Fitted, Way, open_all
from deixis.recipes import BEST, GUIDED, INSTANT, PAPER, TELLING, WORDS, NoisedWalk, Reading, Recipe, Source
from deixis.types import Case

DRAWS, WALKED = 30, (-3.0, 4.0)
WINDOWS = {"-3..0": (-3.0, 0.0), "-1..2": (-1.0, 2.0), "0..3": (0.0, 3.0), "1..4": (1.0, 4.0), "-3..3": (-3.0, 3.0)}
# The sites of the bundled network that each kind of evidence reads; both models have the same layout.
WORDS_AT, TELLING_AT, LAST = WORDS["phantom"].sites, TELLING["phantom"].sites, INSTANT.readings["phantom"].sites
ATTENTION = (
    "words", "content", "words-over-begin", "words-less-null", "words-entmax", "words-kept-queries", "words-told-all",
    "end", "begin", "padding", "bias-merged",
)  # fmt: skip
SITES = 9
# Noise levels at which the words of the bundled model point best, and what is tried at others too.
CHOSEN = "0..3"
SWEPT = ("words", "information", "likelihood", "projection", "response", "guided")
SHOWN = ("auroc_smoothed", "pointing", "miou", "cnr_smoothed")
# What `best` multiplies, and how much each counts.
OURS = {"guided 0..3": 0.5, "likelihood -3..3": 0.5, "named-side -3..-1": 2.0}
FINISHES = {
    "best": BEST,
    "finish of guided": replace(BEST, smoothing=GUIDED.smoothing, gamma=GUIDED.gamma, level=1.0, minimum_peak=0.0),
    "finish of paper": replace(BEST, smoothing=PAPER.smoothing, gamma=1.0, level=1.0, minimum_peak=0.0),
    **{f"threshold {name}": replace(BEST, threshold=name) for name in ("half", "mean", "mixture", "top-tenth")},
}
Maps = Mapping[str, torch.Tensor]


@dataclass(frozen=True)
class Gathered:
    """Everything that was read of one image."""

    cases: tuple[Case, ...]
    fitted: Fitted
    maps: Maps


@dataclass
class Bench:
    """A model and what was read of the images."""

    model: Any
    images: list[Gathered] = field(default_factory=list)

    def report(self, choose: Callable[[Maps], torch.Tensor], finish: Recipe) -> Report:
        """The scores of one way of combining what was read."""
        rows: list[Row] = []
        way = Way(finish, 0, Batches(1))
        for image in self.images:
            found = choose(image.maps).numpy()
            answers = [
                Answer.of(grounding(Found(one), Asked(image.fitted, case.phrase), self.model.spec, way, Cost(0.0, 0)))
                for one, case in zip(found, image.cases, strict=True)
            ]
            rows += score(image.cases, lambda _, given=answers: given, SHOWN)
        return Report(tuple(rows))


def sources(name: str) -> dict[str, Source]:
    """Every evidence at the words' noise levels, and the stronger ones in every window, by a name."""
    sites = dict.fromkeys(ATTENTION, WORDS_AT) | {"response": LAST, "guided": TELLING_AT, "guided-iterated": TELLING_AT}
    kinds = (*ATTENTION, "information", "likelihood", "projection", "response", "guided", "guided-iterated")
    found = {
        f"{kind} {label}": Source(kind, readings={name: Reading(sites.get(kind, TELLING_AT), window)})
        for kind in kinds
        for label, window in WINDOWS.items()
        if label == CHOSEN or kind in SWEPT
    }
    for site in range(SITES):
        found[f"words at site {site}"] = Source("words", readings={name: Reading((site,), WINDOWS[CHOSEN])})
    found["guided at sites 5 and 6"] = Source("guided", readings={name: Reading((5, 6), WINDOWS[CHOSEN])})
    return found | {"named-side -3..-1": replace(BEST.sources[2], readings={})}


def read(bench: Bench, seeds: range, drawn: Drawn, *, short: bool) -> None:
    """One pass per image."""
    name = bench.model.spec.name
    walked = replace(
        BEST,
        walk=NoisedWalk(DRAWS, WALKED),
        readings={name: Reading(tuple(range(len(bench.model.spec.sites))), WALKED)},
    )
    wanted = {label: source for label, source in sources(name).items() if not short or label in in_short()}
    started = time.perf_counter()
    for number, (_, group) in enumerate(itertools.groupby(drawn.cases(seeds), key=lambda case: case.patient)):
        own = tuple(group)
        fitted = Fitted.into(own[0].image, bench.model.spec.image_size, walked)
        reader = open_all(bench.model, [fitted], Way(walked, 0, Batches(16)))
        phrases = tuple(case.phrase for case in own)
        question = Question.of_one_image(phrases, bench.model.embed([phrase.text for phrase in phrases]))
        gatherings = {
            label: EVIDENCE[source.evidence](reader, question, scope_of(reader, source))
            for label, source in wanted.items()
        }
        gather(reader, question, list(gatherings.values()))
        maps = {label: one.maps() for label, one in gatherings.items()}
        for refiner in ("alike", "alike-twice", "location-prior"):
            maps[f"guided 0..3, {refiner}"] = REFINERS[refiner](maps["guided 0..3"], reader, question)
        bench.images.append(Gathered(own, fitted, maps))
        if number % 10 == 9:
            print(f"{number + 1} images, {time.perf_counter() - started:.0f} s", flush=True)


def in_short() -> tuple[str, ...]:
    """What a short run asks for: the evidence at its chosen noise levels, but for what makes images up."""
    chosen = (label for label in sources("") if label.endswith(("0..3", "-3..3", "-3..-1")))
    return tuple(label for label in chosen if not label.startswith("bias-merged"))


def merged(weights: Mapping[str, float], fusion: str = "product") -> Callable[[Maps], torch.Tensor]:
    """How several evidences become one map."""
    return lambda maps: fused([maps[label] for label in weights], list(weights.values()), fusion)


def summary(report: Report) -> dict[str, Any]:
    """Macro means, and those of phrases that name no place."""
    blind = report.where(lambda row: row.names_place is False)
    means = {metric: round(report.macro(metric).value, 4) for metric in SHOWN}
    return means | {"miou_no_place": round(blind.macro("miou").value, 4)}


class Table:
    """Rows as they come: printed and kept, with the paired difference to `best`'s own reading where it is known."""

    def __init__(self, bench: Bench) -> None:
        self.bench, self.rows, self.reports = bench, [], {}

    def add(self, name: str, weights: Mapping[str, float], *, fusion: str = "product", finish: str = "best") -> float:
        """Score one candidate; gives its mIoU."""
        report = self.bench.report(merged(weights, fusion), FINISHES[finish])
        failures = {row.failure for row in report.rows if row.failure}
        if failures:
            raise SystemExit(f"{name}: {failures}")
        row = {"name": name, "sources": dict(weights), "fusion": fusion, "finish": finish, **summary(report)}
        self.rows.append(row)
        self.reports[name] = report
        print({key: row[key] for key in ("name", *SHOWN, "miou_no_place")}, flush=True)
        return float(row["miou"])

    def differences(self, first: str) -> dict[str, dict[str, float]]:
        """mIoU of one candidate less every other's, with intervals."""
        return {
            name: vars(paired_difference(self.reports[first], other, "miou"))
            for name, other in self.reports.items()
            if name != first
        }


def even(labels: Sequence[str]) -> dict[str, float]:
    """Each counts the same."""
    return dict.fromkeys(labels, 1 / len(labels))


def select(table: Table, known: Mapping[str, float], most: int = 3) -> list[str]:
    """Greedy forward selection among the best window of each evidence."""
    best_of_kind: dict[str, str] = {}
    for label in sorted(known, key=lambda one: -known[one]):
        best_of_kind.setdefault(label.split()[0], label)
    pool = sorted(best_of_kind.values(), key=lambda label: -known[label])[:8]
    chosen, reached = [pool[0]], known[pool[0]]
    while len(chosen) < most:
        tried = {one: table.add(" × ".join([*chosen, one]), even([*chosen, one])) for one in pool if one not in chosen}
        winner = max(tried, key=lambda one: tried[one])
        if tried[winner] <= reached:
            break
        chosen, reached = [*chosen, winner], tried[winner]
    return chosen


def draw(rows: Sequence[Mapping[str, Any]], file: Path) -> None:
    """mIoU of each candidate, of an evidence in several windows the best: one bar each, what is shipped in orange."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    highest: dict[str, Mapping[str, Any]] = {}
    for row in rows:
        kind, _, window = row["name"].partition(" ")
        key = kind if window in WINDOWS else row["name"]
        if key not in highest or row["miou"] > highest[key]["miou"]:
            highest[key] = row
    shown = sorted(highest.values(), key=lambda row: row["miou"])
    colours = ["#e07b39" if row["name"] == "best" else "#0b6e99" if "×" in row["name"] else "#8aa6b5" for row in shown]
    figure, axes = plt.subplots(figsize=(7.5, 0.21 * len(shown) + 0.8), layout="constrained")
    axes.barh([row["name"] for row in shown], [row["miou"] for row in shown], color=colours)
    axes.tick_params(axis="y", labelsize=7)
    axes.margins(y=0.005)
    axes.set(xlabel="mean IoU over thresholds .1 to .5, mean over classes", xlim=(0, None))
    figure.savefig(file, dpi=110)
    plt.close(figure)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="phantom")
    parser.add_argument("--images", type=int, default=100)
    parser.add_argument("--first-seed", type=int, default=VALIDATION_SEED)
    parser.add_argument("--shifted", action="store_true", help="phantoms away from the training distribution")
    parser.add_argument("--short", action="store_true", help="no windows: what was chosen, and its rivals")
    parser.add_argument("-o", "--output", type=Path, required=True)
    asked = parser.parse_args()
    last = asked.first_seed + asked.images
    if not VALIDATION_SEED <= asked.first_seed < last <= TEST_SEED:
        raise SystemExit(f"Choices are made on seeds {VALIDATION_SEED} to {TEST_SEED - 1} only.")
    torch.set_grad_enabled(False)
    bench = Bench(deixis.load(asked.model, device="cpu"))
    read(bench, range(asked.first_seed, last), Drawn(asked.shifted), short=asked.short)
    table, started = Table(bench), time.perf_counter()
    labels = in_short() if asked.short else tuple(sources(""))
    known = {label: table.add(label, {label: 1.0}) for label in labels if not label.startswith("named-side")}
    for refiner in ("alike", "alike-twice", "location-prior"):
        table.add(f"guided 0..3, {refiner}", {f"guided 0..3, {refiner}": 1.0})
    chosen = select(table, {label: miou for label, miou in known.items() if " at " not in label})
    table.add("best", OURS)
    pointing = dict(list(OURS.items())[:2])
    side = {label: weight for label, weight in OURS.items() if label not in pointing}
    table.add("best without named-side", pointing)
    for label in pointing:
        table.add(f"best, {label.split()[0]} alone with named-side", {label: 1.0} | side)
    for fusion in FUSIONS:
        table.add(f"guided and likelihood, fused by {fusion}", pointing, fusion=fusion)
    for finish in FINISHES:
        if finish != "best":
            table.add(f"best, {finish}", OURS, finish=finish)
    for finish in ("finish of guided", "finish of paper"):
        table.add(f"words 0..3, {finish}", {"words 0..3": 1.0}, finish=finish)
        table.add(f"guided 0..3, {finish}", {"guided 0..3": 1.0}, finish=finish)
    result = {
        "model": bench.model.spec.name, "weights": bench.model.spec.weights_sha256, "shifted": asked.shifted,
        "seeds": [asked.first_seed, last - 1], "phrases": sum(len(image.cases) for image in bench.images),
        "evaluated": len(table.rows), "selected": chosen, "seconds": round(time.perf_counter() - started),
        "rows": table.rows, "best_minus": table.differences("best"),
    }  # fmt: skip
    asked.output.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    draw(table.rows, asked.output.with_suffix(".png"))
    print(json.dumps({"selected": chosen, "evaluated": len(table.rows)}))


if __name__ == "__main__":
    main()
