"""The files of a report, written into the run's folder."""

from __future__ import annotations

import json
from pathlib import Path

from deixis.report.page import Show, page
from deixis.report.summary import Summary
from deixis.report.tables import cases_csv, latex, markdown
from deixis.runs import finite
from deixis.writers.aside import write_bytes


def write_report(summary: Summary, folder: Path, show: Show | None = None) -> tuple[Path, ...]:
    """report.json, cases.csv, table.md, table.tex and, where matplotlib is installed, report.html."""
    contents = {
        "report.json": json.dumps(finite(summary.to_json()), indent=1, ensure_ascii=False) + "\n",
        "cases.csv": cases_csv(summary),
        "table.md": markdown(summary),
        "table.tex": latex(summary),
    }
    written = [write_bytes(folder / name, content.encode()) for name, content in contents.items()]
    try:
        import matplotlib  # noqa: F401
    except ModuleNotFoundError:
        return tuple(written)
    return (*written, write_bytes(folder / "report.html", page(summary, show).encode()))
