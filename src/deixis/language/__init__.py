"""Radiology English: the text of a report → what it asserts, denies, doubts and remembers, sentence by sentence."""

from __future__ import annotations

from deixis.language.files import read_file
from deixis.language.reading import MOST_CHARACTERS, read_report

__all__ = ["MOST_CHARACTERS", "read_file", "read_report"]
