"""From an archive's study to answers in the same study: query, retrieve, ground, store.

Doing it twice stores nothing new: what an answer's objects are called follows from the question, and what the archive
already has by that name is neither computed nor sent again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO

import pydicom
from pydicom import uid

from deixis.answering import versions
from deixis.archive import TALKING, Archive, Instance
from deixis.errors import ArchiveError, ImageError
from deixis.ground import open_image
from deixis.images import read
from deixis.recipes import Recipe
from deixis.silence import silenced
from deixis.types import Grounding, Image, LatentModel, Phrase
from deixis.writers import DICOM_OBJECTS
from deixis.writers.dicom_identity import Kind, Question
from deixis.writers.dicom_objects import Objects, check_installed
from deixis.writers.dicom_original import WRITTEN_ABOUT, Original

# Series that hold radiographs; what is written here is of none of these modalities.
RADIOGRAPHS = frozenset({"CR", "DX"})
FORMATS = ("sr", "seg", "sc")


@dataclass(frozen=True)
class Order:
    """What is asked of every radiograph of a study.

    Args:
        phrases: what to look for.
        model: which finds it.
        recipe: in which way.
        seed: with which noise.
        formats: rows of `deixis.writers.DICOM_OBJECTS`.
        store: whether the answers go into the archive.
    """

    phrases: tuple[Phrase, ...]
    model: LatentModel
    recipe: Recipe
    seed: int = 0
    formats: tuple[str, ...] = FORMATS
    store: bool = True

    def question(self, original: Original) -> Question:
        """What is asked of one image; it is what the objects of the answer will say too."""
        instance, weights = str(original.header.SOPInstanceUID), self.model.spec.weights_sha256
        release = versions().get("deixis", "")
        return Question(instance, weights, self.recipe.name, self.seed, release, self.phrases)


@dataclass(frozen=True)
class Outcome:
    """What became of one image of the study.

    Args:
        groundings: one per phrase; () where nothing was computed.
        stored: how many objects the archive now has that it had not.
        kept: how many it had already.
        skipped: why the image was not looked at, or None.
    """

    groundings: tuple[Grounding, ...] = ()
    stored: int = 0
    kept: int = 0
    skipped: str | None = None


def ground_study(archive: Archive, study: str, order: Order, series: str | None = None) -> Iterator[Outcome]:
    """Ground phrases in the frontal radiographs of a study, and put the answers beside them; one outcome per image.

    Args:
        archive: where the study is.
        study: its StudyInstanceUID.
        order: what is asked.
        series: only the images of this SeriesInstanceUID.

    Raises:
        ArchiveError: the archive fails, has no such study, or no radiograph in it; what was stored by then stays.
        PhraseError, UnknownNameError: before the archive is asked.
    """
    check_installed()
    rows = tuple(DICOM_OBJECTS[name] for name in order.formats)
    order.model.embed([phrase.text for phrase in order.phrases])
    for instance in radiographs(archive, study, series):
        yield _answered(archive, study, instance, order, rows)


def radiographs(archive: Archive, study: str, series: str | None = None) -> tuple[Instance, ...]:
    """The images of a study that may be radiographs, in the archive's order.

    Raises:
        ArchiveError: there is none.
    """
    rows = archive.series(study)
    if not rows:
        raise ArchiveError("The archive has no such study. Check --study and the address.")
    chosen = [row for row in rows if row.modality in RADIOGRAPHS and series in (None, row.uid)]
    found = tuple(
        instance
        for row in chosen
        for instance in archive.instances(study, row.uid)
        # An archive that does not say of which class an instance is leaves that to its file.
        if not instance.sop_class or uid.UID(instance.sop_class) in WRITTEN_ABOUT
    )
    if not found:
        of = "that series of the study" if series else "the study"
        raise ArchiveError(f"The archive has no CR, DX or SC radiograph in {of}. deixis reads nothing else.")
    return found


def _answered(archive: Archive, study: str, instance: Instance, order: Order, rows: Sequence[Objects]) -> Outcome:
    """One image: passed over, already answered, or grounded and stored."""
    content = archive.retrieve(study, instance)
    try:
        image, original = read(content), _original(content)
    except ImageError as error:
        # One damaged image of a study must not keep the others from being read.
        return Outcome(skipped=str(error))
    reason = _unsuited(image, original)
    if reason is not None:
        return Outcome(skipped=reason)
    question = order.question(original)
    there = _there(archive, study, question, rows)
    if order.store and len(there) == sum(len(question.instances(kind)) for kind in _kinds(rows)):
        return Outcome(kept=len(there))
    groundings = open_image(image, order.model, order.recipe, seed=order.seed).find_all(order.phrases)
    made = [one for row in rows for one in row.of(groundings, original)]
    missing = [one.dataset for one in made if str(one.dataset.SOPInstanceUID) not in there]
    if order.store:
        archive.store(study, missing)
    return Outcome(groundings, len(missing) if order.store else 0, len(made) - len(missing))


def _original(content: bytes) -> Original:
    with silenced(*TALKING):
        return Original.of_dataset(pydicom.dcmread(BytesIO(content), stop_before_pixels=True, force=True))


def _unsuited(image: Image, original: Original) -> str | None:
    """Why an image of a study is passed over: no model that deixis knows has seen such."""
    if image.view == "lateral":
        return "a lateral view"
    if original.header.SOPClassUID == uid.DigitalXRayImageStorageForProcessing:
        return "a raw image for processing"
    return None


def _there(archive: Archive, study: str, question: Question, rows: Sequence[Objects]) -> frozenset[str]:
    """Identifiers of those objects of the answer that the archive has."""
    known = {one.uid for one in archive.series(study)}
    return frozenset(
        instance.uid
        for kind in _kinds(rows)
        if question.series(kind) in known
        for instance in archive.instances(study, question.series(kind))
        if instance.uid in question.instances(kind)
    )


def _kinds(rows: Sequence[Objects]) -> tuple[Kind, ...]:
    return tuple(kind for row in rows for kind in row.kinds)
