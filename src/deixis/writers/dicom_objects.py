"""DICOM objects of one format: of which kinds they are, and how they are made and encoded without a word."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from io import BytesIO

from pydicom.config import disable_value_validation
from pydicom.dataset import Dataset

from deixis.errors import ImageError
from deixis.silence import silenced
from deixis.types import Grounding
from deixis.writers.dicom_identity import Kind
from deixis.writers.dicom_original import Original

# What highdicom and pydicom log quotes identifiers.
TALKING = ("highdicom", "pydicom")


@dataclass(frozen=True)
class Made:
    """A DICOM object.

    Args:
        kind: what it is.
        dataset: the whole of it, valid.
        phrase: which phrase it is about, counted from 0, where its kind has one for each.
    """

    kind: Kind
    dataset: Dataset = field(repr=False)
    phrase: int | None = None

    def encoded(self) -> bytes:
        """As a file."""
        buffer = BytesIO()
        with silenced(*TALKING), disable_value_validation():
            self.dataset.save_as(buffer, enforce_file_format=True)
        return buffer.getvalue()


@dataclass(frozen=True)
class Objects:
    """A row of the table of DICOM objects.

    Args:
        make: (the groundings of one image, the image by reference) → the objects.
        kinds: of which kinds these are.
    """

    make: Callable[[Sequence[Grounding], Original], tuple[Made, ...]]
    kinds: tuple[Kind, ...]

    def of(self, groundings: Sequence[Grounding], original: Original) -> tuple[Made, ...]:
        """The objects.

        Raises:
            ImageError: the `dicom` extra is not installed.
        """
        check_installed()
        with silenced(*TALKING):
            return self.make(groundings, original)


def check_installed() -> None:
    """Raise where highdicom, which makes the objects, is missing."""
    if find_spec("highdicom") is None:
        raise ImageError("To write seg, sr and sc, install deixis with its dicom extra: pip install 'deixis[dicom]'.")
