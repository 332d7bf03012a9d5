"""The bundled model on phantoms it has never seen, beside every control.

    python benchmarks/phantom_table.py -o benchmarks/results/phantom_table.json

    python benchmarks/phantom_table.py --model FOLDER/model --images 100 -o second.json  # see second_model.py
    python benchmarks/phantom_table.py --shifted --images 100 -o shifted.json

Two processes go through the images. Choices are made with --first-seed 900000; the table is run once on test seeds.
Rows are kept after every method; called again with the same output, it goes on with the methods that are missing.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch

import deixis
from deixis.controls import (
    EMPTY,
    Prior,
    centre_gaussian,
    class_keys,
    other_image,
    reading,
    text_keys,
    uniform,
)  # fmt: skip
from deixis.datasets.phantom import TEST_SEED, Style, cases, scene
from deixis.evaluate import Find, Interval, Report, Row, evaluate, paired_difference
from deixis.laterality import swapped_side
from deixis.recipes import FAST, Recipe, Source, recipe
from deixis.types import Case

SHOWN = ("auroc", "auroc_smoothed", "pointing", "miou", "cnr", "cnr_smoothed")
KINDS = ("words", "punctuation", "end", "begin", "padding")
ONE_PLACE = ("Cardiomegaly", "Edema")
FINDINGS = (1, 3)
# The recipe whose answers the controls are.
JUDGED = "best"
# Phantoms that no model has learnt from: another exposure, habitus and noise, findings of other sizes, 1.5 times the
# pixels.
SHIFTED, SHIFTED_SIZE = Style(exposure=0.06, contrast=0.85, noise=1.6, width=1.08, finding=1.3), 384


@dataclass(frozen=True)
class Drawn:
    """Which phantoms are asked about."""

    shifted: bool = False

    def cases(self, seeds: Iterable[int]) -> list[Case]:
        """One case per finding."""
        if self.shifted:
            return list(cases(seeds, SHIFTED_SIZE, findings=FINDINGS, style=SHIFTED))
        return list(cases(seeds, findings=FINDINGS))

    def one_sided(self, case: Case) -> bool:
        """Whether the phrase names one side, and the image shows its class on that side only."""
        if swapped_side(case.phrase.text) == case.phrase.text:
            return False
        size, style = (SHIFTED_SIZE, SHIFTED) if self.shifted else (256, None)
        drawn = scene(int(str(case.patient)), size, findings=FINDINGS, style=style)
        sides = {finding.side for finding in drawn.findings if finding.category == case.category}
        return len(sides) == 1 and sides <= {"left", "right"}


def recipe_for(model: Any, name: str) -> Recipe:
    """A recipe as the bundled model reads it, for a model of the same layout under another name."""
    chosen, own = recipe(name), model.spec.name

    def renamed(readings: Any) -> Any:
        return {own: readings["phantom"]} if "phantom" in readings else readings

    sources = tuple(replace(source, readings=renamed(source.readings)) for source in chosen.sources)
    return replace(chosen, readings=renamed(chosen.readings), sources=sources)


def finder(name: str, model: Any, every: Sequence[Case]) -> Find:
    """The method of a name: a recipe, "kind:…" of token, or a control read under the judged recipe."""
    judged = recipe_for(model, JUDGED)
    if name.startswith("kind:"):
        return reading(model, replace(recipe_for(model, FAST.name), sources=(Source(name.removeprefix("kind:")),)))
    if name == "other_image":
        return other_image(model, judged, _partners(every))
    if name == "random_phrase":
        return reading(model, judged, ask=_other_phrases(every).__getitem__)
    if name == "empty_phrase":
        return reading(model, judged, ask=lambda _: EMPTY)
    if name == "swapped_side":
        return reading(model, judged, ask=lambda case: swapped_side(case.phrase.text))
    return reading(model, recipe_for(model, name))


def _partners(every: Sequence[Case]) -> dict[str, Case]:
    """For each patient a case of the next one."""
    firsts = list({case.patient: case for case in every}.values())
    return {str(case.patient): firsts[(i + 1) % len(firsts)] for i, case in enumerate(firsts)}


class _Texts(dict[str, str]):
    def __getitem__(self, case: Any) -> str:
        return super().__getitem__(case.id)


def _other_phrases(every: Sequence[Case]) -> _Texts:
    """For each case the phrase of the next case of another class and image."""
    texts = _Texts()
    for i, case in enumerate(every):
        following = (*every[i + 1 :], *every[:i])
        other = (c for c in following if c.category != case.category and c.patient != case.patient)
        texts[case.id] = next(other).phrase.text
    return texts


def share(name: str, seeds: Sequence[int], model: str, threads: int, drawn: Drawn) -> list[Row]:
    """Rows of one method on some of the images; runs in a process of its own."""
    torch.set_num_threads(threads)
    every = drawn.cases(seeds)
    if name == "swapped_side":
        every = [case for case in every if drawn.one_sided(case)]
    return list(evaluate(every, finder(name, deixis.load(model, device="cpu"), every)).rows)


def measure(name: str, seeds: range, model: str, workers: int, drawn: Drawn) -> tuple[Report, float]:
    """A method on all images, split among processes, and the wall time."""
    started = time.perf_counter()
    parts = [seeds[i::workers] for i in range(workers)]
    threads = max(1, (os.cpu_count() or 1) // workers)
    with ProcessPoolExecutor(workers) as pool:
        rows = [
            row
            for part in pool.map(partial(share, name, model=model, threads=threads, drawn=drawn), parts)
            for row in part
        ]
    failures = {row.failure for row in rows if row.failure}
    if failures:
        raise SystemExit(f"{name}: {failures}")
    return Report(tuple(sorted(rows, key=lambda row: row.case))), time.perf_counter() - started


def line(name: str, report: Report) -> str:
    """A row of the markdown table: macro means with their intervals."""
    cells = (f"{one.value:.3f} [{one.low:.3f}, {one.high:.3f}]" for one in map(report.macro, SHOWN))
    return f"| {name} | {len(report.rows)} | {' | '.join(cells)} |"


def without_place(report: Report) -> Report:
    """Phrases that name no place, of the classes that occur in more than one."""
    return report.where(lambda row: row.names_place is False and row.category not in ONE_PLACE)


def main() -> None:
    """Run, print the tables, keep the rows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=200)
    parser.add_argument("--first-seed", type=int, default=TEST_SEED)
    parser.add_argument("--model", default="phantom")
    parser.add_argument(
        "--methods",
        default="best,guided,best-instant,instant,best-prior,fast,swapped_side,other_image,random_phrase,paper",
    )
    parser.add_argument("--shifted", action="store_true", help="phantoms away from the training distribution")
    parser.add_argument("--kinds", action="store_true", help="also every kind of token")
    parser.add_argument("--untrained", help="folder of the same model with an untrained denoiser")
    parser.add_argument("--train-images", type=int, default=3000, help="for the priors")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("-o", "--output", type=Path, required=True)
    wanted = parser.parse_args()
    seeds = range(wanted.first_seed, wanted.first_seed + wanted.images)
    reports = _run_all(wanted, seeds)
    summary = tables(reports)
    print(summary)
    wanted.output.with_suffix(".md").write_text(summary + "\n", encoding="utf-8")


