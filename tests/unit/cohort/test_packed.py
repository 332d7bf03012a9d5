"""Packed images come out to the last bit."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from deixis.cohort.packed import Packed
from deixis.images.levels import from_unsigned
from deixis.types import Image


@pytest.mark.parametrize(("depth", "kind"), [(8, np.uint8), (16, np.uint16)])
def test_all_stored_numbers_survive(depth, kind):
    """As small as they were in the file."""
    pixels = from_unsigned(np.arange(1 << depth, dtype=kind).reshape(16, -1), depth)
    image = Image(pixels, (0.5, 0.5), notices=("told",), view="frontal")
    packed = Packed.of(image)
    assert packed.pixels.dtype == kind
    again = packed.unpacked()
    np.testing.assert_array_equal(again.pixels, pixels)
    assert again.pixels.dtype == np.float32
    assert (again.spacing, again.notices, again.view) == ((0.5, 0.5), ("told",), "frontal")


@given(arrays(np.float32, (4, 5), elements=st.floats(0, 1, width=32)))
def test_any_pixels_survive(pixels):
    np.testing.assert_array_equal(Packed.of(Image(pixels)).unpacked().pixels, pixels)
