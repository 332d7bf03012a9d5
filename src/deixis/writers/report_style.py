"""How `report.html` looks, in light and dark; it is switched and lit up without a script."""

from __future__ import annotations

STYLE = """
:root{color-scheme:light dark;--ink:#1d2229;--soft:#5c6773;--line:#d9dee4;--back:#fff;--raised:#f6f8fa;--warn:#8a4b00}
@media(prefers-color-scheme:dark){:root{--ink:#e6eaf0;--soft:#98a3b1;--line:#303844;--back:#10141a;--raised:#171d25;
--warn:#ffc65c}}
*{box-sizing:border-box}
body{margin:0;font:16px/1.6 system-ui,sans-serif;color:var(--ink);background:var(--back)}
header,main,footer{max-width:1240px;margin:0 auto;padding:0 1.25rem}
header{display:flex;flex-wrap:wrap;align-items:baseline;gap:.2rem 1.2rem;padding-top:1.1rem}
h1{font-size:1.35rem;margin:0}h2{font-size:1rem;margin:1.4rem 0 .3rem}
.notice{margin:0;color:var(--warn);font-weight:600}
main{display:grid;grid-template-columns:minmax(0,1.1fr) minmax(0,1fr);gap:1.75rem;align-items:start;padding-top:.9rem}
@media(max-width:820px){main{grid-template-columns:minmax(0,1fr)}}
@media(min-width:821px){main>section:first-child{position:sticky;top:.9rem}}
.stack{position:relative;width:min(100%,calc(84vh*var(--shape)));background:#000;border-radius:6px;overflow:hidden}
.stack>*{position:absolute;inset:0;width:100%;height:100%;transition:opacity .12s}
.heat{opacity:.62}
body:has(#heat-off:checked) .heat{opacity:0}body:has(#heat-full:checked) .heat{opacity:1}
.strength{border:0;padding:.5rem 0 0;margin:0;display:flex;gap:1rem;color:var(--soft);font-size:.9rem}
.strength legend{float:left;padding:0;margin-right:1rem}
label{display:inline-flex;gap:.35rem;align-items:center}
.report{white-space:pre-wrap;overflow-wrap:anywhere;background:var(--raised);border:1px solid var(--line);
border-radius:6px;padding:.9rem 1.1rem}
.sentence{border-radius:3px;box-decoration-break:clone;-webkit-box-decoration-break:clone;padding:.1em 0}
mark{color:inherit;background:color-mix(in srgb,var(--c) 36%,transparent);border-bottom:2px solid var(--c);
border-radius:3px 3px 0 0;padding:.05em .12em;cursor:default}
mark:hover,mark:focus{background:color-mix(in srgb,var(--c) 62%,transparent);outline:0}
sup{font-size:.68em;font-weight:700;margin-left:.15em;line-height:0}
.absent{color:var(--soft);text-decoration:line-through;text-decoration-thickness:1px}
.uncertain{text-decoration:underline dotted 2px;text-underline-offset:.2em}
.prior{font-style:italic;color:var(--soft);text-decoration:underline dashed 1px;text-underline-offset:.2em}
.key{font-size:.88rem;color:var(--soft);margin:.6rem 0 0}
.scroll{overflow-x:auto}table{border-collapse:collapse;font-size:.92rem;width:100%}
th{color:var(--soft);font-weight:500;text-align:left}
td,th{padding:.3rem .9rem .3rem 0;border-bottom:1px solid var(--line)}
.chip{background:var(--c);color:#080c12;font-weight:700;border-radius:3px;padding:0 .42em;font-size:.85em}
ul{margin:.2rem 0;padding-left:1.2rem}.none{color:var(--soft)}
footer{color:var(--soft);font-size:.85rem;padding-top:1.2rem;padding-bottom:1.5rem}footer p{margin:.1rem 0}
"""


def dimming(count: int) -> str:
    """Rules that light up one of `count` layers while its words are pointed at, and hide those that are unticked."""
    rules = []
    for n in range(1, count + 1):
        lit = f'body:has(:is(mark[data-n="{n}"]:hover,tr[data-n="{n}"]:hover,mark[data-n="{n}"]:focus))'
        rules.append(f'{lit} .layer:not([data-n="{n}"]){{opacity:.08}}{lit} .heat[data-n="{n}"]{{opacity:1}}')
        rules.append(f'body:has(#show-{n}:not(:checked)) .layer[data-n="{n}"]{{display:none}}')
    return "".join(rules)
