"""Numbers for the canvas: their order, their scale, and what stands beside them."""

import numpy as np
import pytest

from deixis.types import Grounding, HeatMap, Image, Phrase, Provenance
from deixis.web import preview
from deixis.web.preview import heat_raster, image_raster

PROVENANCE = Provenance("tiny", "0" * 64, "instant", 0, {}, 0.0, 0)


def grounding(heat, cut=None, seen=None):
    values = np.asarray(heat, np.float32)
    mask = np.zeros(values.shape, bool) if cut is None else values > cut
    seen = np.ones(values.shape, bool) if seen is None else seen
    return Grounding(Image(np.zeros_like(values)), Phrase("opacity"), HeatMap(values, seen), mask, (), PROVENANCE)


def test_brightness_comes_in_sixteen_bits_row_by_row():
    made = image_raster(Image(np.array([[0, 0.5, 1], [0.25, 0.75, 0]], np.float32)))
    assert np.frombuffer(made.content, "<u2").tolist() == [0, 32768, 65535, 16384, 49151, 0]
    assert made.headers == {"Deixis-Shape": "2,3", "Deixis-Step": "1"}


def test_heat_comes_in_eight_bits_with_its_threshold():
    made = heat_raster(grounding([[0, 0.2], [0.6, 1]], cut=0.5))
    assert np.frombuffer(made.raster.content, np.uint8).tolist() == [0, 51, 153, 255]
    assert made.cut == pytest.approx(0.6)
    assert made.headers["Deixis-Cut"] == "0.60000"


def test_an_empty_mask_lies_above_all_heat():
    assert heat_raster(grounding([[0, 0.2], [0.6, 1]])).cut == 1.0


def test_what_was_seen_is_a_box_in_native_pixels():
    seen = np.zeros((4, 6), bool)
    seen[1:3, 2:5] = True
    assert heat_raster(grounding(np.zeros((4, 6)), seen=seen)).seen == (2, 1, 5, 3)
    assert heat_raster(grounding(np.zeros((4, 6)), seen=np.zeros((4, 6), bool))).seen == (0, 0, 0, 0)


def test_a_large_image_is_sampled_in_even_steps(monkeypatch):
    """No more numbers than allowed, each from the middle of its square."""
    monkeypatch.setattr(preview, "IMAGE_LIMIT", 6)
    pixels = np.linspace(0, 1, 7 * 5, dtype=np.float32).reshape(7, 5)
    made = image_raster(Image(pixels))
    assert (made.shape, made.step) == ((2, 2), 3)
    numbers = np.frombuffer(made.content, "<u2").reshape(made.shape)
    np.testing.assert_array_equal(numbers, np.rint(65535 * pixels[1::3, 1::3]))
