"""How values show themselves in a notebook. The floor knows no writer; a table names where each picture is made."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from deixis.registry import Table

VIEWS: Table[Callable[[Any], Any]] = Table(
    kind="notebook view",
    group="deixis.views",
    builtin={
        "grounding.html": "deixis.writers.html:grounding_html",
        "grounding.png": "deixis.writers.overlay:png_of",
        "report.html": "deixis.writers.report_page:framed",
        "report.png": "deixis.writers.layers:overview_png",
    },
)
