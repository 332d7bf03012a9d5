"""Inversion against what can be known without a network: a Gaussian's exact denoiser."""

import math

import numpy as np
import pytest
import torch

from deixis.diffusion.schedule import trailing_timesteps
from deixis.diffusion.walks import alpha, invert, predictor
from deixis.recipes import InvertedWalk
from deixis.types import Schedule
from planted_model import GaussianModel

SPREAD = 0.6


def smooth_schedule(trained: int) -> Schedule:
    """The continuous variance-preserving schedule with β from 0.1 to 12, sampled `trained` times."""
    time = (np.arange(trained) + 1) / trained
    return Schedule(np.exp(-(0.1 * time + 0.5 * (12 - 0.1) * time**2)))


@pytest.mark.parametrize("step", ["published", "intended"])
@pytest.mark.parametrize("steps", [50, 300])
def test_inversion_is_the_product_of_its_factors(step, steps):
    """For a Gaussian each step multiplies z by a known number, so the walk is their product, to machine precision."""
    schedule = smooth_schedule(1000)
    model = GaussianModel(schedule, SPREAD)
    timesteps = trailing_timesteps(steps).tolist()
    stride = timesteps[1] - timesteps[0]
    start = torch.tensor([[[[1.0, -2.0, 0.5]]]], dtype=torch.float64)
    got = invert(predictor(model), start, InvertedWalk(steps=steps, step=step), schedule, range(len(timesteps)))
    product = 1.0
    for position, timestep in enumerate(timesteps):
        torch.testing.assert_close(got[position], start * product, rtol=1e-13, atol=0)
        product *= exact_factor(model, timestep, stride, step)


def exact_factor(model: GaussianModel, timestep: int, stride: int, step: str) -> float:
    """ε is asked at t; the published step starts there, the intended one Δ below."""
    if step == "published":
        return model.factor(alpha(model.schedule, timestep), alpha(model.schedule, timestep + stride))
    asked = alpha(model.schedule, timestep)
    below = alpha(model.schedule, timestep - stride)
    share = math.sqrt(1 - asked) / model.variance(asked)
    clean = (1 - math.sqrt(1 - below) * share) / math.sqrt(below)
    return math.sqrt(asked) * clean + math.sqrt(1 - asked) * share


def test_inversion_converges_to_the_exact_flow_with_order_one():
    """The probability-flow ODE of a Gaussian scales z by √(variance ratio); halving the step halves the error."""
    trained = 1 << 14
    schedule = smooth_schedule(trained)
    model = GaussianModel(schedule, SPREAD)
    start = torch.ones(1, 1, 1, 1, dtype=torch.float64)
    errors = []
    for steps in (64, 128, 256, 512):
        timesteps = trailing_timesteps(steps, trained)
        last = len(timesteps) - 1
        how = InvertedWalk(steps=steps)
        got = invert(predictor(model), start, how, schedule, range(last, last + 1)).item()
        variances = [model.variance(alpha(schedule, int(timesteps[i]))) for i in (0, last)]
        errors.append(abs(got - math.sqrt(variances[1] / variances[0])))
    orders = np.log2(np.array(errors[:-1]) / np.array(errors[1:]))
    assert np.allclose(orders, 1, atol=0.1), orders


def test_generating_undoes_inverting_in_the_limit():
    """Down and up again along the exact flow is the identity; with fine steps the discrete walk comes close."""
    trained = 1 << 12
    schedule = smooth_schedule(trained)
    model = GaussianModel(schedule, SPREAD)
    factors = [
        model.factor(alpha(schedule, t), alpha(schedule, t + 1))
        * model.factor(alpha(schedule, t + 1), alpha(schedule, t))
        for t in range(trained - 1)
    ]
    assert math.prod(factors) == pytest.approx(1, abs=5e-3)
