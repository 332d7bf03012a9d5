"""Whether results can be written, asked before they are computed."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from tempfile import TemporaryFile


def check_writable(folder: Path) -> None:
    """Raise `OutputError` where `folder` cannot be made or written to; leaves nothing behind."""
    from deixis.writers.aside import refused

    try:
        there = next(place for place in (folder, *folder.absolute().parents) if place.exists())
        if not there.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
        # Trying is the only test that also knows of read-only file systems and of root's rights.
        with TemporaryFile(dir=there):
            pass
    except OSError as error:
        raise refused(folder, error) from error
