"""The same comparison on a GPU: the published procedure in fp32 against our recipes in fp32 and bf16, at full size.

    python benchmarks/gpu.py                     # MONAI's and Stable Diffusion 1.5's architectures, random weights
    python benchmarks/gpu.py --device cpu --models phantom --steps 20 --images 2     # tries the script anywhere

Results go to `benchmarks/results/gpu_<device>.json`. Without a GPU it says so and exits 0. Seconds are wall time with
the GPU waited for; memory is the peak of torch's allocator.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode

sys.path.insert(0, str(Path(__file__).parent))
import ceilings
import full_size
import procedure

import deixis
from deixis.datasets.phantom import VALIDATION_SEED, scene
from deixis.errors import ResourceError
from deixis.many import ground_many
from deixis.models.counted import CountedModel

RESULTS = Path(__file__).parent / "results"
PRECISIONS = {"fp32": torch.float32, "bf16": torch.bfloat16}
BATCHES = (1, 4, 16, 64)
WRITERS = {"monai": full_size.write_monai, "sd15": full_size.write_sd15}


@dataclass(frozen=True)
class Bench:
    """A loaded model and the images and phrases that it is asked."""

    model: Any
    denoiser: torch.nn.Module
    device: torch.device
    images: Sequence[deixis.Image]
    phrases: Sequence[str]
    steps: int | None

    def seconds(self, run: Callable[[], Any]) -> float:
        """Wall time of one run, the device waited for before and after."""
        synchronised(self.device)
        started = time.perf_counter()
        run()
        synchronised(self.device)
        return time.perf_counter() - started


def synchronised(device: torch.device) -> None:
    """Wait for a GPU; a CPU is always done."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def peak_mib(device: torch.device, *, reset: bool = False) -> float | None:
    """Peak of torch's allocator on a GPU."""
    if device.type != "cuda":
        return None
    if reset:
        torch.cuda.reset_peak_memory_stats(device)
    return torch.cuda.max_memory_allocated(device) / 2**20


@contextmanager
def opened(name: str, precision: str, asked: argparse.Namespace) -> Iterator[Bench]:
    """A model by name, its files written to a folder that goes afterwards."""
    device = torch.device(asked.device)
    with tempfile.TemporaryDirectory() as folder:
        place, options = name, []
        if name in WRITERS:
            place, options, _ = WRITERS[name](Path(folder) / name)
        encoder = options[1] if options else None
        model = deixis.load(place, device=asked.device, dtype=PRECISIONS[precision], text_encoder=encoder)
        side = model.spec.image_size
        images = [
            deixis.Image(scene(VALIDATION_SEED + seed, side, findings=(1, 3)).pixels) for seed in range(asked.images)
        ]
        yield Bench(model, model._parts.denoiser.module, device, images, procedure.PHRASES[:2], asked.steps)


def unet(bench: Bench, matmul_flops: float) -> list[dict[str, Any]]:
    """Calls of the denoiser, batch after batch, until memory ends."""
    rows = []
    spec, side = bench.model.spec, bench.model.spec.image_size // bench.model.spec.downsampling
    dtype = next(bench.denoiser.parameters()).dtype
    for cases in BATCHES:
        latents = torch.randn(cases, spec.latent_channels, side, side, device=bench.device, dtype=dtype)
        timesteps = torch.full((cases,), 300, device=bench.device)
        context = bench.model.embed([bench.phrases[0]] * cases)
        call = lambda z=latents, t=timesteps, c=context: bench.model.noise(z, t, c)  # noqa: E731
        try:
            with FlopCounterMode(display=False) as counter:
                call()
            seconds = ceilings.median_seconds(call, bench.device)
        except ResourceError:
            break
        flops = counter.get_total_flops()
        rows.append({
            "cases": cases, "cases_per_second": cases / seconds, "tflop_per_second": flops / seconds / 1e12,
            "of_matmul": flops / seconds / matmul_flops,
        })  # fmt: skip
    return rows


def recipes(bench: Bench, batch: int) -> list[dict[str, Any]]:
    """One image and one phrase, and many of both in full batches, under each recipe."""
    rows = []
    for name in procedure.RECIPES:
        chosen = procedure.asked_recipe(name, bench.steps)
        counted = CountedModel(bench.model)
        ask = lambda r=chosen, m=counted: deixis.ground(bench.images[0], bench.phrases[0], m, r, batch=batch)  # noqa: E731
        ask()
        before = counted.evaluations
        peak_mib(bench.device, reset=True)
        one = bench.seconds(ask)
        evaluations = counted.evaluations - before
        asked = [(image, bench.phrases) for image in bench.images]
        together = bench.seconds(lambda r=chosen, given=asked: list(ground_many(given, bench.model, r, batch=batch)))
        rows.append({
            "recipe": name, "one_phrase_s": one, "unet_evaluations": evaluations, "peak_mib": peak_mib(bench.device),
            "images_per_second": len(asked) / together,
            "phrases_per_second": len(asked) * len(bench.phrases) / together,
        })  # fmt: skip
    return rows


def published(bench: Bench) -> dict[str, Any]:
    """The published procedure, rendered plainly, one phrase."""
    peak_mib(bench.device, reset=True)
    work = procedure.Work(bench.model, bench.denoiser, bench.images[0], "plain", bench.steps)
    seconds = bench.seconds(lambda: work.heats(list(bench.phrases[:1])))
    return {"one_phrase_s": seconds, "peak_mib": peak_mib(bench.device)}


def of_model(name: str, asked: argparse.Namespace) -> dict[str, Any]:
    """All figures of one architecture."""
    device, found = torch.device(asked.device), {}
    for precision, dtype in PRECISIONS.items():
        limit = ceilings.matmul_ceiling(device, dtype)
        with opened(name, precision, asked) as bench:
            row: dict[str, Any] = {"matmul_tflop_per_second": limit / 1e12, "unet": unet(bench, limit)}
            if precision == "fp32":
                row["published"] = published(bench)
            row["recipes"] = recipes(bench, asked.batch)
        found[precision] = row
        print(json.dumps({name: {precision: row}}), flush=True)
    theirs = found["fp32"]["published"]["one_phrase_s"]
    for row in found.values():
        for one in row["recipes"]:
            one["times_faster_than_published_fp32"] = theirs / one["one_phrase_s"]
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--models", nargs="+", default=list(WRITERS))
    parser.add_argument("--images", type=int, default=32, help="for throughput, two phrases each")
    parser.add_argument("--batch", type=int, default=64, help="cases in one call of the denoiser")
    parser.add_argument("--steps", type=int, help="fewer steps of the walk, in both ways")
    parser.add_argument("-o", "--output", type=Path, help="JSON; by default named by the device")
    asked = parser.parse_args()
    if asked.device.startswith("cuda") and not torch.cuda.is_available():
        print("There is no GPU here; nothing was measured.")
        return
    torch.set_grad_enabled(False)
    device = torch.cuda.get_device_name(asked.device) if asked.device.startswith("cuda") else "cpu"
    result = {"device": device, "torch": torch.__version__, "steps": asked.steps}
    result |= {"models": {name: of_model(name, asked) for name in asked.models}}
    file = asked.output or RESULTS / f"gpu_{re.sub(r'[^a-z0-9]+', '_', device.lower())}.json"
    file.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    print(f"Written: {file}")


if __name__ == "__main__":
    main()
