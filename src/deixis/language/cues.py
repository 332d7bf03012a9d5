"""Words that say whether a finding is there: what they make of it, which way they reach, and where they stop.

The scheme is that of ConText (Harkema et al., J Biomed Inform 2009, 42:839; after NegEx, Chapman et al., J Biomed
Inform 2001, 34:301): a cue, a direction, words that end its reach, and look-alikes that mean nothing. The words are our
own, gathered from reports that hold no sentence of the test.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import Literal

from deixis.language.lexicon import compiled
from deixis.radiology import Status

Effect = Status | Literal["normal", "nothing"]
Direction = Literal["forward", "backward"]


@dataclass(frozen=True)
class Row:
    """A row of the table.

    Args:
        effect: what becomes of a finding in reach; "normal" takes it for no finding, "nothing" only keeps shorter cues
            within these words from being read.
        direction: whether the finding follows or precedes.
        words: patterns, written as in the lexicon.
        reach: words that may stand between; None for the rest of the statement.
    """

    effect: Effect
    direction: Direction
    words: tuple[str, ...]
    reach: int | None = None


SEEN = (
    "(seen|identified|present|visuali[sz]ed|evident|appreciated|demonstrated|noted|detected|suspected|apparent|found"
    "|observed|visible|shown|conspicuous|appreciable|recognized)"
)
FULLY = "( (definitely|clearly|confidently|definitively|convincingly|xxxx|entirely|completely|reliably|totally))*"
BE = "(is|are|was|were|be|has been|have been|remains?|appears?)"
CHANGE = "(changes?|increase|decrease|improvement|progression|worsening|difference)"
CHANGED = "(changed|different|increased|decreased|improved|worse|worsened|larger|smaller|progressed|altered)"

# What is doubted stands before these words only where nothing follows that could be meant instead.
LAST = r"(?= ?(?:[.,;:)]|$|\b(?:and|but|given|in|on|at|here)\b))"

CUES: tuple[Row, ...] = (
    Row("absent", "forward", (
        "no", "not", "without", "negative for", "(free|clear|clearing) of", "absence of", "absent", "denies", "denied",
        "neither", "nor", "never", "rather than", "instead of", "unremarkable for", "resolved without", "lack of",
        "rules out", "excludes", "ruling out", "fails? to (show|demonstrate|reveal)", "nothing to suggest",
    )),
    Row("absent", "backward", (
        f"{BE}( (also|again))* not{FULLY} {SEEN}", f"not{FULLY} {SEEN}",
        f"(is|are){FULLY} (absent|excluded|ruled out)", "(is|are|was|were) negative", "absent", "ruled out", "none",
        "negative",
    )),
    Row("uncertain", "forward", (
        "may", "might", "could", "can (represent|reflect|be)", "maybe", "perhaps", "possib(le|ly)",
        "possibility( of)?", "probabl[ey]", "(most )?likely", "unlikely", "presum(ed|ably|ptive)", "potential(ly)?",
        "suspected", "suspicio(n|us) (for|of)", "suspect", "concern(ing)?( raised)? (for|of|about)", "worrisome for",
        "question( of)?", "questionabl[ey]", "query", "equivocal", "borderline",
        "suggest(s|ed|ing|ion|ive)?( (of|that))?", "favou?r(s|ed|ing)?( (to|over))*", "versus", "vs",
        "can ?not( be)?( (entirely|completely|definitively))? (exclude|rule out)", "(difficult|hard) to exclude",
        "(to )?(rule out|exclude|r/o)",
        "(evaluat(e|ion)|assess(ment)?|assessed|search|look|check|screen(ing)?)( further)? for", "if",
        "consider(ation)?s?( (of|for|include))*", "differential( (diagnosis|considerations?))?", "thought to",
        "felt to", "indeterminate for", "raises?( the)? (possibility|question|concern)", "risk (for|of)",
        "signs? of impending",
    )),
    Row("uncertain", "backward", (
        f"(can ?not|could not|may not|can't){FULLY} be{FULLY} (excluded|ruled out|assessed|evaluated)",
        f"not{FULLY} (excluded|ruled out)",
        (f"{BE}( (also|most|felt))* (possible|probable|likely|unlikely|suspected|questionable|questioned|favou?red"
        f"|considered|indeterminate|equivocal){LAST}"),
        f"{BE} (in the differential|an? (consideration|possibility|concern))",
        f"{BE} (difficult|hard) to exclude{LAST}",
        "(should|must) be (excluded|considered|ruled out)", "to be (excluded|ruled out)",
        "(may|might|could) (be present|have this appearance|look like this|appear like this|coexist)",
        "(possible|probable|likely|suspected|questionable)(?= ?[.;]? ?$)",
    )),
    Row("prior", "forward", (
        "histor(y|ical)( (of|for))?", "h/o", "(interval )?(removal|resolution|clearing|disappearance) of",
        "no longer( (any|shows?|demonstrates?))?", "(resolved|prior resolved|previously resolved)",
    ), 5),
    Row("prior", "forward", ("prior", "previous", "earlier", "remote history of"), 3),
    Row("prior", "backward", (
        ("(has|have|had)( (now|since|completely|largely|entirely|nearly))*( been)? (resolved|cleared|disappeared"
        "|removed|gone|withdrawn)"), f"{BE} no longer( {SEEN})?", "no longer",
        f"{BE}( (now|since))? (resolved|removed|gone)", "resolved", "removed",
    )),
    Row("normal", "forward", ("normal", "unremarkable"), 2),
    Row("normal", "backward", (
        f"{BE}( (grossly|within))* (normal|unremarkable)( (limits|in (size|caliber|appearance)))?",
        "within (normal limits|limits of normal)", "normal", "unremarkable",
    ), 3),
    Row("nothing", "forward", (
        (f"(no|without|not)( (any|much|xxxx|significant|significantly|interval|appreciable|definite|substantial"
        f"|other|gross|further|major|large))* {CHANGE}( (in|of|from|to))*"),
        f"(is|are)? ?not( [\\w']+){{0,4}} {CHANGED}( (in|from|than))*", "not only", "no (doubt|question)",
        "no adverse",
        ("suggest(s|ed|ing)? ((a|an) )?(further|repeat|follow ?up|clinical|comparison|correlation|dedicated|short"
        "|obtaining|ct|mri)"),
        ("(prior|previous|earlier)( [\\w/]+)? (exams?|examinations?|stud(y|ies)|films?|radiographs?|images?|imaging"
        "|ct|scans?|chest|x rays?|xxxx|reports?|comparisons?)"), f"(previously|prior) {SEEN}", "previously described",
        "partial(ly)? (resolution|resolved)( of)?", "(near|nearly) complete(ly)? (resolution|clearing)( of)?",
        "(not|no) (well|completely|fully|adequately|optimally)( (seen|visuali[sz]ed|evaluated|imaged))?",
        "if (clinically|further|needed|desired|indicated|not already|there are|symptoms)", "to (suggest|indicate)",
        "(consistent|compatible|in keeping) with( (the|a|this|patient's|known|given|prior|xxxx))* history of( known)?",
        "as possible", "with or without", "normal variant", "may be helpful", "would be helpful",
    )),
)  # fmt: skip

# A statement ends here, whatever the cue.
ENDING = (
    r"[;]|[.?!](?=\s|$)|(?<!\w)-{1,2}(?!\w)"
    r"|\b(?:but|however|although|though|yet|except(?: for)?|aside from|apart from|other than|whereas|while"
    r"|nevertheless)\b"
)
# After these a denial or a doubt is over: something is stated anew.
STATED = (
    "there|stable|unchanged|persistent|again|status post|increased|increasing|worsening|improved|improving|decreased"
    "|new|redemonstrat\\w+|chronic|old|healed|known|residual|calcified|degenerative|post ?(?:operative|surgical)"
    "|tortuous|atherosclerotic|mildly|moderately|the|this|these|heart|lungs?|cardiac|otherwise|median|prior"
)
RESTART = rf"(?:,|\band\b)\s+(?:with\s+|and\s+|also\s+)?(?:{STATED})\b"
# These begin anew only where no "or" follows, which would make them items of one list.
DEGREE = (
    r"(?:,|\band\b)\s+(?:(?:a|an)\s+)?"
    r"(?:mild|small|minimal|moderate|tiny|trace|slight|severe|marked|left|right|bilateral)\b"
)
WITH = (
    r"\bwhich\b"
    r"|(?<!consistent )(?<!compatible )(?<!keeping )(?<!associated )\bwith(?! (?:or without|no)\b)\b"
)
# A denial ends here too, but a doubt goes on: "possibly due to".
CAUSE = (
    r"\b(?:status post|due to|secondary to|following|since|compared|in (?:a|this|the) patient|in the setting of"
    r"|as (?:well|compared))\b"
)


@cache
def compiled_cues() -> tuple[tuple[Row, re.Pattern[str]], ...]:
    """Every row beside each of its patterns."""
    return tuple((row, compiled(words)) for row in CUES for words in row.words)


@dataclass(frozen=True)
class Breaks:
    """Where the reach of cues ends, as patterns: of any cue, of one that points on, of a denial that points on."""

    ending: re.Pattern[str] = re.compile(ENDING, re.IGNORECASE)
    restart: re.Pattern[str] = re.compile(rf"{ENDING}|{RESTART}|{WITH}", re.IGNORECASE)
    cause: re.Pattern[str] = re.compile(rf"{ENDING}|{RESTART}|{WITH}|{CAUSE}", re.IGNORECASE)
    degree: re.Pattern[str] = re.compile(DEGREE, re.IGNORECASE)
