"""Inverted, noised and generated walks."""

import math

import numpy as np
import pytest
import torch

from deixis.diffusion.walks import alpha, draw_noise
from deixis.errors import DeixisError
from deixis.recipes import InvertedWalk, NoisedWalk
from deixis.types import Box, Schedule
from planted_model import GaussianModel, PlantedModel
from walking import walked


@pytest.fixture
def model():
    return PlantedModel(Box(0, 0, 64, 64))


@pytest.fixture
def latent():
    return torch.linspace(-1, 1, 4 * 16 * 16).reshape(1, 4, 16, 16)


def test_the_inversion_reads_60_latents_after_179_evaluations(model, latent):
    """Positions 120 … 179 are read; to come to the last of them the network is asked 179 times."""
    trajectory = walked(model, latent, InvertedWalk(), content="a")
    assert trajectory.timesteps.tolist() == list(range(360, 538, 3))
    assert model.calls == 179


def test_another_schedule_is_read_by_its_noise_levels(latent):
    """A share of the list means a noise level only on the published schedule; elsewhere log-SNR decides."""
    model = PlantedModel(Box(0, 0, 64, 64))
    model.schedule = Schedule(np.cumprod(1 - np.linspace(0.00085**0.5, 0.012**0.5, 1000) ** 2))
    levels = model.schedule.log_snr(walked(model, latent, InvertedWalk(), content="a").timesteps)
    assert levels.max() <= -0.90
    assert levels.min() >= -2.47
    assert levels.max() > -0.93
    assert levels.min() < -2.44


def test_a_reading_moves_the_window(model, latent):
    """An explicit window wins over the recipe's own."""
    trajectory = walked(model, latent, InvertedWalk(steps=100), content="a", log_snr=(0.0, 1.0))
    levels = model.schedule.log_snr(trajectory.timesteps)
    assert (levels >= 0).all()
    assert (levels <= 1).all()


def test_a_window_that_no_step_meets_is_an_error(model, latent):
    """It says so and what to do, and does not give an empty walk."""
    with pytest.raises(DeixisError, match="Take more steps"):
        walked(model, latent, InvertedWalk(steps=3), content="a", log_snr=(0.70, 0.71))


def test_noisings_have_the_right_mean_and_spread(model):
    """z_t = √ᾱ z₀ + √(1-ᾱ) ε: over many draws mean and variance are those of the noise level."""
    latent = torch.full((1, 4, 16, 16), 3.0)
    trajectory = walked(model, latent, NoisedWalk(draws=40, log_snr=(-1.0, -0.99)), content="a")
    level = float(model.schedule.alphas_bar[trajectory.timesteps[0]])
    assert trajectory.latents.mean().item() == pytest.approx(3 * level**0.5, abs=0.02)
    assert trajectory.latents.var().item() == pytest.approx(1 - level, abs=0.02)


def test_noise_depends_on_image_and_seed_only(latent):
    """Same image and seed: the same noise, in whatever order; another image or seed: other noise."""
    first = draw_noise(latent, 3, "image", 0)
    draw_noise(latent, 5, "other", 0)
    torch.rand(10)
    assert torch.equal(first, draw_noise(latent, 3, "image", 0))
    assert not torch.equal(first, draw_noise(latent, 3, "other", 0))
    assert not torch.equal(first, draw_noise(latent, 3, "image", 1))


def test_more_draws_only_add(latent):
    """The first three of eight draws are the three draws."""
    assert torch.equal(draw_noise(latent, 8, "image", 0)[:3], draw_noise(latent, 3, "image", 0))


def test_drawing_leaves_the_global_generator_alone(latent):
    """A caller's own random numbers do not change because an image was opened."""
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    draw_noise(latent, 3, "image", 0)
    assert torch.equal(torch.rand(3), expected)


def test_equal_keys_mean_equal_latents(model, latent):
    """The key tells image, walk and seed apart."""
    same = [walked(model, latent, NoisedWalk(), content="a").key for _ in range(2)]
    others = [
        walked(model, latent, NoisedWalk(), content="b").key,
        walked(model, latent, NoisedWalk(), content="a", seed=1).key,
        walked(model, latent, NoisedWalk(draws=9), content="a").key,
        walked(model, latent, NoisedWalk(), content="a", log_snr=(0, 1)).key,
    ]
    assert same[0] == same[1]
    assert len({*same, *others}) == 5


def test_alpha_beyond_both_ends():
    """1 before the first timestep; the scheduler's first-alpha constant beyond the last."""
    schedule = Schedule(np.array([0.9, 0.5]), first_alpha=0.25)
    assert [alpha(schedule, t) for t in (-1, 0, 1, 2)] == [1.0, 0.9, 0.5, 0.25]


@pytest.mark.parametrize("step", ["published", "intended"])
def test_a_v_prediction_is_read_where_the_step_starts(step):
    """The published code turns v into ε at the step's own noise level; for an ε-network there is nothing to turn."""
    schedule = Schedule(np.cumprod(1 - np.linspace(0.0015**0.5, 0.0205**0.5, 1000) ** 2))
    latent = torch.ones(1, 1, 2, 2, dtype=torch.float64)
    answers = [
        walked(GaussianModel(schedule, 0.5, kind), latent, InvertedWalk(steps=50, step=step), content="a").latents
        for kind in ("epsilon", "v_prediction")
    ]
    assert torch.equal(*answers) == (step == "published")


def test_an_image_is_made_up_at_the_noise_levels_that_are_read(model):
    """One trajectory per text, at a noised walk's own timesteps; text and seed decide, not the company."""
    from deixis.diffusion.walks import Course, generated

    course = Course(NoisedWalk(3))
    texts = ("effusion", "opacity")
    both = generated(model, model.embed(texts), course, (4, 16, 16), steps=5)
    alone = generated(model, model.embed(texts[1:]), course, (4, 16, 16), steps=5)
    assert [len(one) for one in both] == [3, 3]
    torch.testing.assert_close(both[1].latents, alone[0].latents)
    assert not torch.allclose(both[0].latents, both[1].latents)
    other = generated(model, model.embed(texts[1:]), Course(NoisedWalk(3), seed=1), (4, 16, 16), steps=5)
    assert not torch.allclose(other[0].latents, alone[0].latents)


def test_a_made_up_image_has_the_spread_of_the_data():
    """The exact denoiser of N(0, s²) leads pure noise to N(0, ᾱ·s² + 1 - ᾱ) at every noise level."""
    from deixis.diffusion.walks import Course, generated

    spread = 0.5
    model = GaussianModel(PlantedModel(Box(0, 0, 64, 64)).schedule, spread)
    (made,) = generated(model, model.embed(["a"]), Course(NoisedWalk(3)), (1, 64, 64), steps=200)
    for timestep, latent in zip(made.timesteps.tolist(), made.latents, strict=True):
        expected = math.sqrt(alpha(model.schedule, timestep) * spread**2 + 1 - alpha(model.schedule, timestep))
        assert latent.std().item() == pytest.approx(expected, rel=0.05)


def test_a_walk_remembers_where_it_went_out(model, latent):
    """The clean latent, of inversions and of noisings."""
    for how in (NoisedWalk(2), InvertedWalk(steps=20)):
        assert torch.equal(walked(model, latent, how, content="a").clean, latent)
