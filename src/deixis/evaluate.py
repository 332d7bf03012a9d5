"""Score answers against truth: a row per case, means with intervals, and differences between two methods."""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, Float64

from deixis.laterality import side_named
from deixis.metrics import METRICS, Comparison, normalised
from deixis.metrics.boxes import filled
from deixis.metrics.curves import iou_at, roc_at
from deixis.types import Box, Case, Grounding, HeatMap

SCHEMA = "deixis.report/1"
MEASURED = ("auroc", "pointing", "miou", "cnr", "auroc_smoothed", "cnr_smoothed", "inside")
# Resamplings of patients behind an interval, and the seed that makes it the same every time.
RESAMPLINGS, SEED = 1000, 0
LEVEL = (2.5, 97.5)


@dataclass(frozen=True)
class Answer:
    """What a method says of one case.

    Args:
        heat: the final heat, after the method's threshold where it has one.
        smoothed: the heat before that threshold; None where nothing is cut, so that the heat itself is it.
        mask: the method's own mask, or None.
        boxes: the method's own boxes with scores, or None.
        evaluations: evaluations of the denoiser spent on it.
        seconds: time spent on it.
    """

    heat: HeatMap
    smoothed: HeatMap | None = None
    mask: Bool[np.ndarray, "y x"] | None = None
    boxes: tuple[Box, ...] | None = None
    evaluations: int = 0
    seconds: float = 0.0

    @classmethod
    def of(cls, found: Grounding) -> Answer:
        """A grounding as an answer: the thresholded heat is scored, as the paper does."""
        made = found.provenance
        return cls(found.thresholded, found.heat, found.mask, found.boxes, made.unet_evaluations, made.seconds)


# A method: the cases of one image in, one answer each out. It is called once per image.
Find = Callable[[Sequence[Case]], Sequence[Answer]]
Map = Callable[[Callable[[Any], Any], Iterable[Any]], Iterable[Any]]


@dataclass(frozen=True)
class Row:
    """The scores of one case; `failure` says why there are none."""

    case: str
    patient: str
    category: str
    phrase: str
    names_place: bool | None
    scores: Mapping[str, float]
    evaluations: int = 0
    seconds: float = 0.0
    failure: str | None = None
    curves: Mapping[str, Sequence[float]] = field(default_factory=dict)
    found: tuple[Box, ...] = ()


@dataclass(frozen=True)
class Interval:
    """A mean with its 95 % bootstrap interval over patients."""

    value: float
    low: float
    high: float

    @property
    def excludes_zero(self) -> bool:
        """Whether the whole interval lies on one side of 0."""
        return self.low > 0 or self.high < 0


@dataclass(frozen=True)
class Report:
    """All rows of one method, and what was left out, with reasons."""

    rows: tuple[Row, ...]
    config: Mapping[str, Any] = field(default_factory=dict)

    @property
    def scored(self) -> tuple[Row, ...]:
        """The rows that have scores."""
        return tuple(row for row in self.rows if row.failure is None)

    def where(self, keep: Callable[[Row], bool]) -> Report:
        """The rows for which `keep` holds."""
        return Report(tuple(row for row in self.rows if keep(row)), self.config)

    def macro(self, metric: str) -> Interval:
        """Mean over cases per class, then over classes."""
        return _interval(self.scored, _values(self.scored, metric), by_class=True)

    def micro(self, metric: str) -> Interval:
        """Mean over all cases."""
        return _interval(self.scored, _values(self.scored, metric), by_class=False)

    def to_json(self, controls: Mapping[str, Report] | None = None) -> dict[str, Any]:
        """The report as a JSON object: macro, micro, classes, controls, config and what was omitted."""
        metrics = sorted(self.scored[0].scores) if self.scored else []
        categories = sorted({row.category for row in self.scored})
        return {
            "schema": SCHEMA,
            "macro": {name: vars(self.macro(name)) for name in metrics},
            "micro": {name: vars(self.micro(name)) for name in metrics},
            "classes": {
                category: {
                    "cases": len(own.rows),
                    **{name: vars(own.micro(name)) for name in metrics},
                }
                for category in categories
                for own in [self.where(lambda row, wanted=category: row.category == wanted)]  # type: ignore[misc]
            },
            "controls": {name: report.to_json()["macro"] for name, report in (controls or {}).items()},
            "config": dict(self.config),
            "omitted": {row.case: row.failure for row in self.rows if row.failure is not None},
        }


