"""Memory of a call, counted tensor by tensor."""

import pytest
import torch

from deixis.errors import ResourceError
from deixis.models.footprint import case_bytes, cases_within, peak_bytes, weights_bytes


def test_the_peak_is_what_lives_at_one_time():
    """Three megabyte tensors one after another are one at a time, but for the one being made."""

    def work():
        one = torch.zeros(2**18)
        for _ in range(3):
            one = one + 1
        one.view(512, 512).add_(1)

    assert peak_bytes(work) == 2 * 2**20


def test_a_limit_gives_the_cases_that_fit(tiny_model):
    """Weights and so many cases; less than one is an error that says what is needed."""
    weights, case = weights_bytes(tiny_model), case_bytes(tiny_model)
    assert weights > 0
    assert cases_within(tiny_model, weights + 5 * case) == 5
    with pytest.raises(ResourceError, match="weights and one case take"):
        cases_within(tiny_model, weights)