@dataclass
class Kept:
    """What was measured so far, in a file that is written anew after every method."""

    file: Path
    about: dict[str, Any]
    reports: dict[str, Report] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)

    @classmethod
    def opened(cls, file: Path, about: dict[str, Any]) -> Kept:
        """The file's content, if it is about the same seeds and weights."""
        kept = cls(file, about)
        if file.exists():
            content = json.loads(file.read_text(encoding="utf-8"))
            if content["about"] != about:
                raise SystemExit(f"{file} is about {content['about']}, not {about}. Choose another output.")
            kept.seconds = content["seconds"]
            kept.reports = {name: Report(tuple(Row(**row) for row in rows)) for name, rows in content["rows"].items()}
        return kept

    def add(self, name: str, report: Report, seconds: float) -> None:
        """Keep a method's rows."""
        self.reports[name], self.seconds[name] = report, seconds
        print(line(name, report), f"{seconds:.0f} s", flush=True)
        content = {
            "about": self.about, "seconds": self.seconds,
            "machine": {"cores": os.cpu_count(), "torch": torch.__version__},
            "rows": {name: [asdict(row) for row in report.rows] for name, report in self.reports.items()},
        }  # fmt: skip
        aside = self.file.with_suffix(".part")
        aside.write_text(json.dumps(content) + "\n", encoding="utf-8")
        aside.replace(self.file)


