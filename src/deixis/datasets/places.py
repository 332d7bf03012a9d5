"""Words of chest radiograph reports that say where."""

from __future__ import annotations

import re

PLACES = re.compile(
    r"\b(?:left|right|bilateral\w*|both|upper|mid|middle|lower|lingula\w*|apical|apex|apices|biapical|basilar|bibasilar|"
    r"basal|bases?|angles?|perihilar|hilar|hila|hilum|behind|retrocardiac|lateral|medial|central)\b",
    re.IGNORECASE,
)


def names_place(text: str) -> bool:
    """Whether a phrase names a side or a zone."""
    return PLACES.search(text) is not None
