"""What a compressed frame says about itself, read before any decoder is asked.

ISO/IEC 10918-1 annex B for JPEG, 15444-1 annex A.5 for JPEG 2000.
"""

from __future__ import annotations

# JPEG's start-of-frame markers: C0 … CF without the tables C4, C8, CC; and JPEG-LS.
FRAME_STARTS = frozenset({*range(0xC0, 0xD0), 0xF7} - {0xC4, 0xC8, 0xCC})
STANDALONE = frozenset({0x01, *range(0xD0, 0xD9)})
IMAGE_START, SCAN_START = b"\xff\xd8", 0xDA
CODESTREAM = b"\xff\x4f\xff\x51"
MOST_BITS = 16


def coded_size(frame: bytes) -> tuple[int, int] | None:
    """Rows and columns that a JPEG, JPEG-LS or JPEG 2000 frame declares; None for what is none of them (RLE)."""
    start = frame.find(CODESTREAM, 0, 4096)
    if start >= 0:
        x1, y1, x0, y0 = (int.from_bytes(frame[start + at : start + at + 4], "big") for at in (8, 12, 16, 20))
        return y1 - y0, x1 - x0
    at = 2 if frame.startswith(IMAGE_START) else len(frame)
    while at + 9 <= len(frame):
        marker = frame[at + 1]
        if frame[at] != 0xFF or marker == 0xFF:  # fill bytes may stand before a marker
            at += 1
        elif marker in STANDALONE:
            at += 2
        elif marker in FRAME_STARTS:
            return int.from_bytes(frame[at + 5 : at + 7], "big"), int.from_bytes(frame[at + 7 : at + 9], "big")
        else:
            at += 2 + int.from_bytes(frame[at + 2 : at + 4], "big")
    return None


def coded_bits(frame: bytes) -> int | None:
    """The depth that a JPEG frame declares; None for what is none, or is not sound."""
    if not is_sound(frame):
        return None
    at = 2
    while frame[at + 1] not in FRAME_STARTS:
        at += 1 if frame[at + 1] == 0xFF else 2 + int.from_bytes(frame[at + 2 : at + 4], "big")
    return frame[at + 4]


def is_sound(frame: bytes) -> bool:
    """Whether a JPEG frame's segments follow each other without a gap up to its first scan, and declare sane depths.

    Those that do not end GDCM, and the process with it.
    """
    at, framed = 2, False
    while frame.startswith(IMAGE_START) and at + 4 <= len(frame) and frame[at] == 0xFF:
        marker, length = frame[at + 1], int.from_bytes(frame[at + 2 : at + 4], "big")
        if marker == 0xFF:
            at += 1
        elif marker in STANDALONE or length < 2 or at + 2 + length > len(frame):
            return False
        elif marker == SCAN_START:
            return framed
        else:
            if marker in FRAME_STARTS:
                framed = length >= 11 and 2 <= frame[at + 4] <= MOST_BITS and frame[at + 9] in (1, 3)
            at += 2 + length
    return False
