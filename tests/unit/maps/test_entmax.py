"""entmax of α = 1.5 against its definition."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from deixis.maps.entmax import entmax15


def by_bisection(scores, rounds=80):
    """τ with Σ max(0, z/2 - τ)² = 1, found by halving an interval."""
    low, high = scores.max() / 2 - 1, scores.max() / 2
    for _ in range(rounds):
        middle = (low + high) / 2
        low, high = (middle, high) if (scores / 2 - middle).clamp(min=0).square().sum() > 1 else (low, middle)
    return (scores / 2 - low).clamp(min=0).square()


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(-20, 20), min_size=1, max_size=12))
def test_agrees_with_bisection(scores):
    """To 1e-6, whatever the scores; ties included."""
    scores = torch.tensor(scores, dtype=torch.float64)
    torch.testing.assert_close(entmax15(scores), by_bisection(scores), atol=1e-6, rtol=0)


def test_two_scores_in_closed_form():
    """Of (d, 0), √p₁ - √p₂ = d/2 and p₁ + p₂ = 1 determine both while d < 2; from there on it is exactly (1, 0)."""
    for d in (0.0, 0.5, 1.0, 1.9):
        p = entmax15(torch.tensor([d, 0.0], dtype=torch.float64))
        assert abs(float(p[0].sqrt() - p[1].sqrt()) - d / 2) < 1e-9
        assert abs(float(p.sum()) - 1) < 1e-9
    assert entmax15(torch.tensor([2.5, 0.0])).tolist() == [1.0, 0.0]


def test_rows_are_apart_and_shifts_do_not_matter():
    """Each row sums to 1; a constant added to a row changes nothing."""
    scores = torch.randn(3, 4, 7, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    found = entmax15(scores)
    torch.testing.assert_close(found.sum(-1), torch.ones(3, 4, dtype=torch.float64))
    torch.testing.assert_close(entmax15(scores + 5), found)
    torch.testing.assert_close(found[1, 2], entmax15(scores[1, 2]))
