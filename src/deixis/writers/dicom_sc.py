"""Pictures as DICOM Secondary Capture, for viewers that show neither segmentations nor reports."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes
from pydicom.uid import ExplicitVRLittleEndian

from deixis.types import Grounding
from deixis.writers.dicom_files import dicom_writer
from deixis.writers.dicom_identity import PICTURES, Question, constructor
from deixis.writers.dicom_objects import Made, Objects
from deixis.writers.dicom_original import Original
from deixis.writers.dicom_words import line
from deixis.writers.overlay import picture

COMMENT = 1024
# For the constructor, which insists on one; where the image's is unknown it is empty in what is written.
UPRIGHT = ("L", "F")


def pictures(groundings: Sequence[Grounding], original: Original) -> tuple[Made, ...]:
    """One RGB picture per phrase: the one that `png` writes, its notice burnt in."""
    question = Question.of(original, groundings)
    return tuple(_capture(question, original, number, one) for number, one in enumerate(groundings))


def _capture(question: Question, original: Original, number: int, grounding: Grounding) -> Made:
    from highdicom.sc import SCImage

    orientation = original.header.PatientOrientation
    made = SCImage.from_ref_dataset(
        ref_dataset=original.header,
        pixel_array=np.asarray(picture(grounding)),
        photometric_interpretation="RGB",
        bits_allocated=8,
        coordinate_system="PATIENT",
        patient_orientation=tuple(orientation) if orientation else UPRIGHT,
        transfer_syntax_uid=ExplicitVRLittleEndian,
        **constructor(question, PICTURES, grounding.provenance, number),
    )
    made.PatientOrientation, made.Laterality = orientation, original.header.Laterality
    made.BurnedInAnnotation = "YES"
    made.ImageComments = line(grounding.phrase.text, COMMENT)
    made.DerivationDescription = "Drawn over the referenced image, scaled"
    made.SourceImageSequence = [_reference(original)]
    return Made(PICTURES, made, number)


def _reference(original: Original) -> Dataset:
    """The image, as an item of SourceImageSequence."""
    from highdicom.sr import CodedConcept

    item = Dataset()
    item.ReferencedSOPClassUID = original.header.SOPClassUID
    item.ReferencedSOPInstanceUID = original.header.SOPInstanceUID
    item.PurposeOfReferenceCodeSequence = [CodedConcept.from_code(codes.DCM.SourceImageForImageProcessingOperation)]
    return item


CAPTURES = Objects(pictures, (PICTURES,))
SC = dicom_writer(CAPTURES)
