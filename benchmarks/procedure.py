"""What deixis saves: the published procedure, rendered plainly, against our recipes, on the same network in one run.

    python benchmarks/procedure.py -o benchmarks/results/procedure.json
    python benchmarks/procedure.py --model monai --steps 20 --phrases 1 4 16 -o benchmarks/results/procedure_monai.json

Every measurement runs in a process of its own, warmed up; its memory is the growth of its peak over what it held
before. FLOPs are those of torch's counter, which sees matrix products, convolutions and fused attention.

`--model monai` is the published architecture at full size with random weights; `--steps` then asks for fewer steps of
the walk, in both ways alike, and the plain way's cost for more phrases than one is multiplied, not run: it does the
same work for each phrase.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

sys.path.insert(0, str(Path(__file__).parent))
import full_size
import plain

import deixis
from deixis.datasets.phantom import VALIDATION_SEED, scene
from deixis.models.counted import CountedModel
from deixis.recipes import InvertedWalk, Recipe, recipe

RECIPES = ("paper", "fast", "guided", "instant")
SIDES, FINDINGS = ("right", "left", "small right", "small left"), (
    "pleural effusion", "pneumothorax", "lung opacity", "consolidation",
)  # fmt: skip
PHRASES = [f"{side} {finding}" for finding in FINDINGS for side in SIDES]
SEED = VALIDATION_SEED + 1
MIB = 2**20


def peak_bytes(*, reset: bool = False) -> int:
    """Largest resident memory of this process since the last reset (Linux)."""
    if reset:
        Path("/proc/self/clear_refs").write_text("5")
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) * 1024


def asked_recipe(name: str, steps: int | None) -> Recipe:
    """The recipe, its walk shortened where asked; MONAI's random weights have nothing to say about sites."""
    chosen = recipe(name)
    if steps is None or not isinstance(chosen.walk, InvertedWalk):
        return chosen
    return replace(chosen, walk=replace(chosen.walk, steps=steps))


@dataclass(frozen=True)
class Work:
    """One way of answering, on one image."""

    model: Any
    denoiser: Any
    image: deixis.Image
    way: str
    steps: int | None

    def heats(self, phrases: list[str]) -> list[np.ndarray]:
        """Heat before the threshold of every phrase, on the image's own pixels."""
        if self.way == "plain":
            chosen = asked_recipe("paper", self.steps)
            return [plain.smoothed_heat(self.model, self.denoiser, self.image, text, chosen) for text in phrases]
        found = deixis.ground(self.image, phrases, self.model, asked_recipe(self.way, self.steps))
        return [one.heat.values for one in found]


def measure(given: dict[str, Any]) -> dict[str, Any]:
    """One way and number of phrases, in this process."""
    torch.set_grad_enabled(False)
    loaded = deixis.load(given["model"], device="cpu", text_encoder=given["text_encoder"])
    model, denoiser = CountedModel(loaded), loaded._parts.denoiser.module
    side = model.spec.image_size
    image = deixis.Image(scene(SEED, side, findings=(1, 3)).pixels)
    phrases, work = PHRASES[: given["phrases"]], Work(model, denoiser, image, given["way"], given["steps"])
    # Warm: libraries choose their kernels on the first call.
    for cases in (1, 2, 16) if side < 512 else (1, 2):
        noise_of(model, cases)
    before, asked = peak_bytes(reset=True), model.evaluations
    seconds = []
    for _ in range(given["runs"]):
        started = time.perf_counter()
        heats = work.heats(phrases)
        seconds.append(time.perf_counter() - started)
    peak, spent = peak_bytes() - before, (model.evaluations - asked) // given["runs"]
    flops = None
    if given["flops"]:
        with FlopCounterMode(display=False) as counter:
            work.heats(phrases[:1])
        flops = counter.get_total_flops()
    np.save(given["heats"], np.stack(heats))
    return {
        "seconds": statistics.median(seconds), "unet_evaluations": spent, "peak_growth_mib": peak / MIB,
        "flops_one_phrase": flops,
    }  # fmt: skip


def noise_of(model: Any, cases: int) -> None:
    side = model.spec.image_size // model.spec.downsampling
    latents = torch.zeros(cases, model.spec.latent_channels, side, side)
    model.noise(latents, torch.zeros(cases, dtype=torch.long), model.embed(["x"] * cases))


def apart(given: dict[str, Any]) -> dict[str, Any]:
    """`measure` in a process of its own."""
    done = subprocess.run(
        [sys.executable, __file__, "--one", json.dumps(given)], check=True, stdout=subprocess.PIPE, text=True
    )
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def compare(asked: argparse.Namespace, model: str, text_encoder: str | None, scratch: Path) -> list[dict[str, Any]]:
    """A row per way and number of phrases, with ratios to the plain way and the largest difference of heat."""
    rows = []
    for phrases in asked.phrases:
        scaled = asked.steps is not None and phrases > 1
        theirs: dict[str, Any] = {}
        for way in ("plain", *asked.recipes):
            given = {
                "model": model, "text_encoder": text_encoder, "way": way, "steps": asked.steps, "runs": asked.runs,
                "phrases": 1 if scaled and way == "plain" else phrases, "flops": phrases == 1,
                "heats": str(scratch / f"{way}-{phrases}.npy"),
            }  # fmt: skip
            given["runs"] = 1 if way == "plain" else asked.runs
            found = {"way": way, "phrases": phrases, **apart(given)}
            if way == "plain":
                if scaled:
                    found |= {name: found[name] * phrases for name in ("seconds", "unet_evaluations")}
                    found["multiplied"] = True
                theirs = found
            else:
                found["times_faster"] = theirs["seconds"] / found["seconds"]
                found["share_of_memory"] = found["peak_growth_mib"] / theirs["peak_growth_mib"]
            if way == "paper":
                ours, plain_heats = (np.load(scratch / f"{one}-{phrases}.npy") for one in ("paper", "plain"))
                found["largest_heat_difference"] = float(np.abs(ours[: len(plain_heats)] - plain_heats).max())
            rows.append(found)
            print(
                {key: round(value, 5) if isinstance(value, float) else value for key, value in found.items()},
                flush=True,
            )
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="phantom", help="phantom, or monai: full size, random weights")
    parser.add_argument("--phrases", type=int, nargs="+", default=[1, 4, 16])
    parser.add_argument("--recipes", nargs="+", default=list(RECIPES))
    parser.add_argument("--steps", type=int, help="fewer steps of the walk, in both ways")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("-o", "--output", type=Path)
    parser.add_argument("--one", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.one is not None:
        print(json.dumps(measure(json.loads(asked.one))))
        return
    with tempfile.TemporaryDirectory() as folder:
        model, encoder = asked.model, None
        if asked.model == "monai":
            place, options, _ = full_size.write_monai(Path(folder) / "monai")
            model, encoder = str(place), options[1]
        rows = compare(asked, model, encoder, Path(folder))
    machine = {"cpu": platform.processor() or platform.machine(), "cores": os.cpu_count()}
    result = {"machine": machine, "torch": torch.__version__, "model": asked.model, "steps": asked.steps, "rows": rows}
    if asked.output is not None:
        asked.output.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
