"""Draw sentences at random out of the Open-i reports, to be labelled by hand; see docs/language.md.

`python tools/draw_sentences.py openi_NLMCXR_reports.tgz` prints a JSON line per sentence: document, section, half, the
characters ``[start, end)`` of the sentence within the section's text, and the head of that text's hash, so that another
release of the reports is noticed. It splits sentences in its own plain way: what is measured draws no test of itself.
"""

import argparse
import hashlib
import json
import random
import re
import sys
import tarfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from xml.etree import ElementTree

SECTIONS = ("FINDINGS", "IMPRESSION")
SEED, COUNT = 20240419, 300
# A stop, a question or exclamation mark and a space; not after a list's number such as "2.".
END = re.compile(r"(?<=[a-zA-Z)\]%][.?!])\s+|(?<=\d\d[.?!])\s+(?=[A-Z])")


@dataclass(frozen=True)
class Drawn:
    """A sentence by its place."""

    document: str
    section: str
    start: int
    end: int
    digest: str
    half: str = ""


def sections(archive: Path) -> Iterator[tuple[str, str, str]]:
    """Document, section and text of every section that holds text, in the order of document numbers."""
    with tarfile.open(archive) as opened:
        members = [member for member in opened.getmembers() if member.name.endswith(".xml")]
        for member in sorted(members, key=lambda member: int(Path(member.name).stem)):
            root = ElementTree.parse(opened.extractfile(member)).getroot()
            for part in root.iter("AbstractText"):
                if part.get("Label") in SECTIONS and part.text and part.text.strip():
                    yield Path(member.name).stem, str(part.get("Label")), part.text


def sentences(text: str) -> Iterator[tuple[int, int]]:
    """Starts and ends of the sentences of a section."""
    start = 0
    for cut in [*END.finditer(text), None]:
        end = len(text) if cut is None else cut.start()
        piece = text[start:end]
        if re.search(r"[a-zA-Z]{2}", piece):
            yield start + len(piece) - len(piece.lstrip()), start + len(piece.rstrip())
        start = len(text) if cut is None else cut.end()


@dataclass(frozen=True)
class Draw:
    """How sentences are drawn.

    Args:
        seed: of the order.
        count: how many.
        halves: names that are dealt out evenly.
        within: documents to draw from; None for all.
        without: wordings that are not drawn.
    """

    seed: int = SEED
    count: int = COUNT
    halves: tuple[str, ...] = ("development", "test")
    within: frozenset[str] | None = None
    without: frozenset[str] = frozenset()


def wording(sentence: str) -> str:
    """The words of a sentence, in small letters."""
    return " ".join(re.findall(r"[a-z]+", sentence.lower()))


def drawn(archive: Path, draw: Draw = Draw()) -> list[Drawn]:
    """The sentences, dealt out to the halves; no wording comes twice."""
    every = [
        (document, section, start, end, text)
        for document, section, text in sections(archive)
        for start, end in sentences(text)
    ]
    rng = random.Random(draw.seed)
    rng.shuffle(every)
    wordings = set(draw.without)
    chosen: list[Drawn] = []
    for document, section, start, end, text in every:
        plain = wording(text[start:end])
        inside = draw.within is None or document in draw.within
        if inside and plain not in wordings and len(chosen) < draw.count:
            wordings.add(plain)
            chosen.append(Drawn(document, section, start, end, hashlib.sha256(text.encode()).hexdigest()[:8]))
    dealt = list(draw.halves) * (draw.count // len(draw.halves))
    rng.shuffle(dealt)
    return [replace(one, half=half) for one, half in zip(chosen, dealt, strict=True)]


def fresh(archive: Path, labels: Path) -> Draw:
    """Half as many again, from the documents of the test half: nobody looked into these as the rules were made."""
    rows = json.loads(labels.read_text(encoding="utf-8"))
    texts = {(document, section): text for document, section, text in sections(archive)}
    known = {wording(texts[row["document"], row["section"]][row["start"] : row["end"]]) for row in rows}
    within = frozenset(row["document"] for row in rows if row["half"] == "test")
    return Draw(SEED + 1, COUNT // 2, ("fresh",), within, frozenset(known))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("archive", type=Path)
    parser.add_argument("--fresh", type=Path, metavar="LABELS", help="draw further ones beside these labels")
    asked = parser.parse_args()
    how = fresh(asked.archive, asked.fresh) if asked.fresh else Draw()
    for one in drawn(asked.archive, how):
        sys.stdout.write(json.dumps(asdict(one)) + "\n")
