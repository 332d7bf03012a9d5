"""From a map to a mask and boxes."""

import numpy as np
import pytest
import scipy.ndimage

from deixis.errors import UnknownNameError
from deixis.maps.boxes import boxes_of
from deixis.maps.masks import THRESHOLDS, cut
from deixis.maps.refine import refined, to_unit_range


def test_refined_is_scipys_gaussian_in_the_unit_range():
    """σ 2.5, border mirrored, cut at 4 σ, then min-max."""
    heat = np.random.default_rng(0).random((40, 50)).astype(np.float32)
    blurred = scipy.ndimage.gaussian_filter(heat, 2.5, mode="reflect", truncate=4)
    expected = (blurred - blurred.min()) / (blurred.max() - blurred.min())
    np.testing.assert_allclose(refined(heat, 2.5), expected, atol=1e-6)


@pytest.mark.parametrize("value", [0.0, 0.3, 1e-8])
def test_a_constant_map_points_nowhere(value):
    """Zeros, an empty mask, no boxes; and no warning on the way."""
    heat = refined(np.full((32, 32), value, np.float32), 2.5)
    assert not heat.any()
    for threshold in THRESHOLDS:
        assert not cut(heat, threshold).any()


def test_rounding_errors_are_no_signal():
    """A map that differs by float noise alone is constant."""
    assert not to_unit_range(np.full((4, 4), 0.3) + np.arange(16).reshape(4, 4) * 1e-10).any()


def test_otsu_parts_two_levels():
    """Between the two values of a two-valued map, wherever they lie."""
    heat = np.zeros((20, 20), np.float32)
    heat[5:9, 5:9] = 1
    assert np.array_equal(cut(heat, "otsu"), heat == 1)


def test_an_unknown_threshold_lists_the_known():
    """With the closest name as a hint."""
    with pytest.raises(UnknownNameError, match="otsu"):
        cut(np.eye(4, dtype=np.float32), "otzu")


def test_boxes_cover_their_components_best_first():
    """Half-open native pixels; score is the mean heat inside the component; touching corners belong together."""
    mask = np.zeros((20, 30), bool)
    mask[2:5, 3:9] = True
    mask[10:12, 20:22] = mask[12:14, 22:25] = True
    heat = np.where(mask, 0.5, 0.0)
    heat[10:14, 20:25] *= 1.8
    found = boxes_of(mask, heat, minimum_area=1)
    assert [(box.x0, box.y0, box.x1, box.y1) for box in found] == [(20, 10, 25, 14), (3, 2, 9, 5)]
    assert [box.score for box in found] == pytest.approx([0.9, 0.5])


def test_specks_are_no_boxes():
    """Components below the least area are left out; an empty mask has none."""
    mask = np.zeros((20, 30), bool)
    mask[3, 3] = True
    mask[10:12, 10:12] = True
    assert len(boxes_of(mask, mask.astype(float), minimum_area=2)) == 1
    assert boxes_of(np.zeros((5, 5), bool), np.zeros((5, 5)), minimum_area=1) == ()


def test_gamma_levels_the_heat_and_keeps_its_order() -> None:
    """A power below 1 lifts what lies between 0 and 1, moves neither end, and ranks pixels as before."""
    heat = np.random.default_rng(0).random((16, 16)).astype(np.float32)
    plain, levelled = refined(heat, 1.0), refined(heat, 1.0, 0.5)
    np.testing.assert_allclose(levelled, np.sqrt(plain), atol=1e-6)
    assert (levelled.min(), levelled.max()) == (0, 1)
    assert np.array_equal(np.argsort(plain, axis=None), np.argsort(levelled, axis=None))


def two_hills():
    """A tall hill and, apart from it, one a third as tall."""
    y, x = np.mgrid[:40, :60]
    return sum(height * np.exp(-((y - 20) ** 2 + (x - at) ** 2) / 40) for height, at in ((1.0, 15), (0.34, 45))).astype(
        np.float32
    )


def test_parts_that_nowhere_come_near_the_peak_are_left_out():
    """Hysteresis: the hill of a third of the height goes above .34 and stays below; the tall one always stays."""
    heat = two_hills()
    both, tall = cut(heat, "mean"), cut(heat, "mean", minimum_peak=0.45)
    assert scipy.ndimage.label(both)[1] == 2
    assert scipy.ndimage.label(tall)[1] == 1
    assert tall[20, 15]
    assert not tall[20, 45]
    assert np.array_equal(cut(heat, "mean", minimum_peak=0.3), both)


def test_minimum_peak_keeps_a_single_part_whatever_it_is():
    """There is nothing to choose from."""
    heat = np.zeros((8, 8), np.float32)
    heat[2:4, 2:4] = 0.2
    assert np.array_equal(cut(heat, "half", minimum_peak=1.0), heat > 0)


def test_a_mixture_is_cut_between_its_two_means():
    """Two Gaussians of known means: the cut is their middle, as scikit-learn's mixture has it."""
    from sklearn.mixture import GaussianMixture

    rng = np.random.default_rng(0)
    heat = np.where(rng.random((60, 60)) < 0.2, rng.normal(0.8, 0.05, (60, 60)), rng.normal(0.2, 0.05, (60, 60)))
    oracle = GaussianMixture(2, random_state=0).fit(heat.reshape(-1, 1)).means_.mean()
    assert THRESHOLDS["mixture"](heat) == pytest.approx(oracle, abs=1e-3)
    assert THRESHOLDS["mixture"](heat) == pytest.approx(0.5, abs=0.02)


def test_the_top_tenth_is_a_tenth():
    """Of a map without ties."""
    heat = np.random.default_rng(0).permutation(1000).reshape(20, 50) / 1000
    assert cut(heat, "top-tenth").mean() == pytest.approx(0.1, abs=0.002)
