"""Overlay pictures."""

import time

import numpy as np
import pytest
from PIL import Image as Pillow

from deixis.types import Box, Phrase
from deixis.writers import ramp
from deixis.writers.lettering import Block, Word, block, drawable, font, length, text_block
from deixis.writers.overlay import RESEARCH, picture, ticks, write_png
from deixis.writers.panels import ANSWER, SIDE, panels
from unit.writers.making import empty_grounding, grounding


def lines(made: Block) -> list[str]:
    return [" ".join(word.text for word in line) for line in made.lines]


# ---- colours


def test_lightness_rises_evenly():
    """In CIE L*, every eight steps rise by two to three units, so that more heat never looks like less."""
    encoded = ramp.ramp() / 255
    linear = np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)
    lightness = 116 * np.cbrt(linear @ [0.2126, 0.7152, 0.0722]) - 16
    rises = lightness[8:] - lightness[:-8]
    assert rises.min() > 2
    assert rises.max() < 3
    assert lightness[0] < 20
    assert lightness[-1] > 90


def test_no_heat_leaves_the_image_alone():
    """Where heat is 0 the grey shows unchanged; where it is 1 most of it is hidden."""
    grey = np.linspace(0, 1, 12).reshape(3, 4)
    np.testing.assert_allclose(ramp.over(grey, np.zeros((3, 4))), 255 * np.repeat(grey[..., None], 3, -1))
    assert 0.6 < ramp.opacity(np.array([1.0]))[0] < 0.95
    assert (np.diff(ramp.opacity(np.linspace(0, 1, 99))) >= 0).all()


# ---- text


def test_every_drawable_letter_is_in_the_typeface():
    """No empty rectangles: what the typeface lacks is replaced."""
    missing = bytes(font(20).getmask("\uffff"))
    text = drawable("Größe «×» — “quoted” … naïve café ø œ 胸 \u0301 1–2\t3")
    assert text == "Grosse “x” - “quoted” … naive cafe o oe ?  1-2 3"
    assert all(bytes(font(20).getmask(letter)) != missing for letter in text if letter != " ")


@pytest.mark.parametrize("text", ["a " * 300, "pneumonoultramicroscopicsilicovolcanoconiosis" * 9, "word", ""])
def test_lines_are_never_wider_than_their_room(text):
    """Long words break, long texts end in an ellipsis."""
    made = text_block(text, (255, 255, 255), 20, 300, 3)
    assert len(made.lines) <= 3
    assert all(length(line, 20) <= 300 + 20 for line in made.lines)
    assert (lines(made) or [""])[-1].endswith("…") == (len(text) > 100)


def test_wrapping_keeps_order_and_colour():
    """Words stay in order, each with its own colour."""
    words = [Word(str(i), (i, 0, 0)) for i in range(30)]
    made = block(words, 20, 200, 99)
    assert [word for line in made.lines for word in line] == words
    assert len(made.lines) > 2


@pytest.mark.parametrize(("low", "high", "most", "expected"), [
    (0, 1, 6, (0, 0.2, 0.4, 0.6, 0.8, 1.0)),
    (0, 0.9998, 6, (0, 0.2, 0.4, 0.6, 0.8, 1.0)),
    (0, 0.037, 4, (0, 0.01, 0.02, 0.03)),
    (-2, 3, 6, (-2, -1, 0, 1, 2, 3)),
    (0, 1, 1, (0, 1)),
])  # fmt: skip
def test_ticks_are_round(low, high, most, expected):
    """Round numbers over the range."""
    assert ticks(low, high, most) == pytest.approx(expected)


# ---- pictures


@pytest.mark.parametrize("shape", [(256, 256), (1250, 1000), (60, 80), (9, 300), (300, 9), (1, 1)])
def test_size_depends_on_proportions_only(shape):
    """A picture of 256 pixels is as large as one of 2,500: its long side in the panel is always the same."""
    drawn = panels(grounding(shape=shape, unseen=0, boxes=()))
    assert max(drawn.heat.size) == SIDE
    assert drawn.boxes.size == drawn.heat.size
    page = picture(grounding(shape=shape, unseen=0, boxes=()))
    assert page.mode == "RGB"
    assert page.width >= 760


