"""Tables: the one way in which deixis is extended.

A `Table` maps a name to an object given as ``"module:attribute"``, so that listing the names imports nothing. The
built-in rows of a room stand in one dict beside the room; rows of other packages come from the entry-point group of
the same name and are loaded by the same code.
"""

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from importlib.metadata import entry_points
from typing import Generic, TypeVar

from deixis.errors import UnknownNameError

Row = TypeVar("Row")


@dataclass(frozen=True)
class Table(Generic[Row]):
    """Named rows, loaded on first use.

    Args:
        kind: what a row is, in the singular, for error texts ("recipe", "reader").
        group: entry-point group through which other packages add rows ("deixis.readers").
        builtin: name → ``"module:attribute"`` of the rows that deixis ships.
    """

    kind: str
    group: str
    builtin: Mapping[str, str] = field(default_factory=dict)

    def names(self) -> tuple[str, ...]:
        """All names, built-in rows first, then plug-ins in alphabetical order."""
        plugged = sorted(point.name for point in entry_points(group=self.group))
        return (*self.builtin, *(name for name in plugged if name not in self.builtin))

    def __getitem__(self, name: str) -> Row:
        """The row called `name`; an unknown name raises `UnknownNameError` that lists the known ones."""
        target = self.builtin.get(name)
        if target is None:
            points = {point.name: point.value for point in entry_points(group=self.group)}
            if name not in points:
                raise unknown_name(self.kind, name, self.names())
            target = points[name]
        module, _, attribute = target.partition(":")
        row: Row = getattr(import_module(module), attribute)
        return row

    def __iter__(self) -> Iterator[str]:
        return iter(self.names())

    def __contains__(self, name: object) -> bool:
        return name in self.names()


def unknown_name(kind: str, name: str, known: tuple[str, ...]) -> UnknownNameError:
    """The error for a name that is not among `known`, with the closest one as a hint."""
    close = difflib.get_close_matches(name, known, n=1)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    return UnknownNameError(f"Unknown {kind} {name!r}.{hint} Known: {', '.join(known) or 'none'}.")
