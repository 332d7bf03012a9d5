"""A cohort on this machine against the same cohort on Ray: equal rows, seconds per image, memory, one worker and two.

    python benchmarks/cohort.py --images 2000 -o benchmarks/results/cohort.json

The images are phantoms, drawn once under --place. They are gone through in pieces, by the local engine and by Ray in
turn, since the machine may have other work; ratios are medians over pieces. What an image costs is counted between the
first block that is done and the last, in seconds and in seconds of cores, which other work does not stretch; those of
Ray's own servers are in them. Each run is a process of its own.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import psutil

PHRASES = "right pleural effusion|left pneumothorax"
RECIPE, BLOCK = "fast", 8


def resident() -> int:
    """Bytes of this process in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


class Cores:
    """Seconds of cores that this process and all below it took, those that have ended since too."""

    def __init__(self) -> None:
        self._seen: dict[int, float] = {}

    def __call__(self) -> float:
        own = psutil.Process()
        for one in (own, *own.children(recursive=True)):
            with suppress(psutil.NoSuchProcess):
                times = one.cpu_times()
                self._seen[one.pid] = times.user + times.system
        return sum(self._seen.values())


def run(manifest: Path, output: Path, engine: str, workers: int) -> None:
    """One run in this process; prints what was seen of it."""
    from deixis.cohort.order import Cohort
    from deixis.cohort.run import Progress, ground_cohort
    from deixis.crew import Crew

    cores = Cores()
    seen: list[tuple[float, int, int, int, float]] = []

    def watch(at: Progress) -> None:
        if at.last is not None:
            seen.append((at.seconds, at.done, resident(), at.last.memory, cores()))

    started = time.perf_counter()
    cohort = Cohort(manifest, output, recipe=RECIPE, device="cpu", block=BLOCK)
    total = ground_cohort(cohort, Crew(engine, workers), watch=watch)
    wall = time.perf_counter() - started
    print(json.dumps({"wall_s": wall, "images": total.images, "rows": total.rows, "seen": seen}))


def measured(manifest: Path, output: Path, engine: str, workers: int) -> dict[str, Any]:
    """A run in a process of its own: all of it, and the time of an image between the first block and the last."""
    shutil.rmtree(output, ignore_errors=True)
    told = subprocess.run(
        [sys.executable, __file__, "--run", engine, str(workers), str(manifest), str(output)],
        stdout=subprocess.PIPE, text=True, check=True, env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    found = json.loads(told.stdout.splitlines()[-1])
    seen = found.pop("seen")
    (first, before, *_, earlier), (last, done, *_, later) = seen[0], seen[-1]
    quarter = max(1, len(seen) // 4)
    size = sum(file.stat().st_size for file in output.glob("part-*.parquet"))
    return found | {
        "engine": engine,
        "workers": workers,
        "until_first_block_s": first,
        "image_s": (last - first) / (done - before),
        "image_core_s": (later - earlier) / (done - before),
        "image_bytes": size / done,
        "driver_mib": [statistics.median(one[2] for one in part) / 2**20 for part in (seen[:quarter], seen[-quarter:])],
        "worker_mib": [statistics.median(one[3] for one in part) / 2**20 for part in (seen[:quarter], seen[-quarter:])],
    }


def drawn(place: Path, images: int, pieces: int) -> list[Path]:
    """Phantoms as files, and a manifest per piece."""
    import PIL.Image

    from deixis.datasets.phantom import VALIDATION_SEED, scene

    place.mkdir(parents=True, exist_ok=True)
    for number in range(images):
        file = place / f"{number:05}.png"
        if not file.exists():
            pixels = scene(VALIDATION_SEED + number, 256, findings=(1, 3)).pixels
            PIL.Image.fromarray(np.rint(pixels * 255).astype(np.uint8)).save(file)
    manifests = []
    for piece, numbers in enumerate(np.array_split(np.arange(images), pieces)):
        manifests.append(place / f"{images}-{piece}.csv")
        with manifests[-1].open("w", newline="") as rows:
            writer = csv.writer(rows)
            writer.writerow(["image", "phrases"])
            writer.writerows([f"{number:05}.png", PHRASES] for number in numbers)
    return manifests


def rows_of(output: Path) -> Any:
    """The table of results in the order of the manifest, without what may differ."""
    import pyarrow.parquet as pq

    table = pq.read_table(output, partitioning=None).drop_columns(["seconds"])
    return table.sort_by([("row", "ascending"), ("number", "ascending")])


def compared(manifest: Path, aside: Path, *, ray_first: bool) -> dict[str, Any]:
    """A piece on both engines."""
    turn = ["ray", "local"] if ray_first else ["local", "ray"]
    runs = {engine: measured(manifest, aside / engine, engine, 2) for engine in turn}
    local, ray = rows_of(aside / "local"), rows_of(aside / "ray")
    return {"equal": local.equals(ray), "rows": len(local), "load": os.getloadavg()[0], **runs}


def summed(pieces: list[dict[str, Any]]) -> dict[str, Any]:
    """What all pieces together say."""
    return {
        "machine": {"cpu": platform.processor() or platform.machine(), "cores": os.cpu_count()},
        "phrases": 2, "recipe": RECIPE, "threads": 1, "block": BLOCK,
        "images": sum(piece["local"]["images"] for piece in pieces),
        "rows": sum(piece["rows"] for piece in pieces),
        "equal": all(piece["equal"] for piece in pieces),
        "ray_over_local": {
            name: statistics.median(piece["ray"][name] / piece["local"][name] for piece in pieces)
            for name in ("image_core_s", "image_s", "wall_s")
        },
        "pieces": pieces,
    }  # fmt: skip


def main() -> None:
    if sys.argv[1:2] == ["--run"]:
        engine, workers, manifest, output = sys.argv[2:]
        run(Path(manifest), Path(output), engine, int(workers))
        return
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=2000)
    parser.add_argument("--pieces", type=int, default=20)
    parser.add_argument("--scaling", type=int, default=40, help="images with one worker and with two; 0 for none")
    parser.add_argument("--place", type=Path, default=Path("/tmp/deixis-cohort"), help="for the images and results")
    parser.add_argument("-o", "--output", type=Path, required=True)
    asked = parser.parse_args()
    scaling = []
    if asked.scaling:
        (some,) = drawn(asked.place / "images", asked.scaling, 1)
        scaling = [measured(some, asked.place / "scaling", "local", workers) for workers in (1, 2)]
    one, two = ([run["image_s"] for run in scaling if run["workers"] == workers] for workers in (1, 2))
    pieces = []
    for piece, manifest in enumerate(drawn(asked.place / "images", asked.images, asked.pieces)):
        pieces.append(compared(manifest, asked.place, ray_first=piece % 2 == 1))
        # After each piece, so that a run which is ended early says what it had.
        found = summed(pieces) | {"two_workers_over_one": sum(one) / sum(two) if scaling else None, "scaling": scaling}
        asked.output.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
        print(json.dumps({key: value for key, value in found.items() if key not in {"pieces", "scaling"}}), flush=True)


if __name__ == "__main__":
    main()
