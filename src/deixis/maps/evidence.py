"""The evidence table: ways of turning what a reader reads into one map per phrase."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from jaxtyping import Float

from deixis.registry import Table

if TYPE_CHECKING:
    from torch import Tensor

    from deixis.maps.reading import Question, Reader


class Evidence(Protocol):
    """Reads a question off one image: a map per phrase, larger where the phrase applies, on a grid of its own."""

    def __call__(self, reader: Reader, question: Question) -> Float[Tensor, "phrase row column"]:
        """Maps >= 0, finite; all equal where nothing was found."""
        ...


EVIDENCE: Table[Evidence] = Table(
    kind="evidence",
    group="deixis.evidence",
    builtin={
        "words": "deixis.maps.attention:words",
        "punctuation": "deixis.maps.attention:punctuation",
        "end": "deixis.maps.attention:end",
        "begin": "deixis.maps.attention:begin",
        "padding": "deixis.maps.attention:padding",
        "information": "deixis.maps.information:information",
        "response": "deixis.maps.response:response",
        "guided": "deixis.maps.guided:guided",
        "guided-iterated": "deixis.maps.guided:iterated",
    },
)
