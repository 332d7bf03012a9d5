"""The text of a report from a file."""

from __future__ import annotations

from pathlib import Path

from deixis.errors import ReportError
from deixis.language.reading import MOST_CHARACTERS, check

# A character takes at most four bytes in UTF-8; what is longer need not be decoded to be refused.
MOST_BYTES = 4 * MOST_CHARACTERS + 3


def read_file(path: Path) -> str:
    """The text in a file.

    Raises:
        ReportError: it is missing, empty, too long or no text in UTF-8.
    """
    try:
        with path.open("rb") as opened:
            content = opened.read(MOST_BYTES + 1)
    except FileNotFoundError:
        raise ReportError(f"{path} does not exist. Check the path of the report.") from None
    except OSError as error:
        raise ReportError(f"{path} cannot be read ({(error.strerror or 'no reason given').lower()}).") from error
    return decoded(content, str(path))


def decoded(content: bytes, source: str) -> str:
    """Bytes as the text of a report; `source` names them in an error."""
    if len(content) > MOST_BYTES:
        raise ReportError(
            f"{source} is longer than the {MOST_CHARACTERS} characters that are read. Give one report at a time."
        )
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ReportError(
            f"{source} is no text in UTF-8: byte {content[error.start]:#04x} at {error.start}. "
            "Give a text file; from an older system save it as UTF-8 first."
        ) from None
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    try:
        check(text)
    except ReportError as error:
        raise ReportError(f"{source}: {error}") from None
    return text
