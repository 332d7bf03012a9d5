"""Boxes as a Comprehensive SR by TID 1500, through highdicom: one measurement group per box."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float64
from pydicom.sr.codedict import codes

from deixis.types import Box, Grounding
from deixis.writers.dicom_codes import PRIVATE, Concept, finding_of
from deixis.writers.dicom_files import dicom_writer
from deixis.writers.dicom_identity import MAKER, REPORT, RESEARCH, Question, constructor, parameters
from deixis.writers.dicom_objects import Made, Objects
from deixis.writers.dicom_original import Original
from deixis.writers.dicom_words import line

TEXT = 1024
SCORE = Concept("MEANHEAT", PRIVATE, "Mean heat inside the region")
WHERE = Concept("WHERE", PRIVATE, "Where the phrase lives")
NOWHERE = Concept("NOWHERE", PRIVATE, "Nothing stands out")
DIGITS = 6


def report(groundings: Sequence[Grounding], original: Original) -> tuple[Made, ...]:
    """One report about all phrases of an image.

    Each box is a closed polyline of five points in the image's pixels, x to the right and y down, the upper left corner
    of the upper left pixel at 0, 0 (PS3.3 C.18.6.1.2), which is the frame of `Box`. Its tracking identifier is the
    phrase. A phrase without box says so in a group of its own.
    """
    from highdicom.sr import ComprehensiveSR, MeasurementReport, ObservationContext, ObserverContext

    question, how = Question.of(original, groundings), groundings[0].provenance
    observer = ObserverContext(codes.DCM.Device, _device(question))
    content = MeasurementReport(
        observation_context=ObservationContext(observer_device_context=observer),
        procedure_reported=codes.cid100.XRUnspecifiedBodyRegion,
        imaging_measurements=[
            group for number, one in enumerate(groundings) for group in _groups(question, original, number, one)
        ],
    )
    made = ComprehensiveSR(
        evidence=[original.header],
        content=content[0],
        is_complete=True,
        **constructor(question, REPORT, how),
    )
    return (Made(REPORT, made),)


def _device(question: Question) -> Any:
    """The software that observed, by name."""
    from highdicom.sr import DeviceObserverIdentifyingAttributes

    return DeviceObserverIdentifyingAttributes(
        uid=question.uid("device"), name=MAKER, manufacturer_name=MAKER, model_name=f"{MAKER}: {RESEARCH}"
    )


def _groups(question: Question, original: Original, number: int, grounding: Grounding) -> Iterator[Any]:
    """The measurement groups of one phrase: one per box, or one that says that there is none."""
    from highdicom.sr import (
        AlgorithmIdentification,
        MeasurementsAndQualitativeEvaluations,
        PlanarROIMeasurementsAndQualitativeEvaluations,
        QualitativeEvaluation,
        TrackingIdentifier,
    )

    finding, boxes = finding_of(grounding.phrase), grounding.boxes
    said = line(grounding.phrase.text, TEXT)
    shared = {
        "finding_type": finding.what.coded(),
        "finding_category": finding.category.coded(),
        "algorithm_id": AlgorithmIdentification(
            name=MAKER,
            version=question.release or "0",
            parameters=[f"{name}={value}" for name, value in parameters(grounding.provenance).items()],
            family=codes.DCM.ArtificialIntelligence,
            manufacturer=MAKER,
        ),
    }
    if not boxes:
        yield MeasurementsAndQualitativeEvaluations(
            tracking_identifier=TrackingIdentifier(question.uid("phrase", number, "none"), said),
            qualitative_evaluations=[QualitativeEvaluation(WHERE.coded(), NOWHERE.coded())],
            **shared,
        )
    for rank, box in enumerate(boxes):
        yield PlanarROIMeasurementsAndQualitativeEvaluations(
            tracking_identifier=TrackingIdentifier(question.uid("phrase", number, "box", rank), said),
            referenced_region=_region(original, box),
            measurements=[_score(box)],
            **shared,
        )


def _region(original: Original, box: Box) -> Any:
    from highdicom.sr import GraphicTypeValues, ImageRegion, SourceImageForRegion

    source = SourceImageForRegion.from_source_image(original.header)
    return ImageRegion(GraphicTypeValues.POLYLINE, corners(box), source)


def corners(box: Box) -> Float64[np.ndarray, "5 2"]:
    """The box's corners as x and y, clockwise from the upper left, which also ends the line."""
    x0, y0, x1, y1 = box.x0, box.y0, box.x1, box.y1
    return np.array([(x0, y0), (x1, y0), (x1, y1), (x0, y1), (x0, y0)], np.float64)


def _score(box: Box) -> Any:
    from highdicom.sr import Measurement

    return Measurement(SCORE.coded(), round(box.score, DIGITS), codes.UCUM.NoUnits)


REPORTS = Objects(report, (REPORT,))
SR = dicom_writer(REPORTS)
