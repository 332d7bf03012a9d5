"""`report.html`: a report beside its image, what it says in the colours of where it was found. One file, no script."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path

from deixis.radiology import GroundedMention, GroundedReport, Sentence, Status
from deixis.writers.aside import write_bytes
from deixis.writers.layers import Layer, chips, data_uri, grey, layers, svg_boxes, tinted_heat
from deixis.writers.overlay import RESEARCH
from deixis.writers.report_style import STYLE, dimming

FILE_NAME = "report.html"
# Nothing but what the file itself holds may be shown or run, whatever a report's text says.
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
TITLES: Mapping[Status, str] = {
    "present": "Stated, not grounded",
    "absent": "Denied",
    "uncertain": "Left open",
    "prior": "Past",
}


@dataclass(frozen=True)
class Shown:
    """A report with the layer of each grounding."""

    report: GroundedReport
    layers: tuple[Layer, ...]

    def layer_of(self, answer: GroundedMention) -> Layer | None:
        """The layer in which a mention is shown, if it is grounded."""
        return next((layer for layer in self.layers if layer.grounding is answer.grounding), None)


def write_page(report: GroundedReport, folder: Path) -> Path:
    """Write ``report.html`` into a folder; returns its path."""
    return write_bytes(folder / FILE_NAME, page(report).encode())


def framed(report: GroundedReport) -> str:
    """The page in a frame of its own, as a notebook shows it."""
    return (
        '<iframe sandbox="allow-same-origin" title="grounded report" style="width:100%;height:760px;border:0" '
        f'srcdoc="{escape(page(report))}"></iframe>'
    )


def page(report: GroundedReport) -> str:
    """The page: a whole document."""
    shown = Shown(report, layers(report.groundings))
    head = (
        f'<meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        '<meta name="viewport" content="width=device-width"><title>deixis: a grounded report</title>'
        f"<style>{STYLE}{dimming(len(shown.layers))}</style>"
    )
    body = (
        f'<header><h1>Grounded report</h1><p class="notice">{RESEARCH}</p></header>'
        f"<main><section>{_picture(shown)}</section>"
        f"<section>{_text(shown)}{_key()}{_grounded(shown)}{_ungrounded(report)}</section></main>"
        f"<footer>{_provenance(report)}</footer>"
    )
    return f'<!doctype html><html lang="en"><head>{head}</head><body>{body}</body></html>\n'


def _picture(shown: Shown) -> str:
    """The image under all layers, and what switches them."""
    height, width = shown.report.image.shape
    over = []
    for layer in shown.layers:
        number, words = f'data-n="{layer.number}"', escape(layer.grounding.phrase.text)
        over.append(f'<img class="layer heat" {number} alt="heat of {words}" src="{data_uri(tinted_heat(layer))}">')
    numbers = chips(shown.layers, (height, width))
    for layer in shown.layers:
        boxes = svg_boxes(layer.grounding.boxes, (height, width), layer.colour)
        boxes += "".join(chip.svg(layer.colour) for chip in numbers if chip.number == layer.number)
        over.append(f'<svg class="layer" data-n="{layer.number}" viewBox="0 0 {width} {height}">{boxes}</svg>')
    strengths = "".join(
        f'<label><input type="radio" name="heat" id="heat-{name}"{" checked" if name == "soft" else ""}>{name}</label>'
        for name in ("off", "soft", "full")
    )
    return (
        f'<div class="stack" style="aspect-ratio:{width}/{height};--shape:{width / height:.4f}">'
        f'<img alt="the image" src="{data_uri(grey(shown.report.image))}">{"".join(over)}</div>'
        + (f'<fieldset class="strength"><legend>Heat</legend>{strengths}</fieldset>' if shown.layers else "")
    )


def _text(shown: Shown) -> str:
    """The report as it came, its sentences and mentions marked."""
    text, at, parts = shown.report.report.text, 0, []
    answers = iter(shown.report.answers)
    for sentence in shown.report.report.sentences:
        parts += [escape(text[at : sentence.start]), _sentence(shown, sentence, answers)]
        at = sentence.end
    return f'<div class="report">{"".join(parts)}{escape(text[at:])}</div>'


def _sentence(shown: Shown, sentence: Sentence, answers: Iterator[GroundedMention]) -> str:
    text, at, parts, colours = shown.report.report.text, sentence.start, [], []
    for mention in sentence.mentions:
        answer = next(answers)
        layer = shown.layer_of(answer)
        words = escape(text[mention.start : mention.end])
        parts += [escape(text[at : mention.start]), _mark(answer, layer, words)]
        colours += [] if layer is None else [layer.colour]
        at = mention.end
    inner = "".join(parts) + escape(text[at : sentence.end])
    if not colours:
        return inner
    # From left to right in the colours of what it names; of one colour, evenly.
    tints = ",".join(f"{colour}2e" for colour in (colours if len(colours) > 1 else 2 * colours))
    return f'<span class="sentence" style="background:linear-gradient(90deg,{tints})">{inner}</span>'


def _mark(answer: GroundedMention, layer: Layer | None, words: str) -> str:
    told = escape(f"{answer.mention.category}: {answer.reason or answer.mention.phrase}")
    if layer is None:
        return f'<span class="mention {answer.mention.status}" title="{told}">{words}</span>'
    return (
        f'<mark data-n="{layer.number}" style="--c:{layer.colour}" title="{told}" tabindex="0">{words}'
        f"<sup>{layer.number}</sup></mark>"
    )


def _key() -> str:
    """What the marks mean."""
    kinds = ", ".join(
        f'<span class="mention {status}">{told}</span>'
        for status, told in (("absent", "denied"), ("uncertain", "left open"), ("prior", "past"))
    )
    return f'<p class="key">Numbered and coloured: stated, and looked for in the image. Not looked for: {kinds}.</p>'


def _grounded(shown: Shown) -> str:
    """What was looked for: number, phrase, class, boxes."""
    if not shown.layers:
        return '<p class="none">The report states no finding that could be looked for.</p>'
    rows = []
    for layer in shown.layers:
        phrase, count = layer.grounding.phrase, len(layer.grounding.boxes)
        number = f'<span class="chip" style="--c:{layer.colour}">{layer.number}</span>'
        rows.append(
            f'<tr data-n="{layer.number}"><td><label><input type="checkbox" id="show-{layer.number}" checked>{number}'
            f"</label></td><td>{escape(phrase.text)}</td><td>{escape(phrase.category or '')}</td>"
            f"<td>{escape(phrase.laterality or '')}</td><td>{count or 'none'}</td></tr>"
        )
    head = "<tr><th>shown</th><th>phrase</th><th>class</th><th>side</th><th>boxes</th></tr>"
    return f'<h2>Looked for</h2><div class="scroll"><table>{head}{"".join(rows)}</table></div>'


def _ungrounded(report: GroundedReport) -> str:
    """What was not looked for, and why."""
    parts = []
    for status, title in TITLES.items():
        chosen = [answer for answer in report.ungrounded if answer.mention.status == status]
        items = dict.fromkeys(
            escape(answer.mention.phrase) + (f": {escape(answer.reason)}" if status == "present" else "")
            for answer in chosen
        )
        if items:
            parts.append(f"<h2>{title}</h2><ul>{''.join(f'<li>{item}</li>' for item in items)}</ul>")
    return "".join(parts)


def _provenance(report: GroundedReport) -> str:
    """Model, recipe and seed, and every notice that must go with the answer."""
    answers = [grounding.provenance for grounding in report.groundings]
    made = {f"Model {one.model}, recipe {one.recipe}, seed {one.seed}." for one in answers}
    notices = dict.fromkeys((*report.image.notices, *(notice for one in answers for notice in one.notices)))
    looked = {f"The model looked at {one.heat.seen.mean():.0%} of the image." for one in report.groundings}
    lines = [
        *sorted(made),
        *sorted(looked),
        *notices,
        "A heat map says where a phrase would be, also where there is no such finding.",
    ]
    return "".join(f"<p>{escape(line[:1].upper() + line[1:])}</p>" for line in lines)
