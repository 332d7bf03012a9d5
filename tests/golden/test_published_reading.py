"""Numbers that the published implementation of arXiv 2404.12920 gave, as far as they need no weights."""

from pathlib import Path

import numpy as np
import pytest
import torch

from deixis.diffusion.schedule import trailing_timesteps
from deixis.diffusion.walks import read_positions
from deixis.maps.masks import cut
from deixis.maps.refine import refined, to_unit_range
from deixis.maps.taps import stretched
from deixis.recipes import PAPER, InvertedWalk
from deixis.types import Schedule

FOLDER = Path(__file__).parent / "ldm"
SITES = (3, 4, 6, 7)


@pytest.fixture(params=["golden.npz", "golden_intended.npz"])
def golden(request):
    with np.load(FOLDER / request.param) as arrays:
        yield dict(arrays)


def test_timesteps_and_read_positions(golden):
    """50 asked steps: the published list, and the published ten positions in it."""
    timesteps = trailing_timesteps(50)
    beta = np.linspace(0.0015**0.5, 0.0205**0.5, 1000) ** 2
    positions = read_positions(Schedule(np.cumprod(1 - beta)), timesteps, InvertedWalk(steps=50), None)
    assert timesteps.tolist() == golden["timesteps"].tolist()
    assert list(positions) == golden["steps"].tolist()


def test_heat_from_the_attention_of_every_site_and_step(golden):
    """Min-max per map, bilinear to the image, mean over sites and steps, σ 2.5: the published smoothed heat."""
    side = golden["image"].shape[0]
    maps = torch.from_numpy(np.stack([golden[f"attention_layer{site}"] for site in SITES]))
    unit = stretched(maps.flatten(-2)).reshape(maps.shape).flatten(0, 1)[None]
    mean = torch.nn.functional.interpolate(unit, (side, side), mode="bilinear", align_corners=False).mean(dim=(0, 1))
    expected = to_unit_range(golden["heatmap_smoothed"])
    assert np.abs(refined(mean.numpy(), PAPER.smoothing) - expected).max() <= 1e-5


def test_threshold_keeps_exactly_the_published_pixels(golden):
    """Smoothed heat → min-max → two-class Otsu → product: the published answer, pixel for pixel."""
    heat = to_unit_range(golden["heatmap_smoothed"])
    assert np.abs(heat * cut(heat, PAPER.threshold) - golden["heatmap"]).max() <= 1e-6
