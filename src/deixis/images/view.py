"""What a DICOM header says about the view, as far as a user of its image should know it."""

from __future__ import annotations

from deixis.images.header import Header

FOR_PROCESSING = "1.2.840.10008.5.1.4.1.1.1.1.1"
# CID 4010 spells lateral views out; CR's own ViewPosition has LL and RL.
LATERAL = frozenset({"LL", "RL", "LLO", "RLO", "LAT", "LATERAL", "L LAT", "R LAT"})


def note_view(header: Header) -> None:
    """Notices on laterals, on images for processing, and on images that are not the way up that models know.

    The image itself is left as it is: nothing is turned or mirrored silently.
    """
    intent = header.text("PresentationIntentType")
    if header.text("SOPClassUID") == FOR_PROCESSING or intent == "FOR PROCESSING":
        header.notices.append("a raw image for processing: it lacks its vendor's processing, and models never saw such")
    row, column = (*header.texts("PatientOrientation"), "", "")[:2]
    if header.text("ViewPosition") in LATERAL or row.startswith(("A", "P")):
        header.notices.append("a lateral view: models are trained on frontal ones")
    if row.startswith("R"):
        header.note("PatientOrientation", "says that the image is mirrored: the patient's right is on its right")
    if column.startswith("H"):
        header.note("PatientOrientation", "says that the image is upside down")
