"""Images, heat and boxes as layers of a page."""

import base64
import io

import numpy as np
import PIL.Image
import pytest

from deixis.types import Box
from deixis.writers import layers as room
from deixis.writers.layers import (
    COLOURS,
    IMAGE_SIDE,
    chips,
    coloured_heat,
    data_uri,
    grey,
    layers,
    svg_boxes,
    tinted_heat,
)
from unit.writers.making import empty_grounding, grounding


def test_each_grounding_gets_the_next_colour_and_number():
    made = layers([grounding(str(number)) for number in range(len(COLOURS) + 1)])
    assert [one.number for one in made] == list(range(1, len(COLOURS) + 2))
    assert [one.colour for one in made[:-1]] == list(COLOURS)
    assert made[-1].colour == COLOURS[0]


def test_colours_stand_apart_and_are_light_enough_for_dark_letters():
    values = [np.array(room.rgb(colour), float) for colour in COLOURS]
    for index, one in enumerate(values):
        assert one @ (0.2126, 0.7152, 0.0722) > 120
        assert all(np.abs(one - other).sum() > 60 for other in values[index + 1 :])


def test_a_picture_in_a_page_is_lossless():
    plane = PIL.Image.fromarray(np.arange(64, dtype=np.uint8).reshape(8, 8))
    head, _, content = data_uri(plane).partition(",")
    assert head == "data:image/png;base64"
    assert np.array_equal(np.asarray(PIL.Image.open(io.BytesIO(base64.b64decode(content)))), np.asarray(plane))


def test_an_image_is_made_smaller_but_never_larger():
    assert grey(grounding(shape=(60, 80)).image).size == (80, 60)
    assert grey(grounding(shape=(300, 2 * IMAGE_SIDE)).image).size == (IMAGE_SIDE, 150)


@pytest.mark.parametrize("paint", [lambda one: tinted_heat(layers([one])[0]), coloured_heat])
def test_heat_is_seen_through_where_there_is_none(paint):
    one = grounding(unseen=0)
    alpha = np.asarray(paint(one))[..., 3]
    y, x = np.unravel_index(one.heat.values.argmax(), one.heat.values.shape)
    assert alpha[y, x] > 180
    assert alpha[0, -1] == 0


def test_no_heat_is_no_colour():
    assert np.asarray(tinted_heat(layers([empty_grounding()])[0]))[..., 3].max() == 0


def test_the_tint_is_the_layers_colour():
    layer = layers([grounding()])[0]
    painted = np.asarray(tinted_heat(layer))
    assert (painted[..., :3] == room.rgb(layer.colour)).all()


def test_boxes_stand_at_their_native_pixels():
    drawn = svg_boxes((Box(10, 20, 30, 60),), (100, 200), "#123456")
    assert 'x="10.0" y="20.0" width="20.0" height="40.0"' in drawn
    assert "#123456" in drawn
    assert svg_boxes((), (100, 200), "#123456") == ""


def test_numbers_hide_none_and_stay_inside():
    boxes = (Box(0, 0, 50, 50), Box(180, 3, 200, 50))
    placed = chips(layers([grounding(str(number), boxes=boxes) for number in range(3)]), (100, 200))
    assert len(placed) == 6
    assert all(one.x >= 0 and one.x + one.width <= 200 and one.y >= 0 for one in placed)
    left = [one for one in placed if one.x < 100]
    assert not any(one.hides(other) for one in left for other in left if one is not other)
