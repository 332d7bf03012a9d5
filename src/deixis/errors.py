"""Errors that teach: what was wrong, the offending value, and what to do next.

Every error a user can cause is a `DeixisError`. The command line prints its text on one line and exits with code 2;
anything else that escapes is a bug of ours.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, TypeVar

Given = ParamSpec("Given")
Result = TypeVar("Result")


def caught(work: Callable[Given, Result], *given: Given.args, **named: Given.kwargs) -> Result | Exception:
    """What `work` gives, or what it raises: for where one item's failure must not end the others.

    The caller keeps the error with the item, so that nothing is passed over.
    """
    try:
        return work(*given, **named)
    # Whatever it is, a bug of ours too: the thousands of items after it are none the worse.
    except Exception as error:  # noqa: BLE001
        return error


class DeixisError(Exception):
    """Base of all errors that a caller can put right. The text says what was wrong and what to do."""


class ImageError(DeixisError):
    """An image that cannot be read or used: missing, truncated, empty, constant, not an image."""


class TooLargeError(ImageError):
    """An image that is not decoded because of its size."""


class UnknownFormatError(ImageError):
    """Bytes that no reader recognises as an image."""


class PhraseError(DeixisError):
    """A phrase that cannot be grounded: empty, or longer than the model's text encoder takes."""


class ReportError(DeixisError):
    """A radiology report that cannot be read: empty, too long, not text; or one that contradicts itself."""


class ModelError(DeixisError):
    """Weights that cannot be found, verified, recognised or tapped."""


class UnknownNameError(DeixisError):
    """A name that no table knows; the text lists the known ones and the closest match."""


class OutputError(DeixisError):
    """A place that cannot be written to."""


class CaseError(DeixisError):
    """A dataset row that contradicts itself: a box outside its image, a mask of another shape."""


class ResourceError(DeixisError):
    """The machine gave out: memory, device."""


class ArchiveError(DeixisError):
    """An image archive that cannot be reached, refuses, or loses what is sent. The text names no identifier."""


class ManifestError(DeixisError):
    """A list of images that cannot be gone through: missing, of no known form, without an image in it."""
