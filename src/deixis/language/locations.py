"""The words of place and kind around a finding's name: its side, its zones, and the phrase to ground it by."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from deixis.language.findings import Name
from deixis.types import Laterality

SIDES: Mapping[Laterality, str] = {
    "bilateral": r"bilateral(?:ly)?|both|bi(?:basilar|basal|apical|hilar)|either",
    "left": r"left(?:[\s-]+sided)?|lingula(?:r)?|l[ul]l",
    "right": r"right(?:[\s-]+sided)?|r[uml]l|middle\s+lobe",
}
# The zones of a lung, under the phantom's names for them.
ZONES: Mapping[str, str] = {
    "upper": r"upper|[rl]ul",
    "middle": r"middle|mid|midlungs?|lingula(?:r)?|rml",
    "lower": r"lower|[rl]ll",
    "perihilar": r"(?:peri|para|supra|infra|juxta)?hilar|hil(?:a|um)",
    "apical": r"apical|bi-?apical|apex|apices",
    "basal": r"basal|basilar|bibasal|bibasilar|bases?",
    "retrocardiac": r"retrocardiac|behind\s+the\s+heart",
}
# Degree, shape, number and age, as far as one picture shows them; change over time is not among them.
KINDS = (
    r"small|tiny|minimal|minimally|mild|mildly|trace|slight|subtle|faint|vague|medium|moderate|moderately|large|extensive|severe"
    r"|marked|massive|sized|patchy|hazy|streaky|linear|band-?like|plate-?like|discoid|wedge-?shaped|round|rounded|ovoid"
    r"|ill-defined|well-defined|spiculated|lobulated|focal|multifocal|diffuse|scattered|confluent|dense|nodular|irregular"
    r"|reticular|coarse|calcified|noncalcified|cavitary|loculated|layering|subsegmental|segmental|lobar|partial|complete|multiple"
    r"|several|few|numerous|single|solitary|two|three|multilevel|early|old|healed|healing|chronic|acute|displaced|nondisplaced|compression"
    r"|dual|lead|chamber|lumen|tunneled|median|surgical|metallic|prosthetic|bullous|\d+(?:\.\d+)?|mm|cm|x"
)
PARTS = (
    r"lungs?|lobes?|zones?|bases?|apex|apices|hemithora(?:x|ces)|chest|thorax|regions?|areas?|angles?|sulc(?:us|i)|recess"
    r"|fissures?|pleura|pleural|pulmonary|parenchyma|airspace|interstitial|alveolar|central|peripheral|lateral|medial|anterior"
    r"|posterior|posterolateral|anterolateral|posteromedial|anteromedial|superior|inferior|upper|lower|mid|middle|cardiophrenic"
    r"|costophrenic|subpleural|mediastin(?:um|al)|paratracheal|aort(?:a|ic)"
    r"|arch|knob|heart|cardiac|ventric(?:le|ular)|atri(?:um|al)|svc|cavoatrial|junction|carina|stomach|abdomen|quadrant"
    r"|ribs?|clavicles?|shoulders?|humer(?:us|al)|scapula|sternum|spine|thoracic|thoracolumbar|cervical|lumbar"
    r"|vertebra(?:e|l)?|bod(?:y|ies)|neck|breast|axilla|wall|hemidiaphragms?|segments?|internal|jugular|subclavian|venous|distal|proximal"
    r"|[tlc]\d+(?:-[tlc]?\d+)?|\d+(?:st|nd|rd|th)|first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth"
)
_SIDE = "|".join(SIDES.values())
_ZONE = "|".join(ZONES.values())
# Atomic: a word that stands in two of these lists must not be tried twice.
_SITE = rf"(?>(?:{_SIDE}|{_ZONE}|{PARTS})(?![\w-]))"
_WORD = rf"(?>(?:{_SIDE}|{_ZONE}|{KINDS}|{PARTS})(?![\w]))"
# Words that are passed over on the way to the next one that tells something.
_PASSED = r"(?:stable|unchanged|new|increased|increasing|decreased|persistent|again|residual|known|xxxx)"
_BEFORE = re.compile(rf"(?:(?<!\w)(?:{_WORD}|{_PASSED})[\s,/-]+(?:and\s+(?={_SITE}))?)+\Z", re.IGNORECASE)
_PLACE = rf"(?:{_SITE}[\s/-]*)+"
_PLACES = rf"{_PLACE}(?:(?:and|or|of)\s+(?:the\s+)?{_PLACE})*"
_AFTER = re.compile(
    r"[\s,]*(?:\b(?:is|are|seen|noted|present|identified|again|located|visuali[sz]ed|demonstrated|most)\b\s*)*"
    r"\b(?P<place>(?:in|at|within|of|over|overl(?:ies?|ying)|along|involving|near|throughout|project(?:s|ing|ed)? over"
    rf"|on|behind|through)\s+(?:(?:the|both|this)\s+)*{_PLACES})",
    re.IGNORECASE,
)
_SIDE_AFTER = re.compile(rf"\s*,?\s*(?:on\s+the\s+)?(?P<place>{_SIDE})(?=\s*(?:[.,;)]|$))", re.IGNORECASE)
# A place behind a feature that has no name of its own: "with a visible pleural line at the left base".
_FURTHER = re.compile(
    rf"\s+with\s+(?:[\w-]+\s+){{1,5}}?(?P<place>(?:in|at|on)\s+(?:the\s+|both\s+)?{_PLACES})", re.IGNORECASE
)
# A place that opens the statement: "in the left base there is", "right lung: ".
_AHEAD = re.compile(rf"(?<![\w-])(?P<place>{_PLACES})", re.IGNORECASE)
# A place that can be in one, and not a word that only describes.
_PLACE_NAME = re.compile(
    r"\b(?:(?:mid)?lungs?|lobes?|zones?|bases?|apex|apices|hemithorax|chest|thorax|regions?|areas?|angles?|lingula"
    r"|hil(?:a|um)|[lr][uml]l|quadrant|axilla|shoulder|spine)\Z",
    re.IGNORECASE,
)
_NO_WORDS = re.compile(rf"\b{_PASSED}\b[\s,]*", re.IGNORECASE)
_LIST = re.compile(r"\s*(?:,|/|and/or|and|or|with)\s+(?:(?:the|an?|\w+)\s+)?(?:(?:\w+)\s+)?")
# What may share the place of its neighbour; a heart or a spine is where it is.
SHARING = frozenset(
    (
        "Atelectasis",
        "Consolidation",
        "Edema",
        "Granuloma or Calcification",
        "Interstitial or Airway Change",
        "Lung Opacity",
        "Nodule or Mass",
        "Pleural Change",
        "Pleural Effusion",
        "Pneumonia",
        "Pneumothorax",
        "Scarring",
        "Support Devices",
    )
)


@dataclass(frozen=True)
class Place:
    """A finding's phrase, and what it says of where.

    Args:
        phrase: the name with its modifiers and its place.
        laterality: the side, where told.
        zones: zones of the lung, where told.
    """

    phrase: str
    laterality: Laterality | None
    zones: tuple[str, ...]


@dataclass(frozen=True)
class Behind:
    """The place told behind a name, "" for none, and where the text of it ends."""

    place: str
    end: int


def place_of(sentence: str, names: tuple[Name, ...], index: int) -> Place:
    """The phrase of one of a sentence's names: only words that belong to it, not the whole sentence."""
    name = names[index]
    since = _since(sentence, names, index)
    taken = _own(sentence, names, index - 1).end if index else 0
    match = _BEFORE.search(sentence, taken, name.start)
    start = match.start() if match else name.start
    head = tidy(_NO_WORDS.sub("", sentence[start : name.start]) + sentence[name.start : name.end])
    behind = _behind(sentence, names, index)
    told = f"{head} {behind}" if behind else head
    placed = side_of(told) is not None or zones_of(told) or name.category not in SHARING
    if not placed and (ahead := _ahead(sentence[since:start])):
        told = f"{head} in the {ahead}" if _PLACE_NAME.search(ahead) else f"{ahead} {head}"
    return Place(told, side_of(told), zones_of(told))


