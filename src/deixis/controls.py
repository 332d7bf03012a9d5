"""Controls: what a result must beat before it means that an image was read.

Each is a method like any other (a `Find`), so that it stands in the same table by the same metrics. Some never look
at the image (`centre_gaussian`, `uniform`, `Prior`), others ask the model a question that should be answered worse.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from deixis.evaluate import Answer, Find, truth_of
from deixis.geometry import resized
from deixis.ground import open_image
from deixis.recipes import Recipe
from deixis.types import Case, HeatMap, LatentModel

# Side of the grid on which mean masks are kept.
GRID = 64
# Width of the centre Gaussian as a share of the image's sides (our choice; it covers the lungs).
WIDTH = 0.25
# The emptiest phrase that has a token to read.
EMPTY = "."
SIDES = re.compile(r"\b(left|right)\b", re.IGNORECASE)

Ask = Callable[[Case], str]


def reading(model: LatentModel, recipe: Recipe | str, *, seed: int = 0, ask: Ask | None = None) -> Find:
    """The model's own answer under a recipe; with `ask`, to another text than the case's phrase."""

    def find(cases: Sequence[Case]) -> list[Answer]:
        view = open_image(cases[0].image, model, recipe, seed=seed)
        texts = [case.phrase.text if ask is None else ask(case) for case in cases]
        return [Answer.of(found) for found in view.find_all(texts)]

    return find


def other_image(model: LatentModel, recipe: Recipe | str, partner: Mapping[str, Case], *, seed: int = 0) -> Find:
    """The same phrases read on another image: `partner` names a case of it for each patient."""

    def find(cases: Sequence[Case]) -> list[Answer]:
        view = open_image(partner[str(cases[0].patient)].image, model, recipe, seed=seed)
        return [Answer.of(found) for found in view.find_all([case.phrase.text for case in cases])]

    return find


def centre_gaussian(cases: Sequence[Case]) -> list[Answer]:
    """A round hill in the middle of the image."""
    return [Answer(_heat(_hill(case.shape))) for case in cases]


def uniform(cases: Sequence[Case]) -> list[Answer]:
    """The same heat everywhere."""
    return [Answer(_heat(np.zeros(case.shape))) for case in cases]


@dataclass(frozen=True)
class Prior:
    """The mean truth of what the words say, without an image: `text_prior` and `class_prior`.

    Args:
        maps: mean truth on a `GRID`×`GRID` grid, by key.
        keys: a case's keys, the most specific first; the first that is known is taken.
    """

    maps: Mapping[str, Float64[np.ndarray, "row col"]]
    keys: Callable[[Case], Sequence[str]]

    @classmethod
    def fitted(cls, cases: Iterable[Case], keys: Callable[[Case], Sequence[str]], *, least: int = 1) -> Prior:
        """Means over training cases; a key met fewer than `least` times is left out."""
        sums: dict[str, Float64[np.ndarray, "row col"]] = {}
        counts: dict[str, int] = {}
        for case in cases:
            truth = resized(truth_of(case).astype(np.float64), (GRID, GRID))
            for key in keys(case):
                sums[key] = sums.get(key, np.zeros((GRID, GRID))) + truth
                counts[key] = counts.get(key, 0) + 1
        return cls({key: total / counts[key] for key, total in sums.items() if counts[key] >= least}, keys)

    def __call__(self, cases: Sequence[Case]) -> list[Answer]:
        """The mean truth of each case's first known key; nothing known is a uniform map."""
        return [Answer(_heat(self._map(case))) for case in cases]

    def _map(self, case: Case) -> Float64[np.ndarray, "y x"]:
        known = next((key for key in self.keys(case) if key in self.maps), None)
        if known is None:
            return np.zeros(case.shape)
        return np.asarray(resized(self.maps[known], case.shape))


def text_keys(case: Case) -> tuple[str, ...]:
    """The phrase itself, else its class with the place words it holds, else its class."""
    text = case.phrase.text.lower().rstrip(".")
    places = "|".join(sorted(set(PLACES.findall(text))))
    return f"text:{text}", f"place:{case.category}|{places}", f"class:{case.category}"


def class_keys(case: Case) -> tuple[str, ...]:
    """The class alone."""
    return (f"class:{case.category}",)


# Words that say where; enough to tell places apart for the prior.
PLACES = re.compile(
    r"left|right|bilateral|both|upper|mid|lower|lingula|apical|apex|biapical|basilar|bibasilar|base|angle|hilar|behind|"
    r"retrocardiac"
)


def swapped_side(text: str) -> str:
    """The text with left and right exchanged, capitals kept."""
    return SIDES.sub(_other_side, text)


def _other_side(found: re.Match[str]) -> str:
    word = found.group(0)
    other = "right" if word.lower() == "left" else "left"
    return other.capitalize() if word[0].isupper() else other


def _heat(values: Float64[np.ndarray, "y x"]) -> HeatMap:
    return HeatMap(values.astype(np.float32), np.ones(values.shape, np.bool_))


def _hill(shape: tuple[int, int]) -> Float64[np.ndarray, "y x"]:
    y, x = (((np.arange(n) + 0.5) / n - 0.5) / WIDTH for n in shape)
    return np.asarray(np.exp(-0.5 * (y[:, None] ** 2 + x[None, :] ** 2)))
