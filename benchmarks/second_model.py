"""A second model to check what transfers: another seed, half the width of the bundled one, fewer images and steps.

    python benchmarks/second_model.py -o FOLDER        # the model is in FOLDER/model

Trained like the bundled model on phantoms of other seeds; stop it at any moment and call it again to go on.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path

from deixis.training.plan import TrainingPlan
from deixis.training.recipe import train

NAME = "phantom-half"
PLAIN = TrainingPlan()
PLAN = replace(
    PLAIN,
    images=4_000,
    first_seed=300_000,
    text=replace(PLAIN.text, seed=1),
    autoencoder=replace(PLAIN.autoencoder, channels=(16, 24, 48, 48), steps=700, seed=1),
    denoiser=replace(PLAIN.denoiser, channels=(16, 48, 80), heads=(1, 3, 5), steps=1_200, seed=1),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--device", default="cpu")
    asked = parser.parse_args()
    model = train(PLAN, asked.output, device=asked.device)
    label = model / "deixis.json"
    # A name of its own, so that recipes do not take it for the bundled model.
    label.write_text(json.dumps(json.loads(label.read_text()) | {"name": NAME}, indent=2) + "\n", encoding="utf-8")
    print(f"The model is in {model}.")


if __name__ == "__main__":
    main()
