"""Write examples/: three phantoms of the test range with their phrases, as PNG and DICOM. `make examples` runs it."""

import itertools
import json
import sys
from pathlib import Path

import numpy as np
import PIL.Image

from deixis.datasets.phantom import TEST_SEED, Scene, scene
from deixis.types import Image
from deixis.writers.dicom_cr import write_cr

# What each file shows: the first phantom of the test range with that finding and one other at most.
FILES = {"effusion.png": "Pleural Effusion", "pneumothorax.png": "Pneumothorax", "cardiomegaly.dcm": "Cardiomegaly"}
README = """# Examples

Synthetic chest X-rays from deixis' own phantom, with phrases that are true of them. Not of any patient.

`make examples` writes them anew. `phrases.json` holds their phrases and where each is: boxes x0 y0 x1 y1 in pixels.

| file | seed | phrases |
| --- | --- | --- |
"""


def first_with(category: str) -> Scene:
    """The first phantom of the test range with a finding of that class and few others."""
    drawn = (scene(seed, findings=(1, 2)) for seed in itertools.count(TEST_SEED))
    return next(one for one in drawn if any(phrase.category == category for phrase in one.phrases))


def main(folder: Path) -> None:
    """Write the examples, their phrases, and the page about them."""
    told, page = {}, README
    for name, category in FILES.items():
        drawn = first_with(category)
        if name.endswith(".dcm"):
            write_cr(Image(drawn.pixels, (drawn.spacing, drawn.spacing)), folder / name)
        else:
            PIL.Image.fromarray(np.round(drawn.pixels * 255).astype(np.uint8)).save(folder / name, optimize=True)
        told[name] = {
            "seed": drawn.seed,
            "phrases": [
                {"text": phrase.text, "boxes": [[box.x0, box.y0, box.x1, box.y1] for box in phrase.boxes]}
                for phrase in drawn.phrases
            ],
        }
        phrases = "; ".join(f"“{phrase.text}”" for phrase in drawn.phrases)
        page += f"| {name} | {drawn.seed} | {phrases} |\n"
    (folder / "phrases.json").write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")
    (folder / "README.md").write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "examples"))
