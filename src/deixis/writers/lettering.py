"""Text in pictures, in the one typeface that Pillow brings along."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from PIL import ImageDraw, ImageFont

Colour = tuple[int, int, int]
# Beyond ASCII, the bundled typeface has these.
DRAWABLE = frozenset("“”‘’…·")
REPLACED = {
    "–": "-",
    "—": "-",
    "«": "“",
    "»": "”",
    "ß": "ss",
    "×": "x",
    "æ": "ae",
    "ø": "o",
    "œ": "oe",
    "−": "-",
    "\u00a0": " ",
}


@cache
def font(size: int) -> ImageFont.FreeTypeFont:
    """The typeface at `size` pixels."""
    found = ImageFont.load_default(size)
    if not isinstance(found, ImageFont.FreeTypeFont):
        raise RuntimeError("this Pillow was built without FreeType; install one from PyPI")
    return found


def drawable(text: str) -> str:
    """`text` in letters that the typeface has, one per letter or so: accents dropped, others as "?"."""
    return "".join(_drawable(letter) for letter in text)


def _drawable(letter: str) -> str:
    if letter in REPLACED:
        return REPLACED[letter]
    if letter.isspace():
        return " "
    if (letter.isascii() and letter.isprintable()) or letter in DRAWABLE:
        return letter
    plain = unicodedata.normalize("NFKD", letter).encode("ascii", "ignore").decode()
    return plain or ("" if unicodedata.combining(letter) else "?")


@dataclass(frozen=True)
class Word:
    """A word in the colour that it is drawn in."""

    text: str
    colour: Colour


@dataclass(frozen=True)
class Block:
    """Words set in lines.

    Args:
        lines: the words of each line.
        size: of the typeface, in pixels.
    """

    lines: tuple[tuple[Word, ...], ...]
    size: int

    @property
    def height(self) -> int:
        """Height in pixels, leading included."""
        return len(self.lines) * leading(self.size)

    def draw(self, canvas: ImageDraw.ImageDraw, left: int, top: int) -> None:
        """Set the block with its upper left corner at the given place."""
        face = font(self.size)
        for number, line in enumerate(self.lines):
            x = float(left)
            for word in line:
                canvas.text((x, top + number * leading(self.size)), word.text, word.colour, face)
                x += face.getlength(word.text) + space(self.size)


def leading(size: int) -> int:
    """Distance of two baselines."""
    return round(1.35 * size)


def space(size: int) -> float:
    """Distance of two words; the typeface's own is tight."""
    return 0.29 * size


def length(words: Sequence[Word], size: int) -> float:
    """Width of a line of words in pixels."""
    return sum(font(size).getlength(word.text) for word in words) + space(size) * (len(words) - 1)


def block(words: list[Word], size: int, width: int, most: int) -> Block:
    """Words in lines of at most `width` pixels; what does not fit into `most` lines ends in "…"."""
    lines: list[list[Word]] = [[]]
    for word in (part for whole in words for part in _pieces(whole, size, width)):
        if lines[-1] and length([*lines[-1], word], size) > width:
            lines.append([])
        lines[-1].append(word)
    if len(lines) > most:
        lines = lines[:most]
        lines[-1] = _ended(lines[-1], size, width)
    return Block(tuple(tuple(line) for line in lines if line), size)


def text_block(text: str, colour: Colour, size: int, width: int, most: int = 2) -> Block:
    """One text of one colour in lines."""
    return block([Word(part, colour) for part in drawable(text).split()], size, width, most)


def _ended(line: list[Word], size: int, width: int) -> list[Word]:
    """The line with an ellipsis, shortened by whole words until that fits."""
    dots = Word("…", line[-1].colour)
    while len(line) > 1 and length([*line, dots], size) > width:
        line = line[:-1]
    return [*line, dots]


def _pieces(word: Word, size: int, width: int) -> list[Word]:
    """The word itself, or, where it is wider than a line, what of it fits into each."""
    face = font(size)
    if face.getlength(word.text) <= width:
        return [word]
    pieces, piece = [], ""
    for letter in word.text:
        if piece and face.getlength(piece + letter) > width:
            pieces.append(piece)
            piece = ""
        piece += letter
    return [Word(text, word.colour) for text in (*pieces, piece)]
