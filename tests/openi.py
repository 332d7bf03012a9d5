"""The hand labels of real sentences beside what the rules read, where the reports are present; see docs/language.md."""

import hashlib
import json
import math
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from deixis.language import read_report

ROOT = Path(__file__).parents[1]
ARCHIVE = ROOT.parent / "shared" / "data" / "reports" / "openi_NLMCXR_reports.tgz"
LABELS = ROOT / "tests" / "labels"
sys.path.insert(0, str(ROOT / "tools"))


@dataclass(frozen=True)
class Item:
    """A mention, labelled or read: characters of the section's text, class, status."""

    start: int
    end: int
    category: str
    status: str

    def names(self, other: "Item") -> bool:
        """Whether both name one thing: they share a character and the class."""
        return self.start < other.end and other.start < self.end and self.category == other.category


@dataclass(frozen=True)
class Compared:
    """A labelled sentence: what should have been read, and what was."""

    document: str
    section: str
    start: int
    end: int
    labelled: tuple[Item, ...]
    read: tuple[Item, ...]


@dataclass(frozen=True)
class Rate:
    """Hits among so many, with a 95 % Wilson interval."""

    hits: int
    of: int

    @property
    def value(self) -> float:
        return self.hits / self.of if self.of else math.nan

    @property
    def interval(self) -> tuple[float, float]:
        if not self.of:
            return math.nan, math.nan
        z, n, p = 1.959964, self.of, self.value
        middle, half = p + z * z / (2 * n), z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
        return (middle - half) / (1 + z * z / n), (middle + half) / (1 + z * z / n)


@dataclass(frozen=True)
class Errors:
    """What was not read, and what was read and should not have been; a wrong status is both."""

    missed: tuple[tuple[Compared, Item], ...]
    invented: tuple[tuple[Compared, Item], ...]


def compared(half: str, labels: str = "openi_sentences.json", archive: Path = ARCHIVE) -> list[Compared]:
    """The labelled sentences of a half, each read as part of its section."""
    from draw_sentences import sections

    texts = {(document, section): text for document, section, text in sections(archive)}
    return list(_compared(json.loads((LABELS / labels).read_text(encoding="utf-8")), half, texts))


def _compared(rows: list[dict], half: str, texts: dict[tuple[str, str], str]) -> Iterator[Compared]:
    for row in rows:
        if row["half"] != half:
            continue
        text = texts[row["document"], row["section"]]
        if hashlib.sha256(text.encode()).hexdigest()[:8] != row["digest"]:
            raise ValueError(f"report {row['document']} is not the one that was labelled")
        start, end = row["start"], row["end"]
        labelled = tuple(Item(start + a, start + b, category, status) for a, b, category, status in row["mentions"])
        mentions = [one for one in read_report(text).mentions if start <= one.start < end]
        read = tuple(Item(one.start, one.end, one.category, one.status) for one in mentions)
        yield Compared(row["document"], row["section"], start, end, labelled, read)


def errors(cases: list[Compared], status: str | None = None) -> Errors:
    """Labelled and read mentions of one status, or of any, that have no partner; one partner each."""
    missed, invented = [], []
    for case in cases:
        labelled = [item for item in case.labelled if status in (None, item.status)]
        left = [item for item in case.read if status in (None, item.status)]
        for item in labelled:
            partner = next((other for other in left if other.names(item)), None)
            if partner is None:
                missed.append((case, item))
            else:
                left.remove(partner)
        invented += [(case, item) for item in left]
    return Errors(tuple(missed), tuple(invented))


def precision_recall(cases: list[Compared], status: str | None = None) -> tuple[Rate, Rate]:
    """Of one status, or of any: the share of what is read that is right, and of what is labelled that is read."""
    wrong = errors(cases, status)
    labelled = sum(status in (None, item.status) for case in cases for item in case.labelled)
    read = sum(status in (None, item.status) for case in cases for item in case.read)
    return Rate(read - len(wrong.invented), read), Rate(labelled - len(wrong.missed), labelled)
