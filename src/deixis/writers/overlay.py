"""A picture of one grounding, for eyes: phrase, boxes, heat, scale, and what must be said with it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image as Pillow
from PIL import ImageDraw
from PIL.PngImagePlugin import PngInfo

from deixis.types import Grounding, Phrase
from deixis.writers import ramp
from deixis.writers.aside import write_bytes
from deixis.writers.lettering import Block, Colour, Word, block, drawable, font, text_block
from deixis.writers.naming import numbered
from deixis.writers.panels import Panels, panels
from deixis.writers.row import Writer

RESEARCH = "Research use only, not for diagnosis."
GROUND: Colour = (14, 18, 25)
TEXT: Colour = (233, 238, 245)
DIM: Colour = (142, 153, 168)
WARNING: Colour = (255, 198, 92)
ACCENT: Colour = (102, 217, 255)
EDGE = 30
GAP = 12
BAR = 16
TICKS = 62
TITLE, CAPTION, SMALL = 28, 16, 14
LEAST_WIDTH = 760


@dataclass(frozen=True)
class Texts:
    """All that is written around the panels, set in lines."""

    title: Block
    facts: Block
    notices: tuple[Block, ...]


def picture(grounding: Grounding) -> Pillow.Image:
    """The overlay of one grounding: left the image with its boxes, right the heat over it, RGB.

    Its size depends on the image's proportions only, not on its resolution.
    """
    drawn = panels(grounding)
    wide, high = drawn.heat.size
    width = max(LEAST_WIDTH, 2 * (EDGE + wide + GAP) + BAR + TICKS)
    texts = _texts(grounding, width - 2 * EDGE)
    above = EDGE + texts.title.height + 8 + texts.facts.height + 26 + CAPTION + 10
    below = 20 + sum(notice.height + 3 for notice in texts.notices) + EDGE - 6
    page = Pillow.new("RGB", (width, above + high + below), GROUND)
    canvas = ImageDraw.Draw(page)
    texts.title.draw(canvas, EDGE, EDGE - 6)
    texts.facts.draw(canvas, EDGE, EDGE + texts.title.height + 2)
    _place(page, canvas, drawn, (above, width), bool(grounding.heat.seen.all()))
    top = above + high + 20
    for notice in texts.notices:
        notice.draw(canvas, EDGE, top)
        top += notice.height + 3
    return page


def write_png(groundings: Sequence[Grounding], folder: Path, stem: str) -> tuple[Path, ...]:
    """``NN-<slug>.png`` per phrase."""
    named = zip(numbered(groundings), groundings, strict=True)
    return tuple(write_bytes(folder / f"{name}.png", png_of(one)) for name, one in named)


def png_of(grounding: Grounding) -> bytes:
    """The overlay of one grounding as the bytes of a PNG."""
    return encoded(picture(grounding))


def encoded(page: Pillow.Image) -> bytes:
    """A picture as the bytes of a PNG that says what it is not for."""
    buffer = BytesIO()
    about = PngInfo()
    about.add_text("Software", "deixis")
    about.add_text("Disclaimer", RESEARCH)
    page.save(buffer, "PNG", pnginfo=about)
    return buffer.getvalue()


def _place(
    page: Pillow.Image, canvas: ImageDraw.ImageDraw, drawn: Panels, room: tuple[int, int], all_seen: bool
) -> None:
    """Both panels with their captions, and the scale at the right edge."""
    top, width = room
    wide, high = drawn.heat.size
    middle = width - EDGE - TICKS - BAR - GAP - wide
    captions = "Image and boxes", "Heat and mask" if all_seen else "Heat and mask (hatched: not seen by the model)"
    ends = middle - GAP, width - EDGE
    for left, end, panel, caption in zip((EDGE, middle), ends, (drawn.boxes, drawn.heat), captions, strict=True):
        page.paste(panel, (left, top))
        text_block(caption, DIM, CAPTION, end - left, 1).draw(canvas, left, top - CAPTION - 12)
    _draw_scale(page, canvas, drawn, (middle + wide + GAP, top, high))


def _draw_scale(page: Pillow.Image, canvas: ImageDraw.ImageDraw, drawn: Panels, place: tuple[int, int, int]) -> None:
    """The colours as they look over middle grey, with ticks at round numbers."""
    left, top, high = place
    falling = np.repeat(np.linspace(1, 0, high)[:, None], BAR, 1)
    colours = ramp.over(np.full(falling.shape, 0.35), falling)
    page.paste(Pillow.fromarray(np.rint(colours).astype(np.uint8)), (left, top))
    most = max(1, min(6, high // 40))
    for tick in ticks(drawn.low, drawn.high, most):
        share = (drawn.high - tick) / (drawn.high - drawn.low)
        y = top + round(min(max(share, 0), 1) * (high - 1))
        canvas.line((left + BAR, y, left + BAR + 4, y), fill=DIM)
        anchor_y = min(max(y, top + SMALL // 2), top + high - SMALL // 2)
        canvas.text((left + BAR + 9, anchor_y), f"{tick:.4g}", DIM, font(SMALL), anchor="lm")


def ticks(low: float, high: float, most: int) -> tuple[float, ...]:
    """Round numbers from `low` to `high`, at most `most` + 1 of them, a step of 1, 2, 2.5 or 5 times a power of ten."""
    least = (high - low) / most
    power = 10.0 ** math.floor(math.log10(least))
    step = next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= least * (1 - 1e-9))
    # An end that misses a round number by next to nothing still gets its tick.
    first, last = math.ceil(low / step - 0.02), math.floor(high / step + 0.02)
    return tuple(number * step for number in range(first, last + 1))


def _texts(grounding: Grounding, width: int) -> Texts:
    provenance = grounding.provenance
    said = dict.fromkeys((RESEARCH, *provenance.notices))
    warning, *others = (notice for notice in said)
    notices = [text_block(warning, WARNING, SMALL, width)]
    notices += [text_block(f"{other[:1].upper()}{other[1:]}", DIM, SMALL, width) for other in others]
    return Texts(
        title=block(_phrase_words(grounding.phrase), TITLE, width, 3),
        facts=text_block(_facts(grounding), DIM, CAPTION, width),
        notices=tuple(notices),
    )


def _phrase_words(phrase: Phrase) -> list[Word]:
    """The phrase; where only part of it counts, that part in the colour of the answer."""
    if phrase.span is None:
        return [Word(text, TEXT) for text in drawable(phrase.text).split()]
    start, end = phrase.span
    parts = ((phrase.text[:start], DIM), (phrase.text[start:end], ACCENT), (phrase.text[end:], DIM))
    return [Word(text, colour) for part, colour in parts for text in drawable(part).split()]


def _facts(grounding: Grounding) -> str:
    """How much was found, and by what."""
    count = len(grounding.boxes)
    found = "no box" if count == 0 else "1 box" if count == 1 else f"{count} boxes"
    share = 100 * float(grounding.mask.mean())
    provenance = grounding.provenance
    return f"{found} · mask {share:.1f} % of the image · model {provenance.model} · recipe {provenance.recipe}"


PNG = Writer(write_png)
