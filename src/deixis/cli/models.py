"""`deixis models`: the models that a name reaches."""

from __future__ import annotations

from pathlib import Path

from deixis.cli import console


def models() -> None:
    """List the models known by name: those that come with deixis and the folders under DEIXIS_MODELS."""
    from deixis.errors import DeixisError
    from deixis.models.catalog import CATALOG, label_of
    from deixis.models.weights import find, known_names

    rows = console.table("model", "family", "size", "licence", "where")
    for name in known_names():
        try:
            folder = find(name)
        except DeixisError:
            rows.add_row(name, "", "", CATALOG[name].label.licence, "not here")
            continue
        rows.add_row(name, _family(folder), _size(folder), label_of(folder).licence, str(folder))
    console.results().print(rows)
    console.say("\nAny diffusers folder of a known family also works by its path: -m path/to/model.")


def _family(folder: Path) -> str:
    """The first row of the table of families that recognises the folder."""
    from deixis.models.loading import FAMILIES

    return next((name for name in FAMILIES if FAMILIES[name].recognises(folder)), "unknown")


def _size(folder: Path) -> str:
    from deixis.models.weights import weight_files

    return f"{sum(file.stat().st_size for file in weight_files(folder)) / 1e6:.1f} MB"
