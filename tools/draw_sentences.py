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
from dataclasses import asdict, dataclass
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


def drawn(archive: Path) -> list[Drawn]:
    """The sentences, half of them for development and half for the test; no wording comes twice."""
    every = [
        (document, section, start, end, text[start:end], text)
        for document, section, text in sections(archive)
        for start, end in sentences(text)
    ]
    rng = random.Random(SEED)
    rng.shuffle(every)
    wordings: set[str] = set()
    chosen: list[Drawn] = []
    for document, section, start, end, wording, text in every:
        plain = " ".join(re.findall(r"[a-z]+", wording.lower()))
        if plain not in wordings and len(chosen) < COUNT:
            wordings.add(plain)
            chosen.append(Drawn(document, section, start, end, hashlib.sha256(text.encode()).hexdigest()[:8]))
    halves = ["development", "test"] * (COUNT // 2)
    rng.shuffle(halves)
    return [Drawn(**{**asdict(one), "half": half}) for one, half in zip(chosen, halves, strict=True)]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("archive", type=Path)
    for one in drawn(parser.parse_args().archive):
        sys.stdout.write(json.dumps(asdict(one)) + "\n")
