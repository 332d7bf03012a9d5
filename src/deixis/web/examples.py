"""Images to begin with: phantoms, drawn when they are asked for, with phrases that are true of them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from deixis.errors import UnknownNameError
from deixis.types import Image

# As in examples/: each the first of the test range with that finding and one other at most.
SEEDS = {"effusion": 1_000_009, "pneumothorax": 1_000_010, "cardiomegaly": 1_000_003}


@dataclass(frozen=True)
class Example:
    """A synthetic radiograph.

    Args:
        name: how it is asked for.
        image: the picture.
        phrases: what can be seen in it.
    """

    name: str
    image: Image
    phrases: tuple[str, ...]


@cache
def example(name: str) -> Example:
    """The example of that name; an unknown one raises `UnknownNameError` that lists the known."""
    from deixis.datasets.phantom import scene

    if name not in SEEDS:
        # The name itself is not repeated: it may be a slip of anything.
        raise UnknownNameError(f"Unknown example. Known: {', '.join(SEEDS)}.")
    drawn = scene(SEEDS[name], findings=(1, 2))
    image = Image(drawn.pixels, (drawn.spacing, drawn.spacing), notices=("a synthetic image, of no patient",))
    return Example(name, image, tuple(phrase.text for phrase in drawn.phrases))
