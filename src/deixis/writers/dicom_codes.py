"""Coded names for what phrases say: SNOMED CT where a finding is one of a few well-known ones, else a scheme of ours.

The codes are SNOMED CT's; those that DICOM's context groups contain are in pydicom's dictionary too, and a test
compares them. (Its "Cardiomegaly" is another concept's number, so that one is not taken from there.)
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import Any

from deixis.types import Phrase
from deixis.writers.dicom_words import line

SNOMED = "SCT"
# "99" in front marks a private scheme (PS3.16 section 8.2).
PRIVATE = "99DEIXIS"
MEANING_LENGTH = 64


@dataclass(frozen=True)
class Concept:
    """A DICOM code: value, scheme and meaning."""

    value: str
    scheme: str
    meaning: str

    def coded(self) -> Any:
        """As highdicom has it."""
        from highdicom.sr import CodedConcept

        return CodedConcept(self.value, self.scheme, self.meaning)


ABNORMAL = Concept("49755003", SNOMED, "Morphologically Abnormal Structure")
DEVICE = Concept("260787004", SNOMED, "Physical object")


@dataclass(frozen=True)
class Finding:
    """What a phrase is about.

    Args:
        what: the finding.
        category: the kind of thing that it is (CID 7150).
    """

    what: Concept
    category: Concept = ABNORMAL


def _snomed(value: str, meaning: str, category: Concept = ABNORMAL) -> Finding:
    return Finding(Concept(value, SNOMED, meaning), category)


FINDINGS = {
    "atelectasis": _snomed("46621007", "Atelectasis"),
    "cardiomegaly": _snomed("8186001", "Cardiomegaly"),
    "central venous catheter": _snomed("52124006", "Central venous catheter", DEVICE),
    "consolidation": _snomed("95436008", "Lung consolidation"),
    "edema": _snomed("19242006", "Pulmonary edema"),
    "emphysema": _snomed("87433001", "Pulmonary emphysema"),
    "endotracheal tube": _snomed("26412008", "Endotracheal tube", DEVICE),
    "lung mass": _snomed("309529002", "Lung mass"),
    "lung nodule": _snomed("427359005", "Solitary nodule of lung"),
    "pacemaker": _snomed("14106009", "Cardiac pacemaker", DEVICE),
    "pleural effusion": _snomed("60046008", "Pleural effusion"),
    "pneumonia": _snomed("233604007", "Pneumonia"),
    "pneumothorax": _snomed("36118008", "Pneumothorax"),
}
OTHER_WORDS = {
    "effusion": "pleural effusion",
    "central line": "central venous catheter",
    "enlarged heart": "cardiomegaly",
    "pulmonary edema": "edema",
    "pulmonary consolidation": "consolidation",
    "pulmonary nodule": "lung nodule",
    "pulmonary mass": "lung mass",
}
# Words that say how much and where. A phrase of any other word beside a finding's, "no" or "possible" among them, may
# state something else than the finding, and is not coded as one.
AROUND = frozenset({
    "a", "an", "the", "in", "of", "at", "and",
    "left", "right", "bilateral", "side", "sided", "upper", "middle", "lower", "lung", "lobe", "zone", "base", "basal",
    "apex", "apical",
    "small", "moderate", "large", "mild", "severe", "minimal", "extensive", "trace",
})  # fmt: skip


def finding_of(phrase: Phrase) -> Finding:
    """What the phrase is about: its category's code, else that of its words, else a code of our own for its text."""
    for name in (phrase.category or "", phrase.text):
        known = _known(name)
        if known is not None:
            return known
    number = hashlib.sha256(phrase.text.encode()).hexdigest()[:12].upper()
    return Finding(Concept(f"P{number}", PRIVATE, line(phrase.text, MEANING_LENGTH)))


def _known(text: str) -> Finding | None:
    """The finding that `text` names and says nothing beside but how much and where."""
    words = re.findall(r"[^\W_]+", text.casefold())
    for start in range(len(words)):
        for end in range(len(words), start, -1):
            name = " ".join(words[start:end])
            name = OTHER_WORDS.get(name, name)
            if name in FINDINGS and AROUND.issuperset(words[:start] + words[end:]):
                return FINDINGS[name]
    return None
