"""How near to the machine's limits the UNet and the whole way through come, and where the rest of the time goes.

    python benchmarks/roofline.py -o benchmarks/results/roofline.json
    python benchmarks/roofline.py --model monai -o benchmarks/results/roofline_monai.json

Ceilings are measured in the same run (`benchmarks/ceilings.py`). FLOPs are counted by torch, bytes are those of weights
and of what every layer reads and writes, so that the limit is the larger of FLOPs / ceiling and bytes / ceiling.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
from pathlib import Path
from typing import Any

import torch
from torch.profiler import ProfilerActivity, profile
from torch.utils.flop_counter import FlopCounterMode

sys.path.insert(0, str(Path(__file__).parent))
import ceilings
import full_size

import deixis
from deixis.datasets.phantom import VALIDATION_SEED, scene

PHRASE = "right pleural effusion"


def bytes_moved(denoiser: torch.nn.Module, call: Any) -> int:
    """Weights once, and inputs and outputs of every layer that has no children."""
    moved = sum(weight.nbytes for weight in denoiser.parameters())

    def count(module: torch.nn.Module, given: Any, answer: Any) -> None:
        nonlocal moved
        moved += sum(one.nbytes for one in (*given, answer) if isinstance(one, torch.Tensor))

    leaves = [module for module in denoiser.modules() if not list(module.children())]
    handles = [leaf.register_forward_hook(count) for leaf in leaves]
    call()
    for handle in handles:
        handle.remove()
    return moved


def of_unet(model: Any, cases: int, limits: dict[str, float], runs: int) -> dict[str, Any]:
    """One call of the denoiser."""
    spec, device = model.spec, next(model._parts.denoiser.module.parameters()).device
    side = spec.image_size // spec.downsampling
    latents = torch.randn(cases, spec.latent_channels, side, side, device=device)
    timesteps, context = torch.full((cases,), 300, device=device), model.embed([PHRASE] * cases)

    def call() -> Any:
        return model.noise(latents, timesteps, context)

    with FlopCounterMode(display=False) as counter:
        call()
    flops, moved = counter.get_total_flops(), bytes_moved(model._parts.denoiser.module, call)
    seconds = ceilings.median_seconds(call, device, runs)
    compute, memory = flops / limits["matmul_flops"], moved / limits["copy_bytes"]
    return {
        "cases": cases, "seconds_per_case": seconds / cases, "gflop_per_case": flops / cases / 1e9,
        "mbyte_per_case": moved / cases / 1e6, "of_matmul": compute / seconds,
        "of_convolution": flops / limits["convolution_flops"] / seconds, "of_copy": memory / seconds,
        "of_the_limit": max(compute, memory) / seconds, "bound_by": "compute" if compute > memory else "memory",
    }  # fmt: skip


def of_the_whole(model: Any, limits: dict[str, float], recipe: str) -> dict[str, Any]:
    """From pixels to boxes, one phrase."""
    image = deixis.Image(scene(VALIDATION_SEED + 1, model.spec.image_size, findings=(1, 3)).pixels)

    def call() -> Any:
        return deixis.ground(image, PHRASE, model, recipe)

    with FlopCounterMode(display=False) as counter:
        call()
    seconds = ceilings.median_seconds(call, torch.device("cpu"), 3)
    flops = counter.get_total_flops()
    return {
        "recipe": recipe,
        "seconds": seconds,
        "gflop": flops / 1e9,
        "of_matmul": flops / limits["matmul_flops"] / seconds,
    }


def hot_spots(model: Any, recipe: str, rows: int = 12) -> list[dict[str, Any]]:
    """Operations by their own time."""
    image = deixis.Image(scene(VALIDATION_SEED + 1, model.spec.image_size, findings=(1, 3)).pixels)
    deixis.ground(image, PHRASE, model, recipe)
    with profile(activities=[ProfilerActivity.CPU]) as measured:
        deixis.ground(image, PHRASE, model, recipe)
    events = sorted(measured.key_averages(), key=lambda event: -event.self_cpu_time_total)
    total = sum(event.self_cpu_time_total for event in events)
    return [
        {"operation": event.key, "share": event.self_cpu_time_total / total, "calls": event.count}
        for event in events[:rows]
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="phantom", help="phantom, or monai: full size, random weights")
    parser.add_argument("--cases", type=int, nargs="+")
    parser.add_argument("-o", "--output", type=Path)
    asked = parser.parse_args()
    torch.set_grad_enabled(False)
    cpu, single = torch.device("cpu"), torch.float32
    limits = {
        "matmul_flops": ceilings.matmul_ceiling(cpu, single),
        "convolution_flops": ceilings.convolution_ceiling(cpu, single),
        "copy_bytes": ceilings.copy_ceiling(cpu),
    }
    large = asked.model == "monai"
    with tempfile.TemporaryDirectory() as folder:
        if large:
            place, options, _ = full_size.write_monai(Path(folder) / "monai")
            model = deixis.load(place, device="cpu", text_encoder=options[1])
        else:
            model = deixis.load(asked.model, device="cpu")
    unet = [
        of_unet(model, cases, limits, 3 if large else 9)
        for cases in asked.cases or ((1, 4) if large else (1, 2, 8, 16))
    ]
    whole = [] if large else [of_the_whole(model, limits, name) for name in ("guided", "fast", "instant")]
    result = {
        "machine": {"cpu": platform.processor() or platform.machine(), "cores": os.cpu_count()},
        "torch": torch.__version__, "model": asked.model, "ceilings": limits, "unet": unet, "whole": whole,
        "profile": [] if large else hot_spots(model, "fast"),
    }  # fmt: skip
    print(json.dumps(result, indent=2))
    if asked.output is not None:
        asked.output.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