def test_boxes_stand_where_they_are():
    """The outline is drawn at the box's native coordinates, scaled."""
    one = grounding(shape=(128, 128), unseen=0, boxes=(Box(32, 64, 96, 112, 0.5),))
    left = np.asarray(panels(one).boxes)
    ratio = SIDE / 128
    line = (left == ANSWER).all(-1)
    rows, columns = np.nonzero(line[int(65 * ratio) :].any(1))[0] + int(65 * ratio), np.nonzero(line.any(0))[0]
    assert columns[0] == pytest.approx(32 * ratio, abs=1)
    assert columns[-1] == pytest.approx(96 * ratio, abs=2)
    assert rows[-1] == pytest.approx(112 * ratio, abs=2)


def test_heat_is_drawn_where_it_is():
    """Colour appears around the peak only."""
    right = np.asarray(panels(grounding(shape=(128, 128), unseen=0)).heat).astype(int)
    coloured = np.abs(right[..., 0] - right[..., 2]) > 40
    ys, xs = np.nonzero(coloured)
    assert ys.mean() / SIDE == pytest.approx(0.6, abs=0.03)
    assert xs.mean() / SIDE == pytest.approx(0.4, abs=0.03)
    assert coloured.mean() < 0.25


def test_what_was_not_seen_is_darkened_and_hatched():
    """In both panels; the seen part is as it was."""
    bare, veiled = (panels(grounding(shape=(128, 128), unseen=n, boxes=())).boxes for n in (0, 32))
    bare, veiled = np.asarray(bare).astype(float), np.asarray(veiled).astype(float)
    margin = slice(0, SIDE // 4)
    assert veiled[:, margin].mean() < 0.6 * bare[:, margin].mean()
    assert veiled[:, margin].max() > veiled[:, margin].mean() + 40
    np.testing.assert_array_equal(veiled[:, SIDE // 4 : SIDE // 2], bare[:, SIDE // 4 : SIDE // 2])


def test_box_at_the_edge_and_a_tiny_one():
    """Their scores stay inside the panel."""
    boxes = (Box(0, 0, 128, 128, 0.9), Box(127.5, 0, 128, 0.5, 0.1), Box(-5, -5, 3, 3, 0.2))
    assert panels(grounding(shape=(128, 128), boxes=boxes)).boxes.size == (SIDE, SIDE)


def test_nothing_found():
    """A picture without heat, mask or box is a picture."""
    drawn = panels(empty_grounding())
    assert (drawn.low, drawn.high) == (0, 1)
    assert picture(empty_grounding()).size[0] > SIDE


def test_every_picture_says_research_use_and_the_notices(monkeypatch):
    """The model's notice and what was done to the image stand below, also within the file."""
    said = []
    draw = Block.draw
    monkeypatch.setattr(Block, "draw", lambda self, *where: (said.append(" ".join(lines(self))), draw(self, *where))[1])
    picture(grounding(notices=("demonstration model", "colour converted to grey")))
    assert RESEARCH in said
    assert "Demonstration model" in said
    assert "Colour converted to grey" in said
    assert any("1 box · mask" in text and "model planted" in text for text in said)


def test_notice_that_says_the_same_is_said_once(monkeypatch):
    """Many models' only notice is that one."""
    said = []
    monkeypatch.setattr(Block, "draw", lambda self, *where: said.append(" ".join(lines(self))))
    picture(grounding(notices=(RESEARCH,)))
    assert said.count(RESEARCH) == 1


def test_counted_part_of_the_phrase_is_coloured(monkeypatch):
    """The span stands out in the title."""
    words = []
    monkeypatch.setattr(Block, "draw", lambda self, *where: words.extend(word for line in self.lines for word in line))
    picture(grounding(Phrase("no change of the effusion today", (17, 25))))
    assert [word.text for word in words if word.colour == ANSWER] == ["effusion"]


def test_png_is_deterministic_and_carries_its_disclaimer(tmp_path):
    """The same grounding gives the same bytes."""
    (tmp_path / "b").mkdir()
    (first,) = write_png([grounding()], tmp_path, "x")
    (second,) = write_png([grounding()], tmp_path / "b", "x")
    assert first.read_bytes() == second.read_bytes()
    with Pillow.open(first) as file:
        assert file.text == {"Software": "deixis", "Disclaimer": RESEARCH}


def test_a_picture_of_a_large_image_is_quick():
    """Seconds would be felt at every phrase."""
    one = grounding(shape=(2500, 2000))
    started = time.process_time()
    picture(one)
    assert time.process_time() - started < 3
