"""The refiner table: what may happen to one evidence's maps before they are fused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from jaxtyping import Float

from deixis.registry import Table

if TYPE_CHECKING:
    from torch import Tensor

    from deixis.maps.reading import Question, Reader


class Refiner(Protocol):
    """Changes maps with the help of what else is known of the image and the phrase."""

    def __call__(
        self, maps: Float[Tensor, "phrase row column"], reader: Reader, question: Question
    ) -> Float[Tensor, "phrase row column"]:
        """A map per phrase, >= 0 and finite, on a grid of its own."""
        ...


REFINERS: Table[Refiner] = Table(
    kind="refiner",
    group="deixis.refiners",
    builtin={
        "alike": "deixis.maps.alike:alike",
        "alike-twice": "deixis.maps.alike:alike_twice",
        "location-prior": "deixis.maps.location_prior:location_prior",
    },
)
