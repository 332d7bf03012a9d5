"""What a DICOM header says about the view, as far as a user of its image should know it."""

from __future__ import annotations

from types import MappingProxyType

from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code

from deixis.images.header import Header
from deixis.types import Laterality, Projection

FOR_PROCESSING = "1.2.840.10008.5.1.4.1.1.1.1.1"
# CID 4010 spells lateral views out; CR's own ViewPosition has LL and RL.
LATERAL = frozenset({"LL", "RL", "LLO", "RLO", "LAT", "LATERAL", "L LAT", "R LAT"})
# Lying on a side, LLD and RLD, the patient is still seen from the front or the back.
FRONTAL = frozenset({"AP", "PA", "LLD", "RLD"})
# DX has no ViewPosition that must be there, but a ViewCodeSequence (CID 4010). Codes are equal to their older numbers.
_CODES = codes.cid4010
LATERAL_CODES = (_CODES.LateralProjection, _CODES.LeftLateral, _CODES.RightLateral)
FRONTAL_CODES = (_CODES.AnteroPosterior, _CODES.PosteroAnterior, _CODES.Frontal)
SIDES: MappingProxyType[str, Laterality] = MappingProxyType({"L": "left", "R": "right", "B": "bilateral"})


def view(header: Header) -> Projection | None:
    """From where the image was taken, by its view position, its view code, or where its rows lead."""
    position, code = header.text("ViewPosition"), _view_code(header)
    by_code = "lateral" if code in LATERAL_CODES else "frontal" if code in FRONTAL_CODES else ""
    row = next(iter(header.texts("PatientOrientation")), "")
    if position in LATERAL or by_code == "lateral" or row.startswith(("A", "P")):
        return "lateral"
    # In the wild also "AP AXIAL" and the like.
    if position.split(" ")[0] in FRONTAL or by_code == "frontal" or row.startswith(("L", "R")):
        return "frontal"
    return None


def laterality(header: Header) -> Laterality | None:
    """Which side of a paired part of the body the image shows."""
    return SIDES.get(header.text("ImageLaterality") or header.text("Laterality"))


def note_view(header: Header) -> None:
    """Notices on laterals, on images for processing, and on images that are not the way up that models know.

    The image itself is left as it is: nothing is turned or mirrored silently.
    """
    intent = header.text("PresentationIntentType")
    if header.text("SOPClassUID") == FOR_PROCESSING or intent == "FOR PROCESSING":
        header.notices.append("a raw image for processing: it lacks its vendor's processing, and models never saw such")
    row, column = (*header.texts("PatientOrientation"), "", "")[:2]
    if view(header) == "lateral":
        header.notices.append("a lateral view: models are trained on frontal ones")
    if row.startswith("R"):
        header.note("PatientOrientation", "says that the image is mirrored: the patient's right is on its right")
    if column.startswith("H"):
        header.note("PatientOrientation", "says that the image is upside down")


def _view_code(header: Header) -> Code:
    """The first code of ViewCodeSequence; one that stands for nothing where there is none."""
    items = header.value("ViewCodeSequence")
    try:
        item = items[0]
        return Code(str(item.CodeValue).strip(), str(item.CodingSchemeDesignator).strip(), "")
    except (AttributeError, LookupError, TypeError, ValueError):
        return Code("", "", "")