def evaluate(
    cases: Iterable[Case],
    find: Find,
    metrics: Sequence[str] = MEASURED,
    *,
    map: Map = map,  # noqa: A002 - the signature of the house: a cluster's map takes its place
    config: Mapping[str, Any] | None = None,
) -> Report:
    """Ask a method for every case and score its answers.

    Args:
        cases: the cases of one image must follow each other; each image is then asked for once.
        find: the method.
        metrics: rows of the metrics table. Those that an answer lacks something for are left out of its row.
        map: how images are gone through, with the signature of the built-in.
        config: kept with the report.

    A case whose image fails is kept as a row with the reason; the others go on.
    """
    groups = [list(group) for _, group in itertools.groupby(cases, key=image_of)]
    rows = map(lambda group: score(group, find, metrics), groups)
    return Report(tuple(itertools.chain.from_iterable(rows)), dict(config or {}))


def paired_difference(first: Report, second: Report, metric: str) -> Interval:
    """Mean difference first - second over the cases both scored, over classes, with its interval over patients."""
    theirs = {row.case: row for row in second.scored}
    rows = [row for row in first.scored if row.case in theirs]
    values = np.array([row.scores[metric] - theirs[row.case].scores[metric] for row in rows])
    return _interval(rows, values, by_class=True)


def truth_of(case: Case) -> Bool[np.ndarray, "y x"]:
    """The union of the case's boxes, against which the field scores also where masks exist; else its mask."""
    if not case.boxes and case.mask is not None:
        return case.mask
    return filled(case.boxes, case.shape)


def patient_of(case: Case) -> str:
    """Who is drawn together in the bootstrap; an image without a patient is one of its own."""
    return case.patient or (str(case.image) if isinstance(case.image, Path) else case.id)


def image_of(case: Case) -> str:
    """What tells images apart: the path, or the patient for images in memory."""
    return str(case.image) if isinstance(case.image, Path) else case.patient or case.id


def score(cases: Sequence[Case], find: Find, metrics: Sequence[str], *, curves: bool = False) -> list[Row]:
    """A row per case of one image; a failure of the image, whatever it is, is kept as the reason in each.

    With `curves` the rows also hold the ROC and the IoU over thresholds, on the grids of `deixis.metrics.curves`.
    """
    started = time.perf_counter()
    try:
        answers = find(cases)
        compared = [_compared(case, answer) for case, answer in zip(cases, answers, strict=True)]
        scores = [_scores(one, metrics) for one in compared]
        drawn = [_curves(one) if curves else {} for one in compared]
    except Exception as error:  # noqa: BLE001 - one image's failure must not end a run of thousands; the row keeps it
        reason = f"{type(error).__name__}: {error}"
        return [_row(case, {}, Answer(_nothing(case)), reason) for case in cases]
    spent = (time.perf_counter() - started) / len(cases)
    return [
        _row(case, given, answer, None, seconds=spent, curves=lines)
        for case, given, answer, lines in zip(cases, scores, answers, drawn, strict=True)
    ]


def _compared(case: Case, answer: Answer) -> Comparison:
    heat = normalised(answer.heat)
    return Comparison(
        heat=heat,
        seen=answer.heat.seen,
        truth=truth_of(case),
        boxes=case.boxes,
        mask=answer.mask,
        found=answer.boxes,
        smoothed=heat if answer.smoothed is None else normalised(answer.smoothed),
        side=side_named(case.phrase.text),
    )


