"""`report.html`: one file that a reviewer who has never seen the tool can read."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from html import escape

from deixis.evaluate import Answer
from deixis.report import plots
from deixis.report.summary import JUDGED, SHOWN, Summary
from deixis.report.tables import NAMES, cells, method_name
from deixis.types import Case, Image

# Best, median and worst cases in the gallery, of each so many.
SHOWN_CASES = 4
Show = Callable[[str], tuple[Case, Answer, Image]]

STYLE = """
:root{color-scheme:light dark;--ink:#1b1b1b;--soft:#666;--line:#ddd;--back:#fff;--mark:#b34700}
@media(prefers-color-scheme:dark){:root{--ink:#e8e8e8;--soft:#9a9a9a;--line:#3a3a3a;--back:#161616;--mark:#ff9a52}
img{filter:brightness(.92)}}
body{font:15px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--back);max-width:1080px;margin:2rem auto;
padding:0 1rem}
h1{font-size:1.5rem;margin-bottom:.2rem}h2{font-size:1.15rem;margin-top:2.2rem}p,li{max-width:46rem}
.scroll{overflow-x:auto}table{border-collapse:collapse;font-size:.82rem;white-space:nowrap}
th,td{padding:.25rem .6rem;text-align:right;border-bottom:1px solid var(--line)}
th:first-child,td:first-child{text-align:left}tr.own{font-weight:600}.mark{color:var(--mark)}.soft{color:var(--soft)}
.plots{display:flex;flex-wrap:wrap;gap:1rem}figure{margin:0}figcaption{font-size:.8rem;color:var(--soft);max-width:40rem}
img{max-width:100%;height:auto;background:#fff}
pre{overflow-x:auto;font-size:.75rem;border:1px solid var(--line);padding:.7rem}
.gallery{display:grid;grid-template-columns:repeat(auto-fill,minmax(20rem,1fr));gap:1rem}
"""
EXPLAINED = (
    "Means over the classes' means, with 95 % bootstrap intervals over patients. A control leaves out part of what the "
    "method has: the image, this image, these words, the side. What the method does not beat is marked: there the "
    "interval of the paired difference reaches 0."
)
META = '<meta charset="utf-8"><meta name="viewport" content="width=device-width">'
NOTICE = "Research use only, not for diagnosis."


def page(summary: Summary, show: Show | None = None) -> str:
    """The page; with `show`, which answers a case again by its id, also a gallery."""
    body = [
        f"<h1>{escape(method_name(summary))}, {escape(str(summary.config['dataset']))}</h1>",
        f'<p class="soft">{NOTICE} Made by deixis; {len(summary.own.scored)} phrases scored.</p>',
        _verdict(summary),
        "<h2>The method and its controls</h2>",
        f"<p>{EXPLAINED}</p>",
        _controls_table(summary),
        "<h2>Classes</h2>",
        _table("class", _by_class(summary)),
        "<h2>Phrases with and without a place</h2>",
        _table("subset", [(told, cells(report), "") for told, report in summary.subsets().items()]),
        "<h2>Plots</h2>",
        _plots(summary),
    ]
    if show is not None:
        body += ["<h2>Best, median and worst cases by AUROC</h2>", _gallery(summary, show)]
    body += ["<h2>What was left out</h2>", _left_out(summary), "<h2>Configuration</h2>", _configuration(summary)]
    head = f"{META}<title>deixis report</title><style>{STYLE}</style>"
    return f'<!doctype html><html lang="en"><head>{head}</head><body>{"".join(body)}</body></html>\n'


def _verdict(summary: Summary) -> str:
    told = []
    for metric in JUDGED:
        unbeaten = summary.unbeaten(metric)
        said = (
            f'<span class="mark">does not beat {escape(", ".join(unbeaten))}</span>'
            if unbeaten
            else "beats every control"
        )
        one = summary.own.macro(metric)
        told.append(f"<li>{NAMES[metric]} {one.value:.3f} [{one.low:.3f}, {one.high:.3f}]: {said}</li>")
    return f"<ul>{''.join(told)}</ul>"


def _controls_table(summary: Summary) -> str:
    rows = [(method_name(summary), cells(summary.own), "own")]
    for name, report in summary.controls.items():
        unbeaten = [NAMES[metric] for metric in JUDGED if name in summary.unbeaten(metric)]
        mark = f' <span class="mark">not beaten: {escape(", ".join(unbeaten))}</span>' if unbeaten else ""
        rows.append((name, cells(report), mark))
    return _table("method", rows)


def _by_class(summary: Summary) -> list[tuple[str, list[str], str]]:
    categories = sorted({row.category for row in summary.own.rows})
    return [(c, cells(summary.own.where(lambda row, c=c: row.category == c)), "") for c in categories]  # type: ignore[misc]


def _table(first: str, rows: Sequence[tuple[str, list[str], str]]) -> str:
    head = "".join(f"<th>{escape(name)}</th>" for name in [first, "cases", *(NAMES[name] for name in SHOWN)])
    lines = []
    for name, values, mark in rows:
        own = ' class="own"' if mark == "own" else ""
        told = escape(name) + ("" if mark == "own" else mark)
        lines.append(f"<tr{own}><td>{told}</td>{''.join(f'<td>{escape(value)}</td>' for value in values)}</tr>")
    return f'<div class="scroll"><table><tr>{head}</tr>{"".join(lines)}</table></div>'


def _plots(summary: Summary) -> str:
    drawn = [
        (plots.bars(summary, "auroc", "AUROC"), "AUROC per class with 95 % intervals."),
        (plots.bars(summary, "miou", "mIoU"), "mIoU per class with 95 % intervals."),
        (plots.roc(summary), "ROC: grey per class, blue their mean."),
        (plots.iou(summary), "IoU of the heat above a threshold: grey per class, blue their mean."),
        (plots.spread(summary, "auroc", "AUROC"), "Cases by AUROC, beside two controls."),
        (plots.spread(summary, "cnr", "CNR"), "Cases by signed CNR; below 0 the heat points away."),
    ]
    return f'<div class="plots">{"".join(_figure(image, told) for image, told in drawn)}</div>'


def _gallery(summary: Summary, show: Show) -> str:
    rows = sorted(summary.own.scored, key=lambda row: row.scores.get("auroc", 0.0))
    middle = max(0, len(rows) // 2 - SHOWN_CASES // 2)
    groups = {
        "best": rows[::-1][:SHOWN_CASES],
        "median": rows[middle : middle + SHOWN_CASES],
        "worst": rows[:SHOWN_CASES],
    }
    parts = []
    for told, chosen in groups.items():
        figures = []
        for row in chosen:
            case, answer, image = show(row.case)
            caption = f"“{row.phrase}” ({row.category}), AUROC {row.scores.get('auroc', float('nan')):.3f}"
            figures.append(_figure(plots.shown(case, answer, image.pixels), caption))
        parts.append(f"<h3>{told}</h3><div class='gallery'>{''.join(figures)}</div>")
    return '<p class="soft">Image; truth; heat after the recipe\'s threshold.</p>' + "".join(parts)


def _figure(image: str, caption: str) -> str:
    source, told = f"data:image/png;base64,{image}", escape(caption)
    return f'<figure><img alt="{told}" src="{source}"><figcaption>{told}</figcaption></figure>'


def _left_out(summary: Summary) -> str:
    failed = [row for row in summary.own.rows if row.failure is not None]
    told = [f"<li>{escape(trouble)}: {count}</li>" for trouble, count in summary.notes.items()]
    told += [f"<li>{escape(row.case)}: {escape(row.failure or '')}</li>" for row in failed]
    return f"<ul>{''.join(told)}</ul>" if told else "<p>Nothing.</p>"


def _configuration(summary: Summary) -> str:
    told = f"<p>Phrases: {escape(summary.phrases or 'as the dataset says them')}.</p>"
    return told + f"<pre>{escape(json.dumps(dict(summary.config), indent=1, ensure_ascii=False))}</pre>"
