"""Who made a new DICOM object, in which series it stands, and its unique identifiers.

Identifiers follow from what was asked: the same image, weights, recipe, seed, phrases and release of deixis give the
same ones, so that storing an answer twice stores it once.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from deixis.types import Grounding, Phrase, Provenance
from deixis.writers.dicom_codes import PRIVATE
from deixis.writers.dicom_inherited import UTF8
from deixis.writers.dicom_original import Original
from deixis.writers.dicom_words import line

MAKER = "deixis"
RESEARCH = "Research use only, not for diagnosis."
# UIDs below 2.25 are UUIDs (PS3.5 B.2); ours are hashes in this name space (RFC 9562, version 5).
NAME_SPACE = uuid.uuid5(uuid.NAMESPACE_URL, "urn:deixis:dicom")
LONG, NOTICE = 64, 4096


@dataclass(frozen=True)
class Kind:
    """A kind of object; all objects of one kind about one question are one series.

    Args:
        name: as in file names.
        series: its number in the study; high, to come after what the modality made.
        description: of the series.
        per_phrase: whether there is one for each phrase, or one for all.
    """

    name: str
    series: int
    description: str
    per_phrase: bool = False


MASKS = Kind("seg", 9701, "deixis masks")
HEAT = Kind("heat", 9702, "deixis heat")
REPORT = Kind("sr", 9703, "deixis boxes")
PICTURES = Kind("sc", 9704, "deixis pictures", per_phrase=True)


@dataclass(frozen=True)
class Question:
    """What the objects' identifiers follow from.

    Args:
        instance: SOPInstanceUID of the image.
        weights_sha256: of the model.
        recipe: its name.
        seed: which noise.
        release: version of deixis.
        phrases: all that were asked, in order.
    """

    instance: str
    weights_sha256: str
    recipe: str
    seed: int
    release: str
    phrases: tuple[Phrase, ...]

    @classmethod
    def of(cls, original: Original, groundings: Sequence[Grounding]) -> Question:
        """What these groundings of the image answer."""
        how = groundings[0].provenance
        phrases = tuple(grounding.phrase for grounding in groundings)
        release = how.versions.get("deixis", "")
        instance = str(original.header.SOPInstanceUID)
        return cls(instance, how.weights_sha256, how.recipe, how.seed, release, phrases)

    def uid(self, *role: str | int) -> str:
        """The identifier of whatever plays this role in the answer."""
        asked = [self.instance, self.weights_sha256, self.recipe, self.seed, self.release]
        phrases = [[phrase.text, phrase.span] for phrase in self.phrases]
        return f"2.25.{uuid.uuid5(NAME_SPACE, json.dumps([asked, phrases, role])).int}"

    def series(self, kind: Kind) -> str:
        """SeriesInstanceUID of the objects of a kind."""
        return self.uid("series", kind.name)

    def instances(self, kind: Kind) -> tuple[str, ...]:
        """SOPInstanceUIDs of all objects of a kind."""
        return tuple(self.uid(kind.name, number) for number in range(len(self.phrases) if kind.per_phrase else 1))


def constructor(question: Question, kind: Kind, how: Provenance, number: int = 0) -> dict[str, Any]:
    """The arguments on series, equipment and identity that highdicom's constructors share."""
    from highdicom.coding_schemes import CodingSchemeIdentificationItem

    return {
        "series_instance_uid": question.series(kind),
        "series_number": kind.series,
        "sop_instance_uid": question.instances(kind)[number],
        "instance_number": number + 1,
        "manufacturer": MAKER,
        "manufacturer_model_name": line(f"{MAKER} {how.model}", LONG),
        "software_versions": question.release or "0",
        "device_serial_number": how.weights_sha256[:16],
        "series_description": f"{kind.description}: {RESEARCH}",
        "specific_character_set": UTF8,
        "coding_schemes": [
            CodingSchemeIdentificationItem(PRIVATE, name="Codes of deixis", responsible_organization=MAKER)
        ],
    }


def parameters(how: Provenance) -> dict[str, str]:
    """What the algorithm was called with, and what every copy of its answer must carry."""
    return {
        "recipe": how.recipe,
        "seed": str(how.seed),
        "model": line(how.model, LONG),
        "weights_sha256": how.weights_sha256,
        "notice": notice(how),
    }


def notice(how: Provenance) -> str:
    """All that must be said with the answer, in one line."""
    return line(" ".join(dict.fromkeys((RESEARCH, *(f"{said.rstrip('.')}." for said in how.notices)))), NOTICE)
