"""Many images at once answer as each by itself."""

from dataclasses import replace

import numpy as np
import pytest

from deixis.diffusion.kept import Trajectories
from deixis.errors import PhraseError, ResourceError
from deixis.ground import ground, open_image
from deixis.many import TOGETHER, ground_many
from deixis.recipes import FAST, PAPER, InvertedWalk
from deixis.types import Box
from planted_model import PlantedModel

SHORT = replace(PAPER, walk=InvertedWalk(steps=20, window=(0.3, 0.6)))


def images(count):
    rng = np.random.default_rng(0)
    return [rng.random((60 + i, 80), dtype=np.float32) for i in range(count)]


@pytest.mark.parametrize("recipe", ["fast", "guided", "instant", SHORT])
def test_the_answers_are_those_of_one_image_at_a_time(tiny_model, recipe):
    """More images than fit together, with none, one and two phrases each; equal but for the last digits."""
    asked = [(image, ["effusion", "opacity"][: i % 3]) for i, image in enumerate(images(TOGETHER + 2))]
    together = list(ground_many(asked, tiny_model, recipe))
    assert [len(found) for found in together] == [len(phrases) for _, phrases in asked]
    for (image, phrases), found in zip(asked, together, strict=True):
        for theirs, ours in zip(ground(image, phrases, tiny_model, recipe), found, strict=True):
            assert ours.phrase == theirs.phrase
            assert np.abs(ours.heat.values - theirs.heat.values).max() < 1e-3


def test_evaluations_are_counted_per_image():
    """The first phrase carries what is spent once per image."""
    model = PlantedModel(Box(0, 0, 64, 64))
    found = list(ground_many([(image, ["a", "b"]) for image in images(3)], model, "guided"))
    assert [[one.provenance.unet_evaluations for one in each] for each in found] == [[20, 10]] * 3
    assert model.calls == 90


def test_batches_are_shared_and_bounded():
    """Three images of ten draws fill batches of 16, and none is larger."""
    model = PlantedModel(Box(0, 0, 64, 64))
    list(ground_many([(image, ["a"]) for image in images(3)], model, "fast", batch=16))
    assert model.largest_batch == 16


def test_a_kept_walk_is_not_walked_again(tiny_model):
    """The second time only the reading is left, and the answer is the same to the last bit."""
    kept, image = Trajectories(), images(1)[0]
    first, second = (open_image(image, tiny_model, SHORT, kept=kept).find("effusion") for _ in range(2))
    assert np.array_equal(first.heat.values, second.heat.values)
    assert second.provenance.unet_evaluations < first.provenance.unet_evaluations
    assert len(kept) == 1


def test_a_phrase_of_instant_costs_no_evaluation(tiny_model):
    """Only the first phrase carries the ten with ""."""
    view = open_image(images(1)[0], tiny_model, "instant")
    assert [view.find(text).provenance.unet_evaluations for text in ("effusion", "opacity", "effusion")] == [10, 0, 0]


class Small(PlantedModel):
    """Has room for five cases at a time, and says so only after a site was heard."""

    def noise(self, latent, timestep, context):
        answer = super().noise(latent, timestep, context)
        if len(latent) > 5:
            raise ResourceError("Out of memory with too many cases.")
        return answer


@pytest.mark.parametrize("recipe", ["fast", "guided", "instant", SHORT])
def test_memory_that_ends_halves_the_batch_and_loses_nothing(recipe):
    """The same answer as with room enough, and a notice."""
    image, place = images(1)[0], Box(0, 0, 64, 64)
    enough = ground(image, ["a", "b"], PlantedModel(place), recipe, batch=4)
    little = ground(image, ["a", "b"], Small(place), recipe, batch=16)
    for one, other in zip(enough, little, strict=True):
        np.testing.assert_allclose(one.heat.values, other.heat.values, atol=1e-6)
    assert any("Out of memory" in notice for notice in little[-1].provenance.notices)


def test_less_memory_means_smaller_batches(tiny_model):
    """A limit that fits three cases gives batches of three."""
    from deixis.models.footprint import case_bytes, weights_bytes

    limit = weights_bytes(tiny_model) + 3 * case_bytes(tiny_model)
    view = open_image(images(1)[0], tiny_model, FAST, max_memory=limit)
    assert view._reader.batches.most == 3


def test_errors_come_when_their_image_is_reached(tiny_model):
    """The images before are answered."""
    asked = [(image, ["effusion"]) for image in images(2 * TOGETHER)]
    asked[-1] = (asked[-1][0], ["effusion " * 200])
    answers = ground_many(asked, tiny_model, "fast")
    with pytest.raises(PhraseError):
        list(answers)


def test_lanes_share_the_memory_that_is_allowed(tiny_model, monkeypatch):
    """Room for five cases gives two lanes of two; room for one gives one lane."""
    from deixis.models.footprint import case_bytes, weights_bytes

    seen = []
    monkeypatch.setattr("deixis.many._answered", lambda group, model, way: seen.append(way.batches.most) or [])
    for cases, most in ((5, 2), (1, 1)):
        limit = weights_bytes(tiny_model) + cases * case_bytes(tiny_model)
        list(ground_many([(image, ["a"]) for image in images(2)], tiny_model, FAST, max_memory=limit))
        assert seen.pop() == most


def test_threads_are_as_before_afterwards(tiny_model):
    import torch

    before = torch.get_num_threads()
    list(ground_many([(image, ["effusion"]) for image in images(3)], tiny_model, FAST))
    assert torch.get_num_threads() == before


@pytest.mark.parametrize(("count", "sizes"), [(0, []), (1, [1]), (4, [2, 2]), (17, [8, 8, 1]), (19, [8, 8, 2, 1])])
def test_lanes_share_out_what_there_is(count, sizes):
    """Full groups while there are many; the rest in even parts."""
    from deixis.many import _groups

    asked = [(number, []) for number in range(count)]
    groups = list(_groups(asked, min(2, max(1, count))))
    assert [len(group) for group in groups] == sizes
    assert [one for group in groups for one in group] == asked
