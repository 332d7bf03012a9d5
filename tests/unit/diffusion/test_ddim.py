"""The pure steps."""

import pytest
import torch

from deixis.diffusion.ddim import clean, noised, step, velocity, velocity_noise


@pytest.fixture
def pair():
    generator = torch.Generator().manual_seed(0)
    return torch.randn(2, 3, 4, 4, 2, generator=generator, dtype=torch.float64).unbind(-1)


def test_clean_undoes_noised(pair):
    """x̂₀ of a noised latent with its own noise is the latent."""
    latent, noise = pair
    torch.testing.assert_close(clean(noised(latent, noise, 0.3), noise, 0.3), latent)


def test_a_step_and_back_is_no_step(pair):
    """With the same ε the step is exactly reversible: direction is data."""
    latent, noise = pair
    torch.testing.assert_close(step(step(latent, noise, 0.9, 0.2), noise, 0.2, 0.9), latent)


def test_steps_compose(pair):
    """Two steps under one ε are one step."""
    latent, noise = pair
    torch.testing.assert_close(step(step(latent, noise, 0.9, 0.5), noise, 0.5, 0.1), step(latent, noise, 0.9, 0.1))


def test_velocity_and_noise_are_inverse(pair):
    """ε → v → ε at one noise level is the identity, also where nothing is noised yet."""
    latent, noise = pair
    for alpha in (0.2, 1.0):
        torch.testing.assert_close(velocity_noise(velocity(noise, latent, alpha), latent, alpha), noise)


def test_beyond_the_last_timestep_only_noise_is_left(pair):
    """ᾱ = 0 gives ε itself."""
    latent, noise = pair
    torch.testing.assert_close(step(latent, noise, 0.4, 0.0), noise)
