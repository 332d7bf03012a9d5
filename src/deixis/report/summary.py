"""All that a report says, as plain data: from the lines of a run to `report.json`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from deixis.answering import versions
from deixis.datasets import Collection
from deixis.evaluate import Interval, Report, paired_difference
from deixis.metrics.boxes import matched_greedily
from deixis.runs import OWN, Record, report_of
from deixis.types import Box

SHOWN = ("auroc", "auroc_smoothed", "auprc", "pointing", "miou", "iou", "dice", "cnr", "cnr_smoothed", "laterality")
# A result must beat every control in these. AUROC and CNR of the heat before the method's threshold: what it cuts off
# is all equal after it, while the controls cut nothing.
JUDGED = ("auroc_smoothed", "pointing", "miou", "cnr_smoothed")
# At which overlap a box counts as found (Pascal VOC).
OVERLAP = 0.5
PLACED, UNPLACED = "phrases that name a place", "phrases that name none"


@dataclass(frozen=True)
class Summary:
    """A run, summed up.

    Args:
        own: the rows of the method.
        controls: those of every control.
        config: of the run.
        notes: counts of what the dataset left out or mended.
        phrases: how the phrases came about.
        records: the lines themselves.
    """

    own: Report
    controls: Mapping[str, Report]
    config: Mapping[str, Any]
    notes: Mapping[str, int] = field(default_factory=dict)
    phrases: str = ""
    records: Sequence[Record] = ()

    @classmethod
    def of(cls, records: Sequence[Record], config: Mapping[str, Any], collection: Collection | None = None) -> Summary:
        """The summary of a run's lines."""
        names = list(dict.fromkeys(name for record in records for name in record.scores))
        return cls(
            own=report_of(records, config),
            controls={name: report_of(records, config, name) for name in names},
            config=config,
            notes={} if collection is None else collection.counts,
            phrases="" if collection is None else collection.phrases,
            records=records,
        )

    def beats(self, control: str, metric: str) -> Interval:
        """How much the method is ahead of a control, over the cases of both; its interval over patients."""
        return paired_difference(self.own, self.controls[control], metric)

    def unbeaten(self, metric: str) -> tuple[str, ...]:
        """Controls that the method does not beat: the interval of the difference reaches 0 or below."""
        return tuple(name for name in self.controls if not self.beats(name, metric).low > 0)

    def to_json(self) -> dict[str, Any]:
        """`report.json`, see docs/evaluation.md."""
        content = self.own.to_json(self.controls)
        return {
            **content,
            "subsets": {told: _macro(part) for told, part in self.subsets().items()},
            "ahead": {name: {metric: vars(self.beats(name, metric)) for metric in JUDGED} for name in self.controls},
            "not_beaten": {metric: list(self.unbeaten(metric)) for metric in JUDGED},
            "map50": average_precision(self.records),
            "cases": {"scored": len(self.own.scored), "failed": len(self.own.rows) - len(self.own.scored)},
            "left_out": dict(self.notes),
            "phrases": self.phrases,
            "control_failures": sorted({why for record in self.records for why in record.failures.values()}),
            "versions": dict(versions()),
        }

    def subsets(self) -> dict[str, Report]:
        """Cases by whether their phrase names a place."""
        parts = {PLACED: True, UNPLACED: False}
        found = {told: self.own.where(lambda row, w=wanted: row.names_place is w) for told, wanted in parts.items()}  # type: ignore[misc]
        return {told: report for told, report in found.items() if report.rows}


def _macro(report: Report) -> dict[str, Any]:
    return {"cases": len(report.rows), **{name: vars(report.macro(name)) for name in _metrics(report)}}


def _metrics(report: Report) -> list[str]:
    return sorted({name for row in report.scored for name in row.scores})


def average_precision(records: Sequence[Record], at: float = OVERLAP) -> float | None:
    """mAP of the scored boxes at an overlap: mean over classes of the area under precision and recall, all points.

    None where no case has both boxes of truth and boxes of the method.
    """
    classes: dict[str, list[Record]] = {}
    for record in records:
        if record.row.failure is None and record.truth:
            classes.setdefault(record.row.category, []).append(record)
    found = [_class_precision(own, at) for own in classes.values()]
    return float(np.mean(found)) if found else None


def _class_precision(records: Sequence[Record], at: float) -> float:
    hits: list[tuple[float, bool]] = []
    for record in records:
        boxes: tuple[Box, ...] = record.row.found
        taken = {match.found for match in matched_greedily(boxes, record.truth, at)} if boxes else set()
        hits += [(box.score, index in taken) for index, box in enumerate(boxes)]
    wanted = sum(len(record.truth) for record in records)
    if not hits:
        return 0.0
    right = np.array([hit for _, hit in sorted(hits, key=lambda hit: -hit[0])], dtype=np.float64)
    reached = np.cumsum(right)
    precision, recall = reached / np.arange(1, len(right) + 1), reached / wanted
    # The best precision at this recall or beyond, as in Pascal VOC since 2010.
    best = np.maximum.accumulate(precision[::-1])[::-1]
    return float(np.sum(np.diff(np.concatenate([[0.0], recall])) * best))


__all__ = ["JUDGED", "OWN", "SHOWN", "Summary", "average_precision"]
