"""What one image of a cohort costs a worker: seconds of a core by recipe and size, memory, and bytes by what is kept.

    python benchmarks/cohort_costs.py -o benchmarks/results/cohort_costs.json

Seconds are those of the process, which other work on the machine does not stretch much; one thread, two phrases. A
made-up manifest of the size of MIMIC-CXR is read, too.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import pickle
import platform
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

os.environ["OMP_NUM_THREADS"] = "1"

import numpy as np
import PIL.Image

from deixis.cohort.decode import Decode
from deixis.cohort.fetch import fetch
from deixis.cohort.folder import Folder
from deixis.cohort.heats import NONE
from deixis.cohort.items import Item, blocks_of
from deixis.cohort.manifest import read_manifest
from deixis.cohort.order import Cohort, Errand
from deixis.cohort.packed import Packed
from deixis.cohort.work import Grounder
from deixis.datasets.phantom import VALIDATION_SEED, scene

PHRASES = ("right pleural effusion", "left pneumothorax")
MIMIC = 377_110
ASKED = [
    *((256, recipe, NONE) for recipe in ("instant", "fast", "guided", "best")),
    *((2048, recipe, NONE) for recipe in ("instant", "fast")),
    *((2048, "instant", heat) for heat in ("npz", "zarr")),
]


def core_seconds(work: Callable[[], Any], runs: int = 3) -> float:
    """Of this process, after one call that warms up."""
    work()
    started = time.process_time()
    for _ in range(runs):
        work()
    return (time.process_time() - started) / runs


def draw(place: Path, size: int, images: int) -> list[str]:
    """Phantoms as JPEG of 8 bits, as MIMIC-CXR-JPG has them."""
    names = [f"{size}-{number}.jpg" for number in range(images)]
    for number, name in enumerate(names):
        if not (place / name).exists():
            pixels = scene(VALIDATION_SEED + number, size, findings=(1, 3)).pixels
            PIL.Image.fromarray(np.rint(pixels * 255).astype(np.uint8)).save(place / name, quality=95)
    return names


def image_costs(place: Path, size: int, recipe: str, heat: str) -> dict[str, Any]:
    """A block of two images, grounded and written."""
    names = draw(place, size, 2)
    with TemporaryDirectory() as aside:
        folder = Folder(Path(aside))
        folder.take({})
        errand = Errand(Cohort(place, folder.path, recipe=recipe, device="cpu", heat=heat), place, 1, "costs")
        (block,) = blocks_of([Item(row, name, PHRASES) for row, name in enumerate(names)], 32)
        decoded, grounder = Decode(errand)(block), Grounder(errand)
        seconds = core_seconds(lambda: grounder(decoded), 1) / len(names)
        memory = grounder(decoded).memory / 2**20
        kept = sum(file.stat().st_size for file in (folder.path / "_heat").iterdir()) / len(names)
        results = folder.shard(0).stat().st_size
    return {"size": size, "recipe": recipe, "heat": heat, "core_s": seconds, "worker_mib": memory,
            "heat_bytes": kept, "results_bytes_of_two": results}  # fmt: skip


def reading(place: Path, size: int) -> dict[str, float]:
    """An image on its way to the worker."""
    name = draw(place, size, 2)[0]
    image = fetch(name, place)
    packed = Packed.of(image)
    return {
        "size": size,
        "file_bytes": (place / name).stat().st_size,
        "sent_bytes": packed.pixels.nbytes,
        "decode_core_s": core_seconds(lambda: fetch(name, place)),
        "pack_core_s": core_seconds(lambda: Packed.of(image)),
        "unpack_core_s": core_seconds(packed.unpacked),
    }


def manifest(place: Path) -> dict[str, float]:
    """A manifest of names as long as those of MIMIC-CXR-JPG, read and cut into blocks."""
    file = place / "mimic.csv"
    with file.open("w", newline="") as rows:
        writer = csv.writer(rows)
        writer.writerow(["id", "image", "phrases", "split"])
        for number in range(MIMIC):
            name = "-".join([f"{number:08x}"] * 5)
            path = f"files/p{number % 10 + 10}/p{number // 6:08}/s{number // 2:08}/{name}.jpg"
            writer.writerow([name, path, "|".join(PHRASES), "train"])
    before, started = resident(), time.process_time()
    blocks = blocks_of(read_manifest(file).items, 32)
    spent, held = time.process_time() - started, resident() - before
    sent = sum(len(pickle.dumps(block)) for block in blocks)
    return {"rows": MIMIC, "core_s": spent, "driver_mib": held / 2**20, "blocks": len(blocks), "sent_mib": sent / 2**20}


def resident() -> int:
    """Bytes of this process in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--output", type=Path, required=True)
    asked = parser.parse_args()
    with TemporaryDirectory() as drawn:
        place = Path(drawn)
        result: dict[str, Any] = {
            "machine": {"cpu": platform.processor() or platform.machine(), "cores": os.cpu_count()},
            "phrases": len(PHRASES), "threads": 1, "manifest": manifest(place),
            "reading": [reading(place, size) for size in (256, 2048)], "images": [],
        }  # fmt: skip
        for size, recipe, heat in ASKED:
            result["images"].append(image_costs(place, size, recipe, heat))
            print(json.dumps(result["images"][-1]), flush=True)
    asked.output.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
