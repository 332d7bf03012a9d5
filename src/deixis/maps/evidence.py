"""The evidence table: ways of turning what a reader reads into one map per phrase."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from deixis.registry import Table

if TYPE_CHECKING:
    from deixis.maps.gathering import Gathering, Scope
    from deixis.maps.reading import Question, Reader


class Evidence(Protocol):
    """Begins to gather one kind of evidence for a question."""

    def __call__(self, reader: Reader, question: Question, scope: Scope) -> Gathering:
        """Sums that are empty still; `deixis.maps.gathering.gather` fills them."""
        ...


EVIDENCE: Table[Evidence] = Table(
    kind="evidence",
    group="deixis.evidence",
    builtin={
        "words": "deixis.maps.attention:words",
        "content": "deixis.maps.attention:content",
        "punctuation": "deixis.maps.attention:punctuation",
        "end": "deixis.maps.attention:end",
        "begin": "deixis.maps.attention:begin",
        "padding": "deixis.maps.attention:padding",
        "words-over-begin": "deixis.maps.contrasts:over_begin",
        "words-less-null": "deixis.maps.contrasts:LessNull",
        "words-entmax": "deixis.maps.entmax:words",
        "words-kept-queries": "deixis.maps.kept_queries:words",
        "words-told-all": "deixis.maps.kept_queries:told_all",
        "bias-merged": "deixis.maps.merging:BiasMerged",
        "information": "deixis.maps.information:Information",
        "likelihood": "deixis.maps.information:Likelihood",
        "projection": "deixis.maps.information:Projection",
        "named-side": "deixis.maps.sides:NamedSide",
        "response": "deixis.maps.response:Response",
        "guided": "deixis.maps.guided:guided",
        "guided-iterated": "deixis.maps.guided:iterated",
    },
)
