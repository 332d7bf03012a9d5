"""Answers as files, by the same writers as the command line's, named by number alone."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

from deixis.types import Grounding
from deixis.writers import write
from deixis.writers.naming import unnamed

STEM = "deixis"
MEDIA_TYPES = {
    ".png": "image/png",
    ".json": "application/json",
    ".npz": "application/x-npz",
    ".dcm": "application/dicom",
    ".zip": "application/zip",
}
UNKNOWN = "application/octet-stream"


@dataclass(frozen=True)
class Download:
    """A file to send.

    Args:
        name: what it is called.
        content: what is in it.
    """

    name: str
    content: bytes

    @property
    def media_type(self) -> str:
        """What its suffix stands for."""
        return MEDIA_TYPES.get(Path(self.name).suffix, UNKNOWN)


def download(groundings: Sequence[Grounding], form: str) -> Download:
    """The groundings of one image in one format: its file, or a zip where there are several.

    Writers need a folder. It is this user's alone, named by chance, and gone when this returns; the names in it are
    numbers, so that no phrase can be read off them.

    Raises:
        UnknownNameError, DeixisError: a format that is not known, or does not fit these groundings.
    """
    with TemporaryDirectory(prefix="deixis-") as folder, unnamed():
        written = write(groundings, folder, (form,), STEM)
        files = [(path.name, path.read_bytes()) for path in written.files]
    if len(files) == 1:
        name, content = files[0]
        suffix = Path(name).suffix
        return Download(f"{STEM}{suffix}", content)
    return Download(f"{STEM}-{form}.zip", _packed(files))


def _packed(files: Sequence[tuple[str, bytes]]) -> bytes:
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, content in files:
            archive.writestr(zipfile.ZipInfo(name), content)
    return buffer.getvalue()
