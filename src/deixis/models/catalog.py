"""The models that deixis knows by name. Any folder of a known family works without a row here."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from deixis.errors import ModelError

ASSETS = Path(__file__).parent.parent / "assets"
RESEARCH = "Research use only, not for diagnosis."
LABEL_FILE = "deixis.json"


@dataclass(frozen=True)
class Label:
    """What a model's files do not say about it themselves.

    Args:
        name: under this name recipes look for the model's own sites and noise levels.
        licence: SPDX identifier or a sentence.
        notice: a sentence that every output carries.
    """

    name: str
    licence: str = "unknown: see where the weights came from"
    notice: str = RESEARCH


@dataclass(frozen=True)
class Entry:
    """A named model.

    Args:
        label: name, licence, notice.
        summary: one line for `deixis models`.
        folder: where a bundled model lies; None for one that the user brings (see `weights.find`).
    """

    label: Label
    summary: str
    folder: Path | None = None


CATALOG: Mapping[str, Entry] = {
    "phantom": Entry(
        label=Label(
            name="phantom",
            licence="Apache-2.0",
            notice="Demonstration model trained on synthetic images only; never to be used for diagnosis.",
        ),
        summary="bundled demonstration model, 256 px, trained on synthetic chest X-rays",
        folder=ASSETS / "phantom-ldm",
    ),
}


def label_of(folder: Path) -> Label:
    """The label of the model in `folder`: its catalog row, else its ``deixis.json``, else the folder's own name.

    ``deixis.json`` may hold any of the fields of `Label`; an unreadable one raises `ModelError`.
    """
    for entry in CATALOG.values():
        if entry.folder is not None and entry.folder.resolve() == folder.resolve():
            return entry.label
    written = folder / LABEL_FILE
    fields: dict[str, str] = {}
    if written.is_file():
        try:
            fields = json.loads(written.read_text(encoding="utf-8"))
            return Label(**{"name": folder.resolve().name, **fields})
        except (ValueError, TypeError) as error:
            raise ModelError(
                f"{written} is not a model label: {error}. It holds name, licence and notice, or is not there at all."
            ) from error
    return Label(name=folder.resolve().name)
