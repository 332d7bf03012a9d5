"""Whether a sentence asserts, denies, doubts or remembers each finding that it names."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from deixis.language.cues import Breaks, Effect, Row, compiled_cues
from deixis.language.findings import Name, Span, longest
from deixis.radiology import STATUSES, Status

BREAKS = Breaks()
# What joins the items of one list: no verb and no new statement, so that a cue behind the last item holds for all.
JOINT = re.compile(
    r"(?!.*\b(?:is|are|was|were|has|have|there|with|without|in|which|but|however)\b)[\w\s,/'()-]{1,40}", re.IGNORECASE
)
ALTERNATIVE = re.compile(r"\b(?:or|versus|vs)\b", re.IGNORECASE)
VERSUS = re.compile(r"(?:[\s-]+[\w/]+){0,3}?[\s,-]+(?:versus|vs)\b", re.IGNORECASE)
OR = re.compile(r"\bor\b", re.IGNORECASE)
# An opacity is what the alternatives after it explain, not one of them.
EXPLAINED = "Lung Opacity"
# What is gone when it is past; of the others something is left to be seen, as of an old fracture.
PASSING = frozenset(
    (
        "Atelectasis",
        "Consolidation",
        "Edema",
        "Lung Opacity",
        "Pleural Effusion",
        "Pneumonia",
        "Pneumothorax",
        "Nodule or Mass",
    )
)


@dataclass(frozen=True)
class Cue(Span):
    """A cue, by its place in a sentence."""

    row: Row


@dataclass(frozen=True)
class Judged:
    """A name, and what the sentence says of it."""

    name: Name
    status: Status


@dataclass(frozen=True)
class Statement:
    """A sentence with its names and cues."""

    sentence: str
    names: tuple[Name, ...]
    cues: tuple[Cue, ...]

    def between(self, start: int, end: int) -> str:
        """The text from `start` to `end`."""
        return self.sentence[start:end]

    def joined(self, left: Name, right: Name) -> bool:
        """Whether the two are neighbours in one list."""
        return JOINT.fullmatch(self.between(left.end, right.start)) is not None


def judged(sentence: str, names: tuple[Name, ...]) -> tuple[Judged, ...]:
    """Every name with its status; those that the sentence calls normal are left out."""
    statement = _statement(sentence, names)
    effects = [_effect(statement, index) for index in range(len(names))]
    effects = _alternatives(statement, effects)
    told = zip(names, effects, strict=True)
    return tuple(Judged(name, effect) for name, effect in told if effect in STATUSES)


def _statement(sentence: str, names: tuple[Name, ...]) -> Statement:
    found = longest(
        Cue(match.start(), match.end(), row) for row, pattern in compiled_cues() for match in pattern.finditer(sentence)
    )
    statement = Statement(sentence, names, tuple(cue for cue in found if cue.row.effect != "nothing"))
    return replace(statement, cues=tuple(cue for cue in statement.cues if not _swallowed(statement, cue)))


def _swallowed(statement: Statement, cue: Cue) -> bool:
    """Whether a doubt stands inside a denial, as in "no evidence suggestive of"."""
    if cue.row.effect != "uncertain" or cue.row.direction != "forward":
        return False
    denials = [one for one in statement.cues if one.row.effect == "absent" and one.row.direction == "forward"]
    # "no opacity suggestive of": the doubt stands right behind what is denied, and goes with it.
    before = [name for name in statement.names if name.end <= cue.start]
    touches = bool(before) and not statement.between(before[-1].end, cue.start).strip()
    upto = before[-1].start if touches else cue.start
    return any(
        denial.end <= upto
        and not any(denial.end <= name.start and name.end <= upto for name in statement.names)
        and not BREAKS.restart.search(statement.between(denial.end, upto))
        and "," not in statement.between(denial.end, upto)
        for denial in denials
    )


def _effect(statement: Statement, index: int) -> Effect:
    """What the cues make of one name: one inside it, else the nearest behind it, else the nearest before it."""
    name = statement.names[index]
    inside = [cue for cue in statement.cues if name.start <= cue.start and cue.end <= name.end]
    if inside:
        return inside[0].row.effect
    behind = [cue for cue in statement.cues if cue.row.direction == "backward" and _reaches_back(statement, cue, index)]
    if behind:
        return min(behind, key=lambda cue: cue.start).row.effect
    before = [cue for cue in statement.cues if cue.row.direction == "forward" and _reaches_on(statement, cue, name)]
    return max(before, key=lambda cue: cue.start).row.effect if before else "present"


def _reaches_on(statement: Statement, cue: Cue, name: Name) -> bool:
    """Whether a cue before the name holds for it."""
    if cue.end > name.start or any(other.start <= cue.start and cue.end <= other.end for other in statement.names):
        return False
    between = statement.between(cue.end, name.start)
    if cue.row.reach is not None and (len(re.findall(r"\w+", between)) > cue.row.reach or "," in between):
        return False
    if cue.row.effect == "prior" and cue.row.reach == 3 and name.category not in PASSING:
        return False
    return not _broken(statement, cue, name)


def _broken(statement: Statement, cue: Cue, name: Name) -> bool:
    """Whether something is stated anew between a cue and a name behind it."""
    # What opens a name, as in ", tortuous aorta", may itself begin the new statement.
    reached = statement.between(cue.end, name.end)
    limit = name.start - cue.end
    anew = BREAKS.cause if cue.row.effect == "absent" else BREAKS.restart
    if any(match.start() < limit for match in anew.finditer(reached)):
        return True
    degrees = [match for match in BREAKS.degree.finditer(reached) if match.start() < limit]
    if not degrees:
        return False
    rest = statement.sentence[cue.end + degrees[-1].end() :]
    ending = BREAKS.ending.search(rest)
    return not OR.search(rest[: ending.start()] if ending else rest)


def _reaches_back(statement: Statement, cue: Cue, index: int) -> bool:
    """Whether a cue behind the name holds for it: it is the last name before the cue, or in one list with that."""
    before = [i for i, name in enumerate(statement.names) if name.end <= cue.start]
    if not before or index > before[-1]:
        return False
    last = statement.names[before[-1]]
    between = statement.between(last.end, cue.start)
    if BREAKS.ending.search(between) or re.search(r"\band\b|, (?:no|with)\b", between):
        return False
    if cue.row.reach is not None and len(re.findall(r"\w+", between)) > cue.row.reach:
        return False
    pairs = zip(statement.names[index : before[-1]], statement.names[index + 1 : before[-1] + 1], strict=True)
    return all(statement.joined(left, right) for left, right in pairs)


def _alternatives(statement: Statement, effects: Sequence[Effect]) -> list[Effect]:
    """Of asserted names that "or" or "versus" joins, each becomes uncertain, and what precedes them in the list."""
    judged = list(effects)
    for index, left in enumerate(statement.names):
        following = statement.names[index + 1] if index + 1 < len(statement.names) else None
        if following is None or not statement.joined(left, following):
            if VERSUS.match(statement.sentence, left.end) and judged[index] == "present":
                judged[index] = "uncertain"
            continue
        if not ALTERNATIVE.search(statement.between(left.end, following.start)):
            continue
        if "absent" in (judged[index], judged[index + 1]):
            continue
        judged[index + 1] = "uncertain"
        for item in range(index, -1, -1):
            if judged[item] != "present" or (item < index and not _same_list(statement, item)):
                break
            judged[item] = "uncertain"
    return judged


def _same_list(statement: Statement, item: int) -> bool:
    """Whether a name is an item of the list that goes on behind it, and not what the list explains."""
    left, right = statement.names[item], statement.names[item + 1]
    return left.category != EXPLAINED and statement.joined(left, right)
