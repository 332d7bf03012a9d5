"""A named side against the other one, on a model whose noise is worked out by hand."""

import torch

from deixis.maps.gathering import Scope, gather
from deixis.maps.information import smoothed
from deixis.maps.plan import scope_of
from deixis.maps.reading import Question
from deixis.maps.sides import NamedSide
from deixis.recipes import BEST, NoisedWalk
from deixis.types import Box, Phrase
from planted_model import PlantedModel
from walking import reader_of, walked

# On the image's right, where the patient's left is.
PLACE = Box(64, 32, 128, 96)


class Sided(PlantedModel):
    """Told "left" it predicts the added noise inside the place; told anything else, none."""

    def __init__(self):
        super().__init__(PLACE)
        self.told = []
        self.clean = torch.zeros(1, 4, 16, 16)

    def noise(self, latent, timestep, context):
        self.told += context.texts
        alpha = torch.from_numpy(self.schedule.alphas_bar)[timestep].float()[:, None, None, None]
        added = (latent - alpha.sqrt() * self.clean) / (1 - alpha).sqrt()
        left = torch.tensor(["left" in text for text in context.texts])[:, None, None, None]
        return added * left * self._inside(16)


def asked(*texts, levels=None):
    """The maps, the model that gave them, the noise that was added and where the place is."""
    model = Sided()
    reader = reader_of(model, walked(model, model.clean, NoisedWalk(3)))
    question = Question.of_one_image(tuple(map(Phrase, texts)), model.embed(texts))
    scope = Scope(reader.sites, torch.full((3,), 1 / 3) if levels is None else levels)
    evidence = NamedSide(reader, question, scope)
    gather(reader, question, [evidence])
    return evidence.maps(), model, reader.added_noise[0], model._inside(16)


def test_it_is_the_likelihood_ratio_of_the_two_sides():
    """Σ (ε - 0)² - (ε - ε)² inside the place, smoothed by a cell, through the curve; the other side is its mirror."""
    maps, _, added, inside = asked("left effusion", "right effusion")
    ratio = smoothed(((added * inside) ** 2).sum(1).mean(0)[None], 1.0)[0]
    expected = torch.sigmoid(12 * ratio / ratio.max())
    torch.testing.assert_close(maps[0], expected, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(maps[1], 1 - expected, atol=1e-4, rtol=1e-4)


def test_a_phrase_without_a_side_is_left_alone_and_costs_nothing():
    """1 everywhere, and nothing is asked about its other side; the sided one beside it is asked three times more."""
    maps, model, _, _ = asked("effusion", "left effusion")
    assert (maps[0] == 1).all()
    assert maps[1].min() < maps[1].max()
    assert sorted(set(model.told)) == ["effusion", "left effusion", "right effusion"]
    assert model.told.count("right effusion") == 3


def test_only_the_noise_levels_of_its_scope_are_asked():
    """One level of three counts: one evaluation for the other side."""
    _, model, _, _ = asked("left effusion", levels=torch.tensor([0.0, 0.0, 1.0]))
    assert model.told.count("right effusion") == 1


def test_what_several_evidences_name_is_asked_once():
    """Whole and halves share the evaluations of the other side; each counts its own levels."""
    model = Sided()
    reader = reader_of(model, walked(model, model.clean, NoisedWalk(4)))
    question = Question.of_one_image((Phrase("left effusion"),), model.embed(["left effusion"]))
    shares = [torch.tensor(one) for one in ([0.25] * 4, [0.5, 0.0, 0.5, 0.0], [0.0, 0.5, 0.0, 0.5])]
    together = [NamedSide(reader, question, Scope(reader.sites, share)) for share in shares]
    gather(reader, question, together)
    assert model.told.count("right effusion") == 4
    for share, one in zip(shares, together, strict=True):
        alone = NamedSide(reader, question, Scope(reader.sites, share))
        gather(reader, question, [alone])
        torch.testing.assert_close(one.maps(), alone.maps())


def test_best_asks_about_the_other_side_where_noise_hides_detail():
    """Six of its eighteen noise levels, whatever the model."""
    model = PlantedModel(PLACE)
    latent = model.encode(torch.zeros(1, 1, 128, 128))
    reader = reader_of(model, walked(model, latent, BEST.walk))
    side = next(source for source in BEST.sources if source.evidence == "named-side")
    assert scope_of(reader, side).levels.count_nonzero() == 6
