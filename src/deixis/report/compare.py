"""Runs side by side: means, paired differences with intervals, and a permutation test."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from deixis.errors import CaseError
from deixis.evaluate import Interval, Report, paired_difference
from deixis.report.published import ROWS, SOURCE
from deixis.report.summary import JUDGED, Summary
from deixis.report.tables import NAMES, interval, method_name

PERMUTATIONS, SEED = 10_000, 0
COMPARED = ("auroc", "auroc_smoothed", "pointing", "miou", "cnr")


@dataclass(frozen=True)
class Difference:
    """How a run differs from the first one in a metric.

    Args:
        metric: which.
        ahead: mean difference over classes with its interval.
        p: of the permutation test, two-sided.
        cases: scored by both.
    """

    metric: str
    ahead: Interval
    p: float
    cases: int


def permutation_p(first: Report, second: Report, metric: str) -> float:
    """Two-sided p of the mean paired difference over cases, the signs of whole patients exchanged at random.

    Counts the observed arrangement itself, so it is never 0 (Phipson & Smyth, 2010).
    """
    theirs = {row.case: row.scores.get(metric, np.nan) for row in second.scored}
    pairs = [
        (row.patient, row.scores.get(metric, np.nan) - theirs[row.case]) for row in first.scored if row.case in theirs
    ]
    known = [(patient, value) for patient, value in pairs if np.isfinite(value)]
    if not known:
        return float("nan")
    patients = np.unique([patient for patient, _ in known], return_inverse=True)[1]
    sums = np.bincount(patients, weights=[value for _, value in known])
    signs = np.random.default_rng(SEED).choice([-1.0, 1.0], (PERMUTATIONS, len(sums)))
    # Rounding must not make the observed arrangement's equals smaller than itself.
    reached = np.abs(signs @ sums) >= np.abs(sums.sum()) * (1 - 1e-12)
    return float((reached.sum() + 1) / (PERMUTATIONS + 1))


def differences(base: Summary, other: Summary) -> tuple[Difference, ...]:
    """`other` minus `base`, over the cases that both scored; none in common raises `CaseError`."""
    common = {row.case for row in base.own.scored} & {row.case for row in other.own.scored}
    if not common:
        raise CaseError("The runs have no case in common, so there is nothing to compare.")
    return tuple(
        Difference(
            metric,
            paired_difference(other.own, base.own, metric),
            permutation_p(other.own, base.own, metric),
            len(common),
        )
        for metric in COMPARED
    )


def side_by_side(runs: Mapping[str, Summary]) -> str:
    """Markdown: the runs' means, differences to the first, and published rows of the same dataset."""
    names = list(runs)
    head = ["run", "cases", *(NAMES[metric] for metric in COMPARED)]
    lines = [_row(head), _row(["---"] * len(head))]
    for name, summary in runs.items():
        means = [interval(summary.own.macro(metric)) for metric in COMPARED]
        lines.append(_row([f"{name}: {method_name(summary)}", str(len(summary.own.scored)), *means]))
    lines += _published({str(summary.config["dataset"]) for summary in runs.values()})
    for name in names[1:]:
        lines += ["", f"{name} minus {names[0]}:", "", _row(["metric", "cases", "difference", "p (permutation)"])]
        lines.append(_row(["---"] * 4))
        for one in differences(runs[names[0]], runs[name]):
            lines.append(_row([NAMES[one.metric], str(one.cases), interval(one.ahead), f"{one.p:.4f}"]))
    unbeaten = {name: {m: s.unbeaten(m) for m in JUDGED if s.unbeaten(m)} for name, s in runs.items()}
    for name, metrics in unbeaten.items():
        told = "; ".join(f"{NAMES[metric]}: {', '.join(controls)}" for metric, controls in metrics.items())
        lines += ["", f"{name} does not beat: {told}." if told else f"{name} beats every control."]
    return "\n".join(lines) + "\n"


def _published(datasets: set[str]) -> list[str]:
    blank = ["–"] * (len(COMPARED) + 1)
    rows = []
    for one in ROWS:
        if one.dataset in datasets:
            values = dict(zip(COMPARED, blank[1:], strict=True)) | {"miou": f"{one.miou:.3f}", "cnr": f"{one.cnr:.2f}"}
            rows.append(_row([f"{one.method} (published, not run here: {SOURCE})", "–", *values.values()]))
    return rows


def _row(values: Sequence[str]) -> str:
    return "| " + " | ".join(values) + " |"
