"""What this machine can do at best, measured: matrix products, convolutions of the network's own shapes, copies."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

import torch
from torch import nn


def median_seconds(run: Callable[[], Any], device: torch.device, runs: int = 7) -> float:
    """Median wall time after two calls that warm up; a GPU is waited for."""
    times = []
    for number in range(runs + 2):
        started = time.perf_counter()
        run()
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        if number >= 2:
            times.append(time.perf_counter() - started)
    return statistics.median(times)


def matmul_ceiling(device: torch.device, dtype: torch.dtype) -> float:
    """FLOP/s of the best square matrix product among a few sizes."""
    sizes = (1024, 2048) if device.type == "cpu" else (4096, 8192)
    best = 0.0
    for size in sizes:
        a, b = (torch.randn(size, size, device=device, dtype=dtype) for _ in range(2))
        best = max(best, 2 * size**3 / median_seconds(lambda x=a, y=b: x @ y, device))
    return best


def convolution_ceiling(device: torch.device, dtype: torch.dtype) -> float:
    """FLOP/s of the best 3×3 convolution among a few shapes of UNets, channels last."""
    shapes = ((16, 96, 16), (16, 160, 16), (4, 256, 32)) if device.type == "cpu" else ((32, 512, 32), (32, 768, 16))
    best = 0.0
    for cases, channels, side in shapes:
        layer = nn.Conv2d(channels, channels, 3, padding=1, device=device, dtype=dtype)
        layer.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        planes = torch.randn(cases, channels, side, side, device=device, dtype=dtype)
        planes = planes.to(memory_format=torch.channels_last)
        with torch.no_grad():
            seconds = median_seconds(lambda run=layer, x=planes: run(x), device)
        best = max(best, 2 * 9 * channels**2 * cases * side**2 / seconds)
    return best


def copy_ceiling(device: torch.device) -> float:
    """Bytes per second read and written by a copy that no cache holds."""
    size = 2**26 if device.type == "cpu" else 2**29
    source = torch.empty(size, dtype=torch.float32, device=device).normal_()
    target = torch.empty_like(source)
    return 2 * source.nbytes / median_seconds(lambda: target.copy_(source), device)