def _scores(compared: Comparison, metrics: Sequence[str]) -> dict[str, float]:
    wanted = [METRICS[name] for name in metrics]
    return {metric.name: metric.score(compared) for metric in wanted if metric.applies(compared)}


def _curves(compared: Comparison) -> dict[str, list[float]]:
    return {"roc": roc_at(compared).tolist(), "iou": iou_at(compared).tolist()}


def _row(
    case: Case,
    scores: Mapping[str, float],
    answer: Answer,
    failure: str | None,
    *,
    seconds: float = 0.0,
    curves: Mapping[str, Sequence[float]] | None = None,
) -> Row:
    return Row(
        case=case.id,
        patient=patient_of(case),
        category=case.category,
        phrase=case.phrase.text,
        names_place=case.names_place,
        scores=scores,
        evaluations=answer.evaluations,
        seconds=answer.seconds or seconds,
        failure=failure,
        curves=curves or {},
        found=answer.boxes or (),
    )


def _nothing(case: Case) -> HeatMap:
    return HeatMap(np.zeros(case.shape, np.float32), np.ones(case.shape, np.bool_))


def _values(rows: Sequence[Row], metric: str) -> Float64[np.ndarray, " row"]:
    return np.array([row.scores.get(metric, math.nan) for row in rows], dtype=np.float64)


def _interval(rows: Sequence[Row], values: Float64[np.ndarray, " row"], *, by_class: bool) -> Interval:
    """Percentile bootstrap: patients are drawn with replacement, all their rows with them."""
    known = np.isfinite(values)
    if not known.any():
        return Interval(math.nan, math.nan, math.nan)
    patients = np.unique([row.patient for row in rows], return_inverse=True)[1][known]
    labels = [row.category if by_class else "" for row in rows]
    classes = np.unique(labels, return_inverse=True)[1][known]
    weights = _resampled(int(patients.max()) + 1)[:, patients]
    member = (classes[:, None] == np.unique(classes)[None, :]).astype(np.float64)
    known_values = values[known][:, None]
    (mean,) = _class_means(member.sum(axis=0)[None], (known_values * member).sum(axis=0)[None])
    means = _class_means(weights @ member, weights @ (_on_integers(known_values) * member))
    low, high = np.nanpercentile(means, LEVEL)
    return Interval(float(mean), float(low), float(high))


@lru_cache(maxsize=8)
def _resampled(patients: int) -> Float64[np.ndarray, "draw patient"]:
    """How often each patient is drawn in each resampling; the same for all metrics of the same patients."""
    rng = np.random.default_rng(SEED)
    return rng.multinomial(patients, np.full(patients, 1 / patients), RESAMPLINGS).astype(np.float64)


def _on_integers(values: Float64[np.ndarray, "row 1"]) -> Float64[np.ndarray, "row 1"]:
    """The values as multiples of one power of two, a billionth of the largest.

    Sums of such numbers are exact in any order. So products of matrices, whose order depends on threads and memory,
    give the same interval for the same rows to the last bit.
    """
    grain = 2.0 ** (np.frexp(np.abs(values).max())[1] - 30)
    return np.round(values / grain) * grain


def _class_means(
    mass: Float64[np.ndarray, "draw class"], total: Float64[np.ndarray, "draw class"]
) -> Float64[np.ndarray, " draw"]:
    """Mean per class, then the mean over the classes that a draw holds."""
    per_class = np.divide(total, mass, out=np.full_like(total, np.nan), where=mass > 0)
    # A draw of patients may hold no case at all of those that have a value: it has no mean, and says nothing.
    held = np.isfinite(per_class)
    count = held.sum(axis=1)
    sums = np.where(held, per_class, 0.0).sum(axis=1)
    return np.divide(sums, count, out=np.full(len(sums), np.nan), where=count > 0)
