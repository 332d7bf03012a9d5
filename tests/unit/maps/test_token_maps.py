"""Sums of token maps over noise levels."""

import torch

from deixis.maps.reading import Reply
from deixis.maps.taps import Heard, probabilities
from deixis.maps.token_maps import TokenMaps
from deixis.types import Site

SITE = Site("site", 0, "cross", (3, 5), 2, 0.7)
EVEN = torch.full((1, 1, 6), 1 / 6)
ONE_LEVEL = torch.ones(1)


def heard(cases, site=SITE, seed=0):
    generator = torch.Generator().manual_seed(seed)
    q = torch.randn(cases, 2, 15, 4, generator=generator)
    return Heard(site, q, torch.randn(cases, 2, 6, 4, generator=generator), None)


def reply(phrases, steps=None):
    where = torch.tensor(phrases)
    return Reply(where, torch.zeros_like(where), torch.zeros_like(where) if steps is None else steps, (), None)


def test_sums_go_to_the_phrase_that_each_case_belongs_to():
    """Cases of two phrases in one batch are told apart, whatever their order."""
    weights = torch.full((2, 1, 6), 1 / 6)
    weights[1, 0] = torch.eye(6)[2]
    sums, said = TokenMaps(weights, ONE_LEVEL, stretch=False), heard(3)
    sums.add(said, reply([1, 0, 1]))
    expected = probabilities(SITE, said.q, said.k, None)
    got = sums.maps()[SITE]
    assert got.shape == (2, 1, 3, 5)
    torch.testing.assert_close(got[0].flatten(), torch.full((15,), 1 / 6))
    torch.testing.assert_close(got[1].flatten(), expected[0, :, 2] + expected[2, :, 2])


def test_levels_count_as_they_are_weighted():
    """A level of weight 0 leaves no trace."""
    one_token = torch.eye(6)[None, None, 1]
    said, levels = heard(2), torch.tensor([0.0, 0.25])
    sums = TokenMaps(one_token, levels, stretch=False)
    sums.add(said, reply([0, 0], torch.tensor([0, 1])))
    torch.testing.assert_close(sums.maps()[SITE][0, 0].flatten(), 0.25 * said.probabilities[1, :, 1])


def test_what_is_kept_does_not_grow_with_readings():
    """One reading or fifty: the same tensors of the same size."""
    sums, sizes = TokenMaps(EVEN, ONE_LEVEL, stretch=True), set()
    for seed in range(50):
        sums.add(heard(2, seed=seed), reply([0, 0]))
        sizes.add(sum(kept.numel() for kept in vars(sums)["_sums"].values()))
    assert sizes == {15}


def test_other_attention_can_take_the_place_of_the_models_own():
    """What is handed over is summed instead."""
    sums = TokenMaps(EVEN, ONE_LEVEL, stretch=False)
    sums.add(heard(1), reply([0]), torch.full((1, 15, 6), 3.0))
    torch.testing.assert_close(sums.maps()[SITE], torch.full((1, 1, 3, 5), 3.0))


def test_maps_come_in_call_order():
    """Whatever order sites were heard in."""
    sums = TokenMaps(EVEN, ONE_LEVEL, stretch=True)
    for index in (2, 0, 1):
        sums.add(heard(1, Site(f"site{index}", index, "cross", (3, 5), 2, 0.7)), reply([0]))
    assert [site.index for site in sums.maps()] == [0, 1, 2]
