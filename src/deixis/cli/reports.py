"""The text of a report, from a file or from standard input."""

from __future__ import annotations

import sys
from pathlib import Path

STANDARD_INPUT = Path("-")


def report_text(path: Path) -> str:
    """The report in a file; "-" reads standard input. What is no report raises `ReportError`."""
    from deixis.language.files import MOST_BYTES, decoded, read_file

    if path == STANDARD_INPUT:
        return decoded(sys.stdin.buffer.read(MOST_BYTES + 1), "standard input")
    return read_file(path)