def _since(sentence: str, names: tuple[Name, ...], index: int) -> int:
    """From where on a place ahead belongs to a name: behind the one before, or behind its partner in "A with B"."""
    while index and sentence[names[index - 1].end : names[index].start].strip().lower() == "with":
        index -= 1
    return names[index - 1].end if index else 0


def side_of(text: str) -> Laterality | None:
    """The patient's side that a text names; both sides make it bilateral."""
    found = [side for side, words in SIDES.items() if re.search(rf"(?<!\w)(?:{words})(?!\w)", text, re.IGNORECASE)]
    return None if not found else "bilateral" if len(found) > 1 else found[0]


def zones_of(text: str) -> tuple[str, ...]:
    """The zones that a text names, in the order of `ZONES`."""
    return tuple(zone for zone, words in ZONES.items() if re.search(rf"(?<!\w)(?:{words})(?!\w)", text, re.IGNORECASE))


def tidy(text: str) -> str:
    """On one line, without blanks and signs around it, and in lower case but for abbreviations."""
    words = " ".join(text.split()).strip(" ,;:-/").split(" ")
    return " ".join(word.lower() if word[1:].islower() or len(word) == 1 else word for word in words)


def _own(sentence: str, names: tuple[Name, ...], index: int) -> Behind:
    """The place that stands right behind a name; an "and" that leads on to the next name is not part of it."""
    name = names[index]
    until = names[index + 1].start if index + 1 < len(names) else len(sentence)
    match = _AFTER.match(sentence, name.end, until) or _SIDE_AFTER.match(sentence, name.end)
    if match is None or match.end() > until:
        return Behind("", name.end)
    place, end = match["place"], match.end()
    last = place.lower().rfind(" and ")
    if end == until < len(sentence) and last > 0:
        place, end = place[:last], match.start("place") + last
    return Behind(tidy(place), end)


def _behind(sentence: str, names: tuple[Name, ...], index: int) -> str:
    """The place behind a name, or behind the last one of a list that it shares it with."""
    own = _own(sentence, names, index)
    if own.place or names[index].category not in SHARING:
        return own.place
    if index + 1 == len(names):
        match = _FURTHER.match(sentence, names[index].end)
        return tidy(match["place"]) if match else ""
    joint = sentence[names[index].end : names[index + 1].start]
    return _behind(sentence, names, index + 1) if _LIST.fullmatch(joint) else ""


def _ahead(text: str) -> str:
    """The last place named in what stands before a finding, if it says a side or a zone."""
    found = [tidy(match["place"]) for match in _AHEAD.finditer(text)]
    return next((place for place in reversed(found) if side_of(place) or zones_of(place)), "")
