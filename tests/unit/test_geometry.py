"""Placement: native pixels and the model's square, both ways."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from deixis.geometry import Placement, resized
from deixis.types import Box

SIDES = st.integers(1, 3000)
FITS = st.sampled_from(["crop", "pad"])
MODELS = st.sampled_from([(64, 64), (128, 128), (512, 512)])


@st.composite
def boxes(draw):
    """A box anywhere, also outside an image."""
    x0, y0 = draw(st.floats(-100, 3000)), draw(st.floats(-100, 3000))
    return Box(x0, y0, x0 + draw(st.floats(0.5, 3000)), y0 + draw(st.floats(0.5, 3000)), draw(st.floats(0, 1)))


@given(SIDES, SIDES, MODELS, FITS, boxes())
def test_a_box_comes_back_exactly(height, width, model, fit, box):
    """to_native(to_model(box)) == box, to rounding, score kept."""
    placement = Placement.fitting((height, width), model, fit)
    back = placement.box_to_native(placement.box_to_model(box))
    corners = [(getattr(back, edge), getattr(box, edge)) for edge in ("x0", "y0", "x1", "y1")]
    np.testing.assert_allclose(*zip(*corners, strict=True), rtol=1e-9, atol=1e-6)
    assert back.score == box.score


@given(SIDES, SIDES, MODELS)
def test_a_crop_fills_the_frame_and_cuts_one_axis_evenly(height, width, model):
    """The shorter side fits exactly; of the longer one the margins differ by at most a pixel."""
    placement = Placement.fitting((height, width), model, "crop")
    shown = [n * s for n, s in zip((height, width), placement.scale, strict=True)]
    assert min(shown) == pytest.approx(model[0])
    for length, offset, frame in zip(shown, placement.offset, model, strict=True):
        assert offset >= 0
        assert abs((length - frame) - 2 * offset) <= 1 + 1e-6


@given(st.integers(8, 3000), st.integers(8, 3000), MODELS)
def test_a_pad_shows_the_whole_image(height, width, model):
    """Every corner lies inside the frame, and every native pixel is seen on the way back."""
    placement = Placement.fitting((height, width), model, "pad")
    whole = placement.box_to_model(Box(0, 0, width, height))
    assert whole.x0 >= -1e-6
    assert whole.y0 >= -1e-6
    assert whole.x1 <= model[1] + 1e-6
    assert whole.y1 <= model[0] + 1e-6


@settings(deadline=None, max_examples=30)
@given(st.integers(2, 60), st.integers(2, 60), st.integers(2, 90), st.integers(2, 90), st.integers(0, 1000))
def test_resizing_is_torchs(height, width, rows, columns, seed):
    """Bilinear, pixel edges aligned, no antialiasing: `align_corners=False`."""
    values = np.random.default_rng(seed).random((height, width))
    expected = torch.nn.functional.interpolate(
        torch.from_numpy(values)[None, None], (rows, columns), mode="bilinear", align_corners=False
    )[0, 0]
    np.testing.assert_allclose(resized(values, (rows, columns)), expected.numpy(), atol=1e-12)


def test_nearest_resizing_takes_the_cell_of_each_centre():
    """Each value is repeated, or every other one taken."""
    values = np.array([[1.0, 2.0], [3.0, 4.0]])
    assert resized(values, (2, 4), order="nearest").tolist() == [[1, 1, 2, 2], [3, 3, 4, 4]]
    assert resized(resized(values, (6, 8), order="nearest"), (2, 2), order="nearest").tolist() == values.tolist()


def test_the_published_preprocessing_is_a_resize_and_a_centre_crop():
    """Shortest side to the model's, bilinear without antialiasing, then the middle."""
    pixels = np.random.default_rng(0).random((300, 200)).astype(np.float32)
    placement = Placement.fitting((300, 200), (128, 128), "crop")
    large = torch.nn.functional.interpolate(
        torch.from_numpy(pixels)[None, None], (192, 128), mode="bilinear", align_corners=False
    )[0, 0].numpy()
    np.testing.assert_allclose(placement.to_model(pixels, antialias=False), large[32:160], atol=1e-6)


@pytest.mark.parametrize("shape", [(300, 200), (97, 130), (40, 50)])
def test_antialiasing_is_torchs(shape):
    """Away from the border, a shrunk image is smoothed as torch's antialiased bilinear does it."""
    pixels = np.random.default_rng(0).random(shape).astype(np.float32)
    placement = Placement.fitting(shape, (32, 32), "crop")
    size = [round(n * s) for n, s in zip(shape, placement.scale, strict=True)]
    expected = torch.nn.functional.interpolate(
        torch.from_numpy(pixels)[None, None], size, mode="bilinear", align_corners=False, antialias=True
    )[0, 0].numpy()
    top, left = (int(offset) for offset in placement.offset)
    got = placement.to_model(pixels)
    np.testing.assert_allclose(got[2:-2, 2:-2], expected[top : top + 32, left : left + 32][2:-2, 2:-2], atol=1e-5)


@pytest.mark.parametrize("antialias", [True, False])
def test_a_constant_image_stays_constant(antialias):
    """Weights sum to one, at the border too; padding is 0."""
    pixels = np.full((70, 45), 0.5, np.float32)
    cropped = Placement.fitting((70, 45), (32, 32), "crop").to_model(pixels, antialias=antialias)
    np.testing.assert_allclose(cropped, 0.5, atol=1e-6)
    padded = Placement.fitting((70, 45), (32, 32), "pad").to_model(pixels, antialias=antialias)
    assert set(np.round(np.unique(padded), 5)) == {0.0, 0.5}


def test_cropped_margins_are_unseen():
    """A landscape image of twice the width loses a quarter on either side."""
    heat = Placement.fitting((100, 200), (64, 64), "crop").to_native(np.ones((64, 64)))
    assert heat.seen[:, 50:150].all()
    assert not heat.seen[:, :50].any()
    assert not heat.seen[:, 150:].any()
    assert (heat.values[heat.seen] > 0.999).all()
    assert not heat.values[~heat.seen].any()


def test_a_pad_sees_everything():
    """No native pixel is out of the frame."""
    assert Placement.fitting((100, 203), (64, 64), "pad").to_native(np.ones((64, 64))).seen.all()


@pytest.mark.parametrize("fit", ["crop", "pad"])
@pytest.mark.parametrize("shape", [(100, 100), (300, 200), (97, 131)])
def test_a_mask_moves_with_its_box(shape, fit):
    """A rectangle of the model's frame covers in native pixels what its box says, to a pixel."""
    placement = Placement.fitting(shape, (64, 64), fit)
    mask = np.zeros((64, 64), bool)
    mask[20:30, 24:44] = True
    rows, columns = np.nonzero(placement.mask_to_native(mask))
    box = placement.box_to_native(Box(24, 20, 44, 30))
    found = columns.min(), rows.min(), columns.max() + 1, rows.max() + 1
    np.testing.assert_allclose(found, (box.x0, box.y0, box.x1, box.y1), atol=1)


def test_arrays_of_another_shape_are_refused():
    """A placement belongs to one image."""
    placement = Placement.fitting((10, 20), (8, 8))
    with pytest.raises(ValueError, match="expected"):
        placement.to_model(np.zeros((20, 10), np.float32))
    with pytest.raises(ValueError, match="expected"):
        placement.to_native(np.zeros((9, 8)))
