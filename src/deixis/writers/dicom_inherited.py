"""What a new DICOM object takes over from the image that it is about, put right where the image has it wrong.

Archives hold a patient's age as "62" and dates with hyphens, and a copy of those would make every object that inherits
them invalid. So only the elements below are inherited; what is malformed is repaired where its meaning is plain, and
left out where it is not. No value of the image is ever quoted.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pydicom.dataset import Dataset
from pydicom.multival import MultiValue
from pydicom.sequence import Sequence
from pydicom.uid import UID

from deixis.writers.dicom_words import line, size

UTF8 = "ISO_IR 192"
LONG, SHORT = 64, 16
# PS3.5 6.2.1: up to three groups of up to five components, each group of at most 64 letters.
NAME_GROUPS, NAME_COMPONENTS = 3, 5
FORBIDDEN = re.compile(r"[\x00-\x1f\x7f\\]")


@dataclass(frozen=True)
class Inherited:
    """An element that is taken over.

    Args:
        keyword: its name.
        empty: whether it is to be there and empty where the image has no proper one (type 2), or not at all (type 3).
        allowed: the values that it may have, where they are few.
    """

    keyword: str
    empty: bool = False
    allowed: tuple[str, ...] = ()


PATIENT_AND_STUDY = (
    Inherited("PatientName", empty=True),
    Inherited("PatientID", empty=True),
    Inherited("IssuerOfPatientID"),
    Inherited("PatientBirthDate", empty=True),
    Inherited("PatientSex", empty=True, allowed=("M", "F", "O")),
    Inherited("PatientAge"),
    Inherited("PatientSize"),
    Inherited("PatientWeight"),
    Inherited("PatientIdentityRemoved", allowed=("YES", "NO")),
    Inherited("DeidentificationMethod"),
    Inherited("DeidentificationMethodCodeSequence"),
    Inherited("StudyDate", empty=True),
    Inherited("StudyTime", empty=True),
    Inherited("StudyID", empty=True),
    Inherited("StudyDescription"),
    Inherited("AccessionNumber", empty=True),
    Inherited("ReferringPhysicianName", empty=True),
)


def inherited(image: Dataset) -> Dataset:
    """The elements above as a valid data set, its text in UTF-8."""
    made = Dataset()
    made.SpecificCharacterSet = UTF8
    for row in PATIENT_AND_STUDY:
        value = _proper(image, row.keyword)
        if row.allowed and value not in row.allowed:
            value = None
        if value is not None or row.empty:
            setattr(made, row.keyword, "" if value is None else value)
    if "DeidentificationMethod" not in made and "DeidentificationMethodCodeSequence" not in made:
        # Type 1C: an identity that was removed without saying how is not valid.
        made.pop("PatientIdentityRemoved", None)
    return made


def _proper(image: Dataset, keyword: str) -> Any:
    """The element's value, repaired; None where it is absent or beyond repair."""
    try:
        element = image[keyword]
        value, vr = element.value, element.VR
        if vr == "SQ":
            return _codes(value)
        if isinstance(value, MultiValue | list):
            value = value[0]
        repair = REPAIRS.get(vr)
        return None if repair is None or value is None or str(value) == "" else repair(str(value).strip())
    # What a malformed value raises is as various as what may be in it, and each means that it is not taken over.
    except (KeyError, ValueError, TypeError, LookupError, AttributeError, NotImplementedError, OverflowError):
        return None


def _codes(items: Sequence) -> Sequence | None:
    """Coded items, those that are whole."""
    keywords = ("CodeValue", "CodingSchemeDesignator", "CodeMeaning")
    whole = []
    for item in items:
        values = [_proper(item, keyword) for keyword in keywords]
        if None not in values:
            made = Dataset()
            for keyword, value in zip(keywords, values, strict=True):
                setattr(made, keyword, value)
            whole.append(made)
    return Sequence(whole) if whole else None


def _age(text: str) -> str | None:
    """``062Y`` for "62", "62Y" and "062y": a number alone counts years."""
    found = re.fullmatch(r"(\d{1,3})([DWMY]?)", text.upper())
    return f"{int(found[1]):03}{found[2] or 'Y'}" if found else None


def _date(text: str) -> str | None:
    """``20010203``, also from 2001-02-03, 2001.02.03 and 2001/02/03."""
    found = re.fullmatch(r"(\d{4})([-./]?)(0[1-9]|1[0-2])\2(0[1-9]|[12]\d|3[01])", text)
    return f"{found[1]}{found[3]}{found[4]}" if found else None


def _time(text: str) -> str | None:
    """``101500.25``, also from 10:15:00.25."""
    plain = text.replace(":", "")
    return plain if re.fullmatch(r"([01]\d|2[0-3])([0-5]\d([0-5]\d(\.\d{1,6})?)?)?", plain) else None


def _code(text: str) -> str | None:
    plain = text.upper()
    return plain if re.fullmatch(r"[A-Z0-9_ ]{1,16}", plain) else None


def _number(text: str) -> str | None:
    return text if re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", text) and len(text) <= SHORT else None


def _name(text: str) -> str | None:
    groups = text.split("=")
    fits = len(groups) <= NAME_GROUPS and all(
        len(group) <= LONG and group.count("^") < NAME_COMPONENTS for group in groups
    )
    return text if fits and not FORBIDDEN.search(text) else None


def _long(text: str) -> str:
    return line(text, LONG)


def _exactly(text: str) -> str | None:
    """At most 64 bytes: a shortened identifier would be another's."""
    return text if size(text) <= LONG and not FORBIDDEN.search(text) else None


def _short(text: str) -> str | None:
    """At most 16 bytes."""
    return text if size(text) <= SHORT and not FORBIDDEN.search(text) else None


def _uid(text: str) -> str | None:
    return text if UID(text).is_valid else None


# By value representation; an element of any other is not taken over.
REPAIRS: dict[str, Callable[[str], str | None]] = {
    "AS": _age,
    "CS": _code,
    "DA": _date,
    "DS": _number,
    "LO": _exactly,
    "PN": _name,
    "SH": _short,
    "ST": _long,
    "TM": _time,
    "UI": _uid,
}
