"""What share of an evaluation's wall time is not the model's: cases, metrics, controls without a model, lines, report.

    python benchmarks/evaluation_overhead.py --limit 200 --recipe guided -o RUN --json FILE

Runs `deixis evaluate phantom` in this process, with clocks around what only the model does: loading it, opening an
image and answering phrases. The rest is the machinery.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

import deixis.runs
from deixis.cli.app import main as deixis_main
from deixis.ground import View

SPENT = {"model": 0.0}


def clocked(work: Callable[..., Any]) -> Callable[..., Any]:
    """The same, its time added to the model's."""

    def timed(*given: Any, **named: Any) -> Any:
        started = time.perf_counter()
        try:
            return work(*given, **named)
        finally:
            SPENT["model"] += time.perf_counter() - started

    return timed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--limit", type=int, default=200)
    parser.add_argument("--recipe", default="guided")
    parser.add_argument("--prior-cases", type=int, default=1000)
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    View.__init__ = clocked(View.__init__)
    View.find_all = clocked(View.find_all)
    deixis.runs.load = clocked(deixis.runs.load)
    started = time.perf_counter()
    options = ["--limit", str(asked.limit), "-r", asked.recipe, "--prior-cases", str(asked.prior_cases)]
    code = deixis_main(["evaluate", "phantom", *options, "-o", str(asked.output), "--device", "cpu"])
    wall = time.perf_counter() - started
    result = {
        "recipe": asked.recipe,
        "cases": asked.limit,
        "wall_s": round(wall, 1),
        "model_s": round(SPENT["model"], 1),
        "machinery_share": round(1 - SPENT["model"] / wall, 4),
        "machine": {"cores": os.cpu_count(), "torch": torch.__version__},
    }
    print(json.dumps(result))
    if asked.json is not None:
        asked.json.write_text(json.dumps(result, indent=2) + "\n")
    raise SystemExit(code)


if __name__ == "__main__":
    main()
