"""The information map and its kin on a model whose noise is worked out by hand."""

from dataclasses import replace

import pytest
import torch

from deixis.maps.gathering import Scope, gather
from deixis.maps.information import Information, Likelihood, Projection, smoothed
from deixis.maps.reading import Question
from deixis.recipes import NoisedWalk
from deixis.types import Box, Phrase
from planted_model import PlantedModel
from walking import reader_of, walked

PLACE = Box(32, 64, 96, 128)


class Knowing(PlantedModel):
    """Told nothing it predicts no noise; told a phrase, `share` of the noise that was added, inside the place."""

    def __init__(self, share):
        super().__init__(PLACE)
        self.share = share
        self.clean = torch.zeros(1, 4, 16, 16)

    def encode(self, pixels):
        return self.clean

    def noise(self, latent, timestep, context):
        alpha = torch.from_numpy(self.schedule.alphas_bar)[timestep].float()[:, None, None, None]
        added = (latent - alpha.sqrt() * self.clean) / (1 - alpha).sqrt()
        says = torch.tensor([bool(text) for text in context.texts])[:, None, None, None]
        return self.share * added * says * self._inside(16)


def gathered(kind, share, levels=None):
    """The evidence, and the noise that was added at every level."""
    model = Knowing(share)
    reader = reader_of(model, walked(model, model.clean, NoisedWalk(3)))
    question = Question.of_one_image((Phrase("effusion"),), model.embed(["effusion"]))
    scope = Scope(reader.sites, torch.full((3,), 1 / 3) if levels is None else levels)
    evidence = kind(reader, question, scope)
    gather(reader, question, [evidence])
    return evidence, reader.added_noise[0], model._inside(16)


def test_information_is_the_squared_change():
    """ε_u = 0, so that it is Σ_channel (share·ε)² inside, smoothed, and 0 far outside."""
    evidence, added, inside = gathered(Information, 0.5)
    expected = ((0.5 * added * inside) ** 2).sum(1).mean(0)
    torch.testing.assert_close(evidence.maps()[0], smoothed(expected[None], 0.7)[0])


@pytest.mark.parametrize(("share", "factor"), [(0.5, 0.75), (1.0, 1.0), (2.0, 0.0), (-1.0, -3.0)])
def test_likelihood_is_the_gain_in_squared_error(share, factor):
    """ε² - (ε - share·ε)² = (2·share - share²)·ε²: 0 for a phrase that overshoots by as much as it lacked."""
    evidence, added, inside = gathered(Likelihood, share)
    expected = factor * ((added * inside) ** 2).sum(1).mean(0)
    torch.testing.assert_close(evidence.signed()[0], expected, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(evidence.maps(), evidence.signed().clamp(min=0))


def test_projection_does_not_mind_overshooting():
    """ε·(share·ε)."""
    evidence, added, inside = gathered(Projection, 2.0)
    torch.testing.assert_close(evidence.maps()[0], 2 * ((added * inside) ** 2).sum(1).mean(0))


def test_levels_that_do_not_count_leave_no_trace():
    """Only the second of three."""
    evidence, added, inside = gathered(Likelihood, 1.0, torch.tensor([0.0, 1.0, 0.0]))
    torch.testing.assert_close(evidence.maps()[0], ((added[1] * inside) ** 2).sum(0))


def test_noise_that_never_came_is_an_error():
    """A pass that ended early cannot tell."""
    evidence, _, _ = gathered(Information, 1.0)
    from deixis.maps.reading import Reply

    where = torch.zeros(1, dtype=torch.long)
    with pytest.raises(ValueError, match="needs predicted noise"):
        evidence.take(Reply(where, where, where, (), None))


def test_the_noise_between_the_clean_latent_and_a_step_is_what_was_added():
    """z = √ᾱ·z₀ + √(1-ᾱ)·ε, solved for ε, is the drawn noise again."""
    from deixis.diffusion.walks import draw_noise

    model = Knowing(1.0)
    model.clean = torch.rand(1, 4, 16, 16)
    trajectory = walked(model, model.clean, NoisedWalk(3), content="image")
    reader = reader_of(model, trajectory)
    torch.testing.assert_close(reader.added_noise[0], draw_noise(model.clean, 3, "image", 0), atol=1e-4, rtol=1e-4)
    assert replace(reader, batches=reader.batches).alphas_bar.shape == (3,)


def test_strength_is_the_mean_of_the_highest_twentieth():
    """Of the smoothed ratio; it grows with what the phrase explains, and a phrase that explains worse is below 0."""
    evidence, _, _ = gathered(Likelihood, 1.0)
    cells = smoothed(evidence.signed(), 1.0).flatten().sort(descending=True).values
    torch.testing.assert_close(evidence.strength(), cells[:13].mean()[None])
    assert gathered(Likelihood, 0.3)[0].strength() < evidence.strength()
    assert gathered(Likelihood, -1.0)[0].signed().sum() < 0


def test_what_only_points_tells_no_strength():
    """The information map has no sign to go by."""
    assert gathered(Information, 1.0)[0].strength() is None
