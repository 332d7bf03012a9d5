"""Masks as a BINARY DICOM Segmentation, one segment per phrase, and heat as a FRACTIONAL one, through highdicom."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Bool, Float32
from pydicom.sr.codedict import codes

from deixis.types import Grounding
from deixis.writers.dicom_codes import finding_of
from deixis.writers.dicom_files import dicom_writer
from deixis.writers.dicom_identity import (
    HEAT,
    LONG,
    MAKER,
    MASKS,
    RESEARCH,
    Kind,
    Question,
    constructor,
    notice,
    parameters,
)
from deixis.writers.dicom_objects import Made, Objects
from deixis.writers.dicom_original import Original
from deixis.writers.dicom_words import line

# A stored byte of heat is 255 times the heat.
LEVELS = 255


def segmentations(groundings: Sequence[Grounding], original: Original) -> tuple[Made, ...]:
    """The masks, and the heat, of one image's phrases, in its own pixels.

    Segment n is the n-th phrase: its label the phrase, cut to 64 characters where it is longer, its description the
    whole of it. Heat comes back within half of 1/255.
    """
    masks = np.stack([one.mask for one in groundings], -1)[None]
    heat = np.stack([np.clip(one.heat.values, 0, 1).astype(np.float32) for one in groundings], -1)[None]
    return (
        _segmentation(groundings, original, MASKS, masks),
        _segmentation(groundings, original, HEAT, heat),
    )


def _segmentation(
    groundings: Sequence[Grounding],
    original: Original,
    kind: Kind,
    values: Bool[np.ndarray, "1 y x phrase"] | Float32[np.ndarray, "1 y x phrase"],
) -> Made:
    from highdicom.seg import Segmentation, SegmentationFractionalTypeValues, SegmentationTypeValues

    question = Question.of(original, groundings)
    types = SegmentationTypeValues
    made = Segmentation(
        source_images=[original.header],
        pixel_array=values,
        segmentation_type=types.BINARY if values.dtype == np.bool_ else types.FRACTIONAL,
        segment_descriptions=[_segment(question, number, one) for number, one in enumerate(groundings)],
        fractional_type=SegmentationFractionalTypeValues.PROBABILITY,
        max_fractional_value=LEVELS,
        content_label=f"DEIXIS_{kind.name.upper()}",
        content_description=f"{kind.description}: {RESEARCH}",
        omit_empty_frames=False,
        **constructor(question, kind, groundings[0].provenance),
    )
    made.PatientOrientation = original.header.PatientOrientation
    made.ImageComments = notice(groundings[0].provenance)
    # highdicom draws this one anew each time; the same question is to give the same object.
    for item in (*made.DimensionOrganizationSequence, *made.DimensionIndexSequence):
        item.DimensionOrganizationUID = question.uid("dimensions", kind.name)
    return Made(kind, made)


def _segment(question: Question, number: int, grounding: Grounding) -> Any:
    from highdicom import AlgorithmIdentificationSequence
    from highdicom.seg import SegmentAlgorithmTypeValues, SegmentDescription

    phrase, how = grounding.phrase, grounding.provenance
    finding = finding_of(phrase)
    made = SegmentDescription(
        segment_number=number + 1,
        segment_label=line(phrase.text, LONG),
        segmented_property_category=finding.category.coded(),
        segmented_property_type=finding.what.coded(),
        algorithm_type=SegmentAlgorithmTypeValues.AUTOMATIC,
        algorithm_identification=AlgorithmIdentificationSequence(
            name=MAKER,
            family=codes.DCM.ArtificialIntelligence,
            version=question.release or "0",
            source=MAKER,
            parameters=parameters(how),
        ),
        tracking_uid=question.uid("phrase", number),
        tracking_id=line(phrase.text, LONG),
    )
    made.SegmentDescription = line(phrase.text, 1024)
    return made


SEGMENTATIONS = Objects(segmentations, (MASKS, HEAT))
SEG = dicom_writer(SEGMENTATIONS)
