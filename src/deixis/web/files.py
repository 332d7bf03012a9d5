"""Answers as files, by the same writers as the command line's, named by number alone."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

from deixis.errors import DeixisError, ImageError
from deixis.types import Grounding, Image
from deixis.writers import FORMATS, WRITERS, check_image, write
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


def download(groundings: Sequence[Grounding], form: str, header: bytes = b"") -> Download:
    """The groundings of one image in one format: its file, or a zip where there are several.

    Writers need a folder. It is this user's alone, named by chance, and gone when this returns; the names in it are
    numbers, so that no phrase can be read off them.

    Args:
        groundings: of one image, at least one.
        form: a row of the writers' table.
        header: of a DICOM image all that stands before its pixels, for formats that refer to it.

    Raises:
        UnknownNameError, DeixisError: a format that is not known, or does not fit these groundings.
    """
    with _folder() as folder, _lent(folder, groundings[0].image, form, header) as image, unnamed():
        written = write([replace(one, image=image) for one in groundings], folder / "out", (form,), STEM)
        files = [(path.name, path.read_bytes()) for path in written.files]
    if len(files) == 1:
        name, content = files[0]
        return Download(f"{STEM}{Path(name).suffix}", content)
    return Download(f"{STEM}-{form}.zip", _packed(files))


def formats_for(image: Image, header: bytes) -> tuple[str, ...]:
    """The formats that can be written about an image."""
    with _folder() as folder:
        return tuple(form for form in WRITERS if _accepted(folder, image, form, header))


def _accepted(folder: Path, image: Image, form: str, header: bytes) -> bool:
    try:
        with _lent(folder, image, form, header) as lent:
            check_image(lent, (form,))
    except DeixisError:
        return False
    return True


@contextmanager
def _folder() -> Iterator[Path]:
    with TemporaryDirectory(prefix="deixis-") as folder:
        yield Path(folder)


@contextmanager
def _lent(folder: Path, image: Image, form: str, header: bytes) -> Iterator[Image]:
    """The image with a file to refer to, for formats beyond the plain ones; errors do not name that file."""
    if not header or form in FORMATS:
        yield image
        return
    path = folder / "header"
    path.write_bytes(header)
    try:
        yield replace(image, source=path)
    except ImageError as error:
        raise ImageError(str(error).replace(str(path), "The image")) from None
    finally:
        path.unlink()


def _packed(files: Sequence[tuple[str, bytes]]) -> bytes:
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, content in files:
            archive.writestr(zipfile.ZipInfo(name), content)
    return buffer.getvalue()
