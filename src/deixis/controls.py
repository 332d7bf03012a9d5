"""Controls: what a result must beat before it means that an image was read.

Each is a method like any other (a `Find`), so that it stands in the same table by the same metrics. Some never look
at the image (`centre_gaussian`, `uniform`, `Prior`), others ask the model a question that should be answered worse.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from jaxtyping import Float64

from deixis.datasets.places import PLACES
from deixis.evaluate import Answer, Find, image_of, patient_of, truth_of
from deixis.geometry import resized
from deixis.ground import View, open_image
from deixis.laterality import swapped_side
from deixis.recipes import DEFAULT, Recipe
from deixis.types import Case, HeatMap, LatentModel

# Side of the grid on which mean masks are kept.
GRID = 64
# Width of the centre Gaussian as a share of the image's sides (our choice; it covers the lungs).
WIDTH = 0.25
# The emptiest phrase that has a token to read.
EMPTY = "."

Ask = Callable[[Case], str]


class Views:
    """Images under one model and recipe; the last ones stay open, for the next method that asks about them.

    Args:
        model: what reads.
        recipe: how.
        seed: which noise.
        kept: how many images stay open; two, for a case and its partner.
    """

    def __init__(self, model: LatentModel, recipe: Recipe | str, *, seed: int = 0, kept: int = 2) -> None:
        self._open = lru_cache(maxsize=kept)(self._opened)
        self._cases: dict[str, Case] = {}
        self.model, self.recipe, self.seed = model, recipe, seed

    def of(self, case: Case) -> View:
        """The case's image, walked once while it stays open."""
        key = image_of(case)
        self._cases = {key: case}
        return self._open(key)

    def _opened(self, key: str) -> View:
        return open_image(self._cases[key].image, self.model, self.recipe, seed=self.seed)


def reading(
    model: LatentModel | Views, recipe: Recipe | str = DEFAULT, *, seed: int = 0, ask: Ask | None = None
) -> Find:
    """The model's own answer under a recipe; with `ask`, to another text than the case's phrase."""
    views = model if isinstance(model, Views) else Views(model, recipe, seed=seed, kept=1)

    def find(cases: Sequence[Case]) -> list[Answer]:
        texts = [case.phrase.text if ask is None else ask(case) for case in cases]
        return [Answer.of(found) for found in views.of(cases[0]).find_all(texts)]

    return find


def other_image(
    model: LatentModel | Views, recipe: Recipe | str, partner: Mapping[str, Case], *, seed: int = 0
) -> Find:
    """The same phrases read on another image: `partner` names a case of it for each patient."""
    views = model if isinstance(model, Views) else Views(model, recipe, seed=seed, kept=1)

    def find(cases: Sequence[Case]) -> list[Answer]:
        view = views.of(partner[patient_of(cases[0])])
        wanted = cases[0].shape
        found = view.find_all([case.phrase.text for case in cases])
        return [Answer(_onto(one.thresholded, wanted), _onto(one.heat, wanted)) for one in found]

    return find


def _onto(heat: HeatMap, shape: tuple[int, int]) -> HeatMap:
    """A heat map of another image, stretched over this one."""
    if heat.values.shape == shape:
        return heat
    seen = np.asarray(resized(heat.seen.astype(np.float64), shape)) > 0.5
    return HeatMap(np.asarray(resized(heat.values.astype(np.float64), shape), np.float32) * seen, seen)


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


def _heat(values: Float64[np.ndarray, "y x"]) -> HeatMap:
    return HeatMap(values.astype(np.float32), np.ones(values.shape, np.bool_))


def _hill(shape: tuple[int, int]) -> Float64[np.ndarray, "y x"]:
    y, x = (((np.arange(n) + 0.5) / n - 0.5) / WIDTH for n in shape)
    return np.asarray(np.exp(-0.5 * (y[:, None] ** 2 + x[None, :] ** 2)))


def partners(cases: Sequence[Case]) -> dict[str, Case]:
    """For each patient a case of the one before, whose image was read last; the first takes the last one's."""
    firsts = list({patient_of(case): case for case in reversed(cases)}.values())[::-1]
    return {patient_of(case): firsts[index - 1] for index, case in enumerate(firsts)}


def other_phrases(cases: Sequence[Case]) -> dict[str, str]:
    """For each case a phrase of the next case of another class and patient; where there is none, its own."""
    texts = {}
    for index, case in enumerate(cases):
        following = itertools.chain(cases[index + 1 :], cases[:index])
        other = (one for one in following if one.category != case.category and patient_of(one) != patient_of(case))
        texts[case.id] = next(other, case).phrase.text
    return texts


def standing(views: Views | None, cases: Sequence[Case], training: Iterable[Case]) -> dict[str, Find]:
    """The controls that stand in every table, by the names that they have in a report.

    Args:
        views: the model under the recipe that is evaluated; None for answers of another system, which cannot be asked
            anything else.
        cases: all of them, of which each control picks its partner.
        training: cases of another split, for the priors; with none of them there are no priors.
    """
    fitting = list(training)
    found: dict[str, Find] = {"center_gaussian": centre_gaussian, "uniform": uniform}
    if fitting:
        found["class_prior"] = Prior.fitted(fitting, class_keys)
        found["text_prior"] = Prior.fitted(fitting, text_keys)
    if views is None:
        return found
    others = other_phrases(cases)
    return {
        **found,
        "other_image": other_image(views, "", partners(cases)),
        "random_phrase": reading(views, ask=lambda case: others[case.id]),
        "swapped_side": reading(views, ask=lambda case: swapped_side(case.phrase.text)),
        "empty_phrase": reading(views, ask=lambda case: EMPTY),
    }
