"""Plots of a report by matplotlib (extra `eval`), as PNG in base64, so that a page needs no other file."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float64

from deixis.metrics.curves import FALSE_RATES, LEVELS
from deixis.report.summary import Summary

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from deixis.evaluate import Answer, Report
    from deixis.types import Case

# Colours that stay apart for colour-blind eyes (Okabe & Ito).
OWN, OTHER, TRUTH = "#0072B2", "#999999", "#D55E00"
DPI = 110
# Controls whose cases are drawn beside the method's.
BESIDE = ("other_image", "text_prior")


def bars(summary: Summary, metric: str, title: str) -> str:
    """A bar per class with its interval; the strongest control as a line."""
    figure, axes = _figure(4.6, 3.4)
    categories = sorted({row.category for row in summary.own.scored})
    means = [summary.own.where(lambda row, c=c: row.category == c).micro(metric) for c in categories]  # type: ignore[misc]
    spread = np.array([[one.value - one.low, one.high - one.value] for one in means]).T
    axes.barh(categories, [one.value for one in means], xerr=np.maximum(spread, 0), color=OWN, error_kw={"lw": 1})
    controls = {name: report.macro(metric).value for name, report in summary.controls.items()}
    if controls:
        best = max(controls, key=lambda name: controls[name])
        axes.axvline(controls[best], color=TRUTH, lw=1, ls="--", label=f"strongest control: {best}")
        axes.legend(fontsize=7, frameon=False, loc="lower right", bbox_to_anchor=(1, 1), borderaxespad=0)
    axes.invert_yaxis()
    axes.set_xlabel(title)
    return _encoded(figure)


def roc(summary: Summary) -> str:
    """Mean ROC over classes' means, one thin line per class."""
    return _curves(summary, "roc", FALSE_RATES, ("share of the background", "share of the truth"), diagonal=True)


def iou(summary: Summary) -> str:
    """Mean IoU of the heat above each threshold."""
    return _curves(summary, "iou", LEVELS, ("threshold of the heat", "IoU with the truth"))


def spread(summary: Summary, metric: str, title: str) -> str:
    """How the cases' values are distributed, the method over its controls."""
    figure, axes = _figure(4.6, 2.8)
    own = _values(summary.own, metric)
    others = {name: _values(summary.controls[name], metric) for name in BESIDE if name in summary.controls}
    known = np.concatenate([own, *others.values()])
    low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 1.0)
    bins = np.linspace(low, high if high > low else low + 1, 25)
    for (name, values), colour in zip(others.items(), (TRUTH, OTHER), strict=False):
        axes.hist(values, bins, histtype="step", lw=1, label=name, color=colour)
    axes.hist(own, bins, color=OWN, alpha=0.6, label="method")
    axes.set_xlabel(title)
    axes.set_ylabel("cases")
    axes.legend(fontsize=7, frameon=False)
    return _encoded(figure)


def shown(case: Case, answer: Answer, pixels: Any) -> str:
    """Image, image with the boxes of the truth, and image with the heat."""
    figure, panels = _figure(6.0, 2.1, 3)
    for axes in panels:
        axes.imshow(pixels, cmap="gray", vmin=0, vmax=1)
        axes.set_axis_off()
    if case.mask is not None and not case.boxes:
        panels[1].contour(case.mask, levels=[0.5], colors=TRUTH, linewidths=1)
    from matplotlib.patches import Rectangle

    for box in case.boxes:
        corner = (box.x0 - 0.5, box.y0 - 0.5)
        panels[1].add_patch(Rectangle(corner, box.x1 - box.x0, box.y1 - box.y0, fill=False, ec=TRUTH, lw=1.2))
    heat = np.ma.masked_where(~answer.heat.seen, answer.heat.values)
    panels[2].imshow(heat, cmap="inferno", alpha=0.5)
    figure.subplots_adjust(0, 0, 1, 1, 0.02, 0)
    return _encoded(figure)


def _values(report: Report, metric: str) -> Float64[np.ndarray, " case"]:
    """The cases' finite values."""
    values = np.array([row.scores.get(metric, np.nan) for row in report.scored], dtype=np.float64)
    return values[np.isfinite(values)]


def _curves(summary: Summary, name: str, at: Any, labels: Sequence[str], *, diagonal: bool = False) -> str:
    figure, axes = _figure(4.2, 3.4)
    means = []
    for category in sorted({row.category for row in summary.own.scored}):
        drawn = [row.curves[name] for row in summary.own.scored if row.category == category and name in row.curves]
        if drawn:
            means.append(np.mean(np.array(drawn, dtype=np.float64), axis=0))
            axes.plot(at, means[-1], color=OTHER, lw=0.7)
    if means:
        axes.plot(at, np.mean(means, axis=0), color=OWN, lw=2, label="mean of the classes")
        axes.legend(fontsize=7, frameon=False)
    if diagonal:
        axes.plot([0, 1], [0, 1], color=OTHER, lw=0.7, ls=":")
    axes.set_xlabel(labels[0])
    axes.set_ylabel(labels[1])
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)
    return _encoded(figure)


def _figure(width: float, height: float, panels: int = 1) -> tuple[Figure, Any]:
    """A figure without matplotlib's global state."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=DPI, layout="constrained" if panels == 1 else None)
    return figure, figure.subplots(1, panels)


def _encoded(figure: Figure) -> str:
    written = io.BytesIO()
    figure.savefig(written, format="png", metadata={"Software": None})
    return base64.b64encode(written.getvalue()).decode("ascii")
