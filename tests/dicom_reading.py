"""Reads deixis' DICOM objects as another program would: through highdicom and pydicom, and dicom3tools' validator."""

import subprocess
from io import BytesIO
from pathlib import Path

import highdicom
import numpy as np
import pydicom
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes

from deixis.types import Box
from needs import program


def planes(segmentation: Dataset) -> dict[str, np.ndarray]:
    """Segment label → its plane [y x]: bool of a BINARY, float in [0, 1] of a FRACTIONAL segmentation."""
    buffer = BytesIO()
    segmentation.save_as(buffer, enforce_file_format=True)
    buffer.seek(0)
    read = highdicom.seg.segread(buffer)
    (source,) = [uid for _, _, uid in read.get_source_image_uids()]
    stack = read.get_pixels_by_source_instance([source], rescale_fractional=True)
    found = {}
    for number in read.segment_numbers:
        plane = stack[0, :, :, number - 1]
        label = read.get_segment_description(number).segment_label
        found[label] = plane.astype(bool) if read.SegmentationType == "BINARY" else plane
    return found


def boxes(report: Dataset) -> dict[str, list[Box]]:
    """Tracking identifier → its boxes in order, out of closed polylines of five points; none where it says so."""
    content = highdicom.sr.MeasurementReport.from_sequence([report])
    found: dict[str, list[Box]] = {}
    for group in content.get_image_measurement_groups():
        found[group.tracking_identifier] = []
    for group in content.get_planar_roi_measurement_groups():
        points = group.roi.value
        assert group.roi.graphic_type.value == "POLYLINE"
        assert points.shape == (5, 2)
        np.testing.assert_array_equal(points[0], points[-1])
        (score,) = [one.value for one in group.get_measurements()]
        (x0, y0), (x1, y1) = points.min(0), points.max(0)
        box = Box(float(x0), float(y0), float(x1), float(y1), float(score))
        np.testing.assert_array_equal(points[:4], [(x0, y0), (x1, y0), (x1, y1), (x0, y1)])
        found.setdefault(group.tracking_identifier, []).append(box)
    return found


def findings(report: Dataset) -> list[pydicom.sr.coding.Code]:
    """The codes of all findings in a report, group by group."""
    content = highdicom.sr.MeasurementReport.from_sequence([report])
    groups = [*content.get_planar_roi_measurement_groups(), *content.get_image_measurement_groups()]
    return [group.finding_type for group in groups]


def errors(path: Path) -> list[str]:
    """What dciodvfy calls an error in a file."""
    validator = program("dciodvfy", package="dicom3tools")
    done = subprocess.run([validator, "-new", str(path)], capture_output=True, text=True, check=False)
    said = (done.stdout + done.stderr).splitlines()
    assert said, "the validator said nothing at all"
    return [line for line in said if "Error" in line or "Abort" in line]


__all__ = ["boxes", "codes", "errors", "findings", "planes"]
