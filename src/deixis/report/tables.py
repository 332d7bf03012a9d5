"""A run's tables: `cases.csv`, `table.md`, `table.tex`."""

from __future__ import annotations

import csv
import io

from deixis.evaluate import Interval, Report
from deixis.report.summary import JUDGED, SHOWN, Summary

NAMES = {
    "auroc": "AUROC",
    "auroc_smoothed": "AUROC before threshold",
    "auprc": "AUPRC",
    "pointing": "pointing",
    "miou": "mIoU",
    "iou": "IoU",
    "dice": "Dice",
    "cnr": "CNR",
    "cnr_smoothed": "CNR before threshold",
    "laterality": "side",
}
NOT_BEATEN = "not beaten"


def cases_csv(summary: Summary) -> str:
    """A row per case and method, every metric in a column."""
    reports = {"own": summary.own, **summary.controls}
    metrics = sorted({name for report in reports.values() for row in report.scored for name in row.scores})
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\n")
    writer.writerow(["method", "case", "patient", "category", "phrase", "names_place", "failure", *metrics])
    for method, report in reports.items():
        for row in report.rows:
            scores = [row.scores.get(name, "") for name in metrics]
            writer.writerow(
                [method, row.case, row.patient, row.category, row.phrase, row.names_place, row.failure or "", *scores]
            )
    return written.getvalue()


def markdown(summary: Summary) -> str:
    """The method and every control, then the classes, then the subsets; means over classes with 95 % intervals."""
    head = ["method", "cases", *(NAMES[name] for name in SHOWN)]
    lines = [_row(head), _row(["---"] * len(head)), _row(["**" + method_name(summary) + "**", *cells(summary.own)])]
    lines += [_row([_marked(summary, name), *cells(report)]) for name, report in summary.controls.items()]
    lines += ["", _row(["class", *head[1:]]), _row(["---"] * len(head))]
    for category in sorted({row.category for row in summary.own.rows}):
        lines.append(_row([category, *cells(_of_class(summary.own, category))]))
    lines += ["", _row(["subset", *head[1:]]), _row(["---"] * len(head))]
    lines += [_row([told, *cells(report)]) for told, report in summary.subsets().items()]
    return "\n".join(lines) + "\n"


def latex(summary: Summary) -> str:
    """The first of these tables for a paper: booktabs, values with intervals below."""
    columns = ("auroc", "pointing", "miou", "cnr")
    lines = [
        r"\begin{tabular}{l" + "r" * (len(columns) + 1) + "}",
        r"\toprule",
        " & ".join(["method", "cases", *(NAMES[name] for name in columns)]) + r" \\",
        r"\midrule",
    ]
    for name, report in {method_name(summary): summary.own, **summary.controls}.items():
        values = [_tex(report.macro(metric)) for metric in columns]
        lines.append(" & ".join([name.replace("_", r"\_"), str(len(report.scored)), *values]) + r" \\")
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}"]) + "\n"


def method_name(summary: Summary) -> str:
    """Recipe and model."""
    config = summary.config
    return f"{config['recipe']['name']} on {config['model']}"


def cells(report: Report) -> list[str]:
    """Number of cases and one cell per shown metric."""
    return [str(len(report.scored)), *(interval(report.macro(name)) for name in SHOWN)]


def interval(one: Interval) -> str:
    """Value with its bounds; a dash where there is none."""
    return "–" if one.value != one.value else f"{one.value:.3f} [{one.low:.3f}, {one.high:.3f}]"


def _marked(summary: Summary, control: str) -> str:
    """A control's name, and in which metrics the method does not beat it."""
    unbeaten = [NAMES[metric] for metric in JUDGED if control in summary.unbeaten(metric)]
    return f"{control} ({NOT_BEATEN}: {', '.join(unbeaten)})" if unbeaten else control


def _of_class(report: Report, category: str) -> Report:
    return report.where(lambda row: row.category == category)


def _tex(one: Interval) -> str:
    return "--" if one.value != one.value else f"{one.value:.3f} {{\\scriptsize [{one.low:.3f}, {one.high:.3f}]}}"


def _row(values: list[str]) -> str:
    return "| " + " | ".join(values) + " |"
