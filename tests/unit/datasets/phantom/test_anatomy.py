"""The body: what lies where, and how large the heart is."""

import numpy as np
import pytest

from deixis.datasets.phantom.anatomy import Body, Style, draw_habitus
from deixis.datasets.phantom.findings import ONE_SIDED
from deixis.datasets.phantom.scene import HEART_RATIO, NORMAL_HEART


def upright(seed: int, ratio: tuple[float, float], size: int = 160) -> Body:
    """A patient as drawn by a seed."""
    return Body(draw_habitus(np.random.default_rng(seed), ratio=ratio, style=Style()), size)


@pytest.mark.parametrize("ratio", [NORMAL_HEART, *HEART_RATIO.values()])
def test_cardiothoracic_ratio_is_as_drawn(ratio: tuple[float, float]) -> None:
    """The heart's breadth over the widest breadth of the rib cage, measured on the masks."""
    for seed in range(6):
        body = upright(seed, ratio)
        heart = np.ptp(body.x[body.heart > 0.5])
        assert ratio[0] - 0.03 < heart / (2 * body.inner.max()) < ratio[1] + 0.03


def test_right_dome_is_higher_and_the_heart_leans_left() -> None:
    """More of the heart lies on the image's right; the patient's right dome stands above the left."""
    for seed in range(6):
        body = upright(seed, NORMAL_HEART)
        assert body.habitus.base[0] < body.habitus.base[1]
        assert body.x[body.heart > 0.5].mean() > 0.03
        assert body.x[body.lung["right"] > 0.5].max() < 0 < body.x[body.lung["left"] > 0.5].min()


@pytest.mark.parametrize("category", sorted(ONE_SIDED))
@pytest.mark.parametrize("side", ["left", "right"])
def test_a_finding_stays_in_the_chest_of_its_side(category: str, side: str) -> None:
    """Its mask is not empty and lies almost wholly inside the rib cage of that side."""
    sign = -1 if side == "right" else 1
    for seed in range(4):
        body = upright(seed, NORMAL_HEART)
        drawn = ONE_SIDED[category](body, np.random.default_rng(seed), side, "moderate", 1.0)
        assert drawn.mask.any()
        assert drawn.density.dtype == np.float32
        inside = (sign * body.x > 0) & (body.wall(side) > -0.02)
        assert (drawn.mask & ~inside).sum() <= 0.02 * drawn.mask.sum()
