"""Several maps become one."""

import pytest
import torch

from deixis.maps.fusion import FUSIONS, fused, mean, product, rank, standardised_mean


def maps(*cells):
    return torch.tensor(cells).reshape(1, 2, 2)


def test_one_map_stays_as_it_is():
    """Whatever the fusion: the published reading must not change."""
    one = maps(0.2, 5.0, 1.0, 3.0)
    assert fused([one], [0.5], "product") is one


def test_product_is_a_weighted_geometric_mean_of_maps_from_0_to_1():
    """0 where one of them says no."""
    found = product([maps(0.0, 2.0, 1.0, 4.0), maps(3.0, 0.0, 1.5, 3.0)], [0.5, 0.5])
    torch.testing.assert_close(found, maps(0.0, 0.0, (0.25 * 0.5) ** 0.5, 1.0))


def test_mean_divides_each_by_its_maximum_first():
    """A map of large numbers counts no more than one of small ones."""
    torch.testing.assert_close(mean([maps(0.0, 100.0, 50.0, 0.0), maps(1.0, 0.0, 0.5, 0.0)], [1.0, 3.0]),
                               maps(0.75, 0.25, 0.5, 0.0))  # fmt: skip


def test_standardised_mean_is_nowhere_negative():
    """Opposite maps cancel to nothing."""
    one = maps(0.0, 1.0, 2.0, 3.0)
    assert standardised_mean([one, 3 - one], [1.0, 1.0]).abs().max() < 1e-6


def test_rank_sees_order_alone():
    """Any rising change of a map leaves it; ties share the lower rank."""
    one = maps(0.0, 0.1, 0.2, 9.0)
    torch.testing.assert_close(rank([one], [1.0]), maps(0.0, 1 / 3, 2 / 3, 1.0))
    torch.testing.assert_close(rank([one.exp()], [1.0]), rank([one], [1.0]))
    torch.testing.assert_close(rank([maps(1.0, 1.0, 2.0, 2.0)], [1.0]), maps(0.0, 0.0, 2 / 3, 2 / 3))


@pytest.mark.parametrize("fusion", FUSIONS.names())
def test_every_row_merges_maps_of_different_grids(fusion):
    """On the finest grid, finite, >= 0; maps that say nothing are no error."""
    coarse, fine = torch.rand(2, 2, 2), torch.rand(2, 4, 4)
    found = fused([coarse, fine], [0.5, 0.5], fusion)
    assert found.shape == (2, 4, 4)
    assert torch.isfinite(found).all()
    assert (found >= 0).all()
    nothing = fused([torch.zeros(1, 4, 4), torch.zeros(1, 4, 4)], [0.5, 0.5], fusion)
    assert torch.isfinite(nothing).all()
    assert nothing.max() == nothing.min()
