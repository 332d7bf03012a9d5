"""How long a phrase takes and how much memory: warm in one process, and from the start of the command line.

    python benchmarks/latency.py -o benchmarks/results/latency.json

Medians of several runs on the example image; the machine is described beside them. Run it on an idle machine.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

import deixis
from deixis.datasets.phantom import scene

RUNS = 5
# Recipes of few evaluations; those that invert take seconds and are run once.
OFTEN = ("best", "guided", "fast", "instant", "best-instant")
PHRASES = ("right pleural effusion", "enlarged cardiac silhouette")


def median_seconds(run: Callable[[], Any], runs: int = RUNS) -> float:
    """Median wall time of `run` after one call that warms up."""
    run()
    return statistics.median(_seconds(run) for _ in range(runs))


def _seconds(run: Callable[[], Any]) -> float:
    started = time.perf_counter()
    run()
    return time.perf_counter() - started


def further_phrase(image: Any, model: Any, recipe: str) -> float:
    """Median time of a second phrase on an image that is open and has answered one."""
    times = []
    for _ in range(RUNS):
        view = deixis.open_image(image, model, recipe)
        view.find(PHRASES[0])
        times.append(_seconds(lambda opened=view: opened.find(PHRASES[1])))
    return statistics.median(times)


def command_line(folder: Path, image: Path) -> float:
    """Median time of the whole command, process start included."""
    command = [sys.executable, "-m", "deixis", "ground", str(image), "-p", PHRASES[0], "-o", str(folder / "out")]
    return median_seconds(lambda: subprocess.run(command, check=True, capture_output=True), 3)


def measure() -> dict[str, Any]:
    """Seconds per recipe, the command line's, and the peak of memory of this process."""
    drawn = scene(900_001, findings=(1, 3))
    image = deixis.Image(drawn.pixels)
    model = deixis.load("phantom", device="cpu")
    recipes: dict[str, Any] = {}
    for recipe, runs in (*((name, RUNS) for name in OFTEN), ("paper", 1), ("paper-intended", 1)):
        first = median_seconds(lambda name=recipe: deixis.ground(image, PHRASES[0], model, name), runs)
        spent = deixis.ground(image, PHRASES, model, recipe)
        recipes[recipe] = {
            "seconds_first_phrase": first,
            "seconds_further_phrase": further_phrase(image, model, recipe) if recipe in OFTEN else None,
            "unet_evaluations": [one.provenance.unet_evaluations for one in spent],
        }
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "phantom.png"
        save_picture(drawn.pixels, path)
        whole = command_line(Path(name), path)
    return {
        "machine": {"cpu": platform.processor() or platform.machine(), "cores": os.cpu_count()},
        "versions": {"python": platform.python_version(), "torch": torch.__version__},
        "size": list(drawn.pixels.shape),
        "recipes": recipes,
        "seconds_command_line": whole,
        "peak_megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def save_picture(pixels: Any, path: Path) -> None:
    """An 8-bit PNG of pixels in [0, 1]."""
    import PIL.Image

    PIL.Image.fromarray((pixels * 255).round().astype("uint8")).save(path)


def main() -> None:
    """Measure, print, and keep the numbers where asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--output", type=Path)
    arguments = parser.parse_args()
    numbers = json.dumps(measure(), indent=2)
    print(numbers)
    if arguments.output:
        arguments.output.write_text(numbers + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
