"""How cost grows: with image size, phrases, noisings, batch and threads; slopes fitted, and a plot.

    python benchmarks/scaling.py -o benchmarks/results/scaling.json

Each point is the median of several runs on the bundled model. It also measures what a further phrase of `instant`
costs and where its time goes, and the throughput of many images against one at a time.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

import deixis
from deixis.datasets.phantom import VALIDATION_SEED, scene
from deixis.geometry import resized
from deixis.many import ground_many
from deixis.maps.boxes import boxes_of
from deixis.maps.masks import cut
from deixis.maps.refine import refined
from deixis.recipes import FAST, INSTANT, NoisedWalk

PHRASES = [f"{side} {finding}" for finding in ("pleural effusion", "pneumothorax", "lung opacity", "consolidation")
           for side in ("right", "left", "small right", "small left")]  # fmt: skip


def drawn(number: int = 1, size: int = 256) -> deixis.Image:
    """A validation phantom."""
    return deixis.Image(scene(VALIDATION_SEED + number, size, findings=(1, 3)).pixels)


def median(run: Callable[[], Any], runs: int = 5) -> float:
    """Median wall time after one call that warms up."""
    run()
    times = []
    for _ in range(runs):
        started = time.perf_counter()
        run()
        times.append(time.perf_counter() - started)
    return statistics.median(times)


def line(xs: Sequence[float], seconds: Sequence[float]) -> dict[str, Any]:
    """Points, and the slope and intercept of the line through them."""
    slope, start = np.polyfit(xs, seconds, 1)
    return {"x": list(xs), "seconds": list(seconds), "slope": float(slope), "intercept": float(start)}


def curves(model: Any) -> dict[str, Any]:
    """One line per thing that can grow."""
    image = drawn()
    sizes, counts, draws, batches = (
        (256, 512, 1024, 2048),
        (1, 2, 4, 8, 16),
        (1, 2, 5, 10, 20, 40),
        (1, 2, 4, 8, 16, 32),
    )

    def fast(phrases: int = 1, *, size: int = 256, draws: int = 10, batch: int = 16) -> float:
        one, recipe = (image if size == 256 else drawn(size=size)), replace(FAST, walk=NoisedWalk(draws))
        return median(lambda: deixis.ground(one, PHRASES[:phrases], model, recipe, batch=batch), 3)

    found = {
        "side of the image": line(sizes, [fast(size=size) for size in sizes]),
        "phrases": line(counts, [fast(count) for count in counts]),
        "noisings": line(draws, [fast(draws=draw) for draw in draws]),
        "batch": line(batches, [fast(4, batch=batch) for batch in batches]),
    }
    cores, times = os.cpu_count() or 1, []
    for threads in range(1, cores + 1):
        torch.set_num_threads(threads)
        times.append(fast(2))
    return found | {"threads": {"x": list(range(1, cores + 1)), "seconds": times}}


def further_phrase(model: Any, size: int, runs: int = 40) -> dict[str, Any]:
    """Milliseconds of a further phrase of `instant`, and of its finish by parts, on an image of this size."""
    view = deixis.open_image(drawn(size=size), model, "instant")
    view.find(PHRASES[0])
    times = []
    for number in range(runs):
        started = time.perf_counter()
        # A new text each time: text states are kept by phrase.
        view.find(f"{PHRASES[number % len(PHRASES)]} number {number}")
        times.append(1e3 * (time.perf_counter() - started))
    evidence, placement = np.random.default_rng(0).random((16, 16), dtype=np.float32), view.placement
    heat = refined(resized(evidence, placement.model), INSTANT.smoothing, INSTANT.gamma)
    mask = cut(heat, "otsu")
    native, wide = placement.to_native(heat, order="linear"), placement.mask_to_native(mask)
    parts = {
        "smoothing": lambda: refined(resized(evidence, placement.model), INSTANT.smoothing, INSTANT.gamma),
        "otsu": lambda: cut(heat, "otsu"),
        "resizing": lambda: (placement.to_native(heat, order="linear"), placement.mask_to_native(mask)),
        "labelling": lambda: boxes_of(wide, native.values, minimum_area=1.0),
    }
    finish = {name: 1e3 * median(part, 15) for name, part in parts.items()}
    return {
        "size": size,
        "median_ms": statistics.median(times),
        "p95_ms": float(np.quantile(times, 0.95)),
        "finish_ms": finish,
    }


def throughput(model: Any, recipe: str, images: int) -> dict[str, Any]:
    """Seconds of many images × 2 phrases, one at a time and together, taking turns."""
    asked = [(drawn(number), PHRASES[:2]) for number in range(images)]
    alone, together = [], []
    for _ in range(3):
        started = time.perf_counter()
        for image, phrases in asked:
            deixis.ground(image, phrases, model, recipe)
        middle = time.perf_counter()
        for _ in ground_many(asked, model, recipe):
            pass
        alone.append(middle - started)
        together.append(time.perf_counter() - middle)
    one, many = statistics.median(alone), statistics.median(together)
    return {"recipe": recipe, "images": images, "loop_s": one, "together_s": many, "times_faster": one / many,
            "images_per_second": images / many}  # fmt: skip


def draw(found: dict[str, Any], file: Path) -> None:
    """One panel per curve."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, panels = plt.subplots(1, len(found), figsize=(3.2 * len(found), 3), layout="constrained")
    for panel, (name, curve) in zip(panels, found.items(), strict=True):
        panel.plot(curve["x"], curve["seconds"], "o-", color="#0b6e99")
        if "slope" in curve:
            panel.set_title(f"{curve['slope'] * 1e3:.2g} ms per unit", fontsize=9)
        panel.set(xlabel=name, ylim=(0, None))
    panels[0].set_ylabel("seconds, recipe fast")
    figure.savefig(file, dpi=110)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=64, help="for throughput")
    parser.add_argument("-o", "--output", type=Path, required=True)
    asked = parser.parse_args()
    model = deixis.load("phantom", device="cpu")
    further = [further_phrase(model, size) for size in (256, 1024)]
    print(json.dumps(further), flush=True)
    many = [throughput(model, "fast", asked.images)]
    print(json.dumps(many), flush=True)
    found = curves(model)
    draw(found, asked.output.with_suffix(".png"))
    result = {
        "machine": {"cpu": platform.processor() or platform.machine(), "cores": os.cpu_count()},
        "torch": torch.__version__, "curves": found, "further_phrase": further, "throughput": many,
    }  # fmt: skip
    asked.output.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
