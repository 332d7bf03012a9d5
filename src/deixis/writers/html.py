"""A grounding as a piece of HTML that carries its pictures within: what a notebook shows."""

from __future__ import annotations

from html import escape

from deixis.types import Grounding
from deixis.writers.layers import coloured_heat, data_uri, grey, svg_boxes
from deixis.writers.overlay import RESEARCH

BOX = "#66d9ff"
# The heat is the picture before the slider; that is all its script needs to know.
MOVED = "this.closest('figure').querySelector('img[data-heat]').style.opacity=this.value/100"


def grounding_html(grounding: Grounding) -> str:
    """Image, heat and boxes over each other, with a slider for the heat; no server, no file beside it."""
    height, width = grounding.image.shape
    over = "position:absolute;inset:0;width:100%;height:100%"
    phrase = escape(grounding.phrase.text)
    count = len(grounding.boxes)
    found = "no box" if count == 0 else "1 box" if count == 1 else f"{count} boxes"
    provenance = grounding.provenance
    notices = " ".join(escape(notice) for notice in dict.fromkeys((RESEARCH, *provenance.notices)))
    return (
        '<figure style="margin:.5em 0;max-width:560px;font:13px/1.45 system-ui,sans-serif">'
        f"<figcaption><b>{phrase}</b> · {found} · {escape(provenance.model)}, {escape(provenance.recipe)}</figcaption>"
        f'<div style="position:relative;aspect-ratio:{width}/{height};background:#000;margin:.3em 0">'
        f'<img alt="the image" src="{data_uri(grey(grounding.image))}" style="{over}">'
        f'<img data-heat alt="heat of {phrase}" src="{data_uri(coloured_heat(grounding))}" style="{over};opacity:.7">'
        f'<svg viewBox="0 0 {width} {height}" style="{over}" role="img" aria-label="{found}">'
        f"{svg_boxes(grounding.boxes, grounding.image.shape, BOX)}</svg></div>"
        '<label style="display:flex;gap:.6em;align-items:center">heat '
        f'<input type="range" min="0" max="100" value="70" style="flex:1" oninput="{MOVED}"></label>'
        f'<small style="opacity:.75">{notices}</small></figure>'
    )