def _run_all(wanted: argparse.Namespace, seeds: range) -> dict[str, Report]:
    weights = deixis.load(wanted.model, device="cpu").spec.weights_sha256
    about = {"seeds": [seeds[0], seeds[-1]], "weights": weights, "shifted": wanted.shifted}
    kept, drawn = Kept.opened(wanted.output, about), Drawn(wanted.shifted)
    every = drawn.cases(seeds)
    missing = {"text_prior", "class_prior", "center_gaussian", "uniform"} - set(kept.reports)
    for label, find in priors(wanted.train_images).items() if missing else ():
        kept.add(label, evaluate(every, find), 0.0)
    methods = [f"kind:{kind}" for kind in KINDS if wanted.kinds] + wanted.methods.split(",")
    jobs = [(name, name, wanted.model) for name in methods]
    if wanted.untrained:
        jobs.insert(0, ("untrained", JUDGED, wanted.untrained))
    for label, name, model in jobs:
        if label not in kept.reports:
            kept.add(label, *measure(name, seeds, model, wanted.workers, drawn))
    return kept.reports


def priors(images: int) -> dict[str, Find]:
    """The methods that never look at the image; the fitted ones on training phantoms."""
    training = list(cases(range(images), findings=FINDINGS))
    return {
        "text_prior": Prior.fitted(training, text_keys, least=5),
        "class_prior": Prior.fitted(training, class_keys),
        "center_gaussian": centre_gaussian,
        "uniform": uniform,
    }


def tables(reports: dict[str, Report]) -> str:
    """Every table of the results page, in markdown."""
    head = f"| method | phrases | {' | '.join(SHOWN)} |\n|{'---|' * (len(SHOWN) + 2)}"
    parts = ["### All phrases\n", head, *(line(name, report) for name, report in reports.items())]
    parts += ["\n### Phrases that name no place, classes with more than one place\n", head]
    parts += [line(name, without_place(report)) for name, report in reports.items() if name != "swapped_side"]
    parts += ["\n### By class\n", *_by_class(reports, (JUDGED, "guided", "paper"))]
    parts += ["\n### Paired differences\n", *_differences(reports)]
    return "\n".join(parts)


def _by_class(reports: dict[str, Report], names: Iterable[str]) -> list[str]:
    rows = [f"| class | method | phrases | {' | '.join(SHOWN)} |\n|{'---|' * (len(SHOWN) + 3)}"]
    for name in (name for name in names if name in reports):
        for category in sorted({row.category for row in reports[name].rows}):
            own = reports[name].where(lambda row, wanted=category: row.category == wanted)
            cells = " | ".join(f"{own.micro(metric).value:.3f}" for metric in SHOWN)
            rows.append(f"| {category} | {name} | {len(own.rows)} | {cells} |")
    return rows


def _differences(reports: dict[str, Report]) -> list[str]:
    rows = []
    for rival in ("paper", "guided", "text_prior", "class_prior", "other_image"):
        if {rival, JUDGED} <= set(reports):
            rows += _against(rival, reports[JUDGED], reports[rival])
    for first, second in (("best-instant", "paper"), ("best-instant", "instant"), ("best-prior", "text_prior")):
        if {first, second} <= set(reports):
            rows.append(_told(f"{first} - {second}, miou", paired_difference(reports[first], reports[second], "miou")))
    if {"swapped_side", JUDGED} <= set(reports):
        rows.append(_swap(reports))
    return rows


def _against(rival: str, own: Report, other: Report) -> list[str]:
    """Differences to a rival: of all phrases, of those without a place, and in how many classes it is ahead."""
    rows = []
    for metric in SHOWN:
        rows.append(_told(f"{JUDGED} - {rival}, {metric}", paired_difference(own, other, metric)))
        gain = paired_difference(without_place(own), without_place(other), metric)
        rows.append(_told(f"{JUDGED} - {rival}, {metric}, no place named", gain))
    classes = sorted({row.category for row in own.rows})

    def of(report: Report, category: str) -> float:
        return report.where(lambda row: row.category == category).micro("miou").value

    ahead = [category for category in classes if of(own, category) > of(other, category)]
    rows.append(f"- {JUDGED} over {rival}: {own.macro('miou').value / other.macro('miou').value:.2f} times the mIoU, "
                f"ahead in {len(ahead)} of {len(classes)} classes")  # fmt: skip
    return rows


def _swap(reports: dict[str, Report]) -> str:
    """Share of one-sided findings inside whose box the heat falls when left and right are exchanged."""
    straight = {row.case: row.scores["inside"] for row in reports[JUDGED].rows}
    falls = [straight[row.case] > row.scores["inside"] for row in reports["swapped_side"].rows]
    return f"- swapped side: heat inside the box falls in {sum(falls)} of {len(falls)} ({sum(falls) / len(falls):.1%})"


def _told(what: str, gain: Interval) -> str:
    return f"- {what}: {gain.value:+.3f} [{gain.low:+.3f}, {gain.high:+.3f}]"


if __name__ == "__main__":
    main()
