"""What a test needs from outside Python: it skips where that is missing, and fails where nothing may be missing."""

import os
import shutil
from pathlib import Path

import pytest

NO_SKIPS = "DEIXIS_NO_SKIPS"  # set in CI, whose script installs the packages
# Where Debian puts servers, which is not on everybody's path.
SERVERS = ("/usr/sbin", "/usr/local/sbin")


def program(name: str, *, package: str) -> str:
    """The path of a program that comes with a Debian package."""
    path = shutil.which(name, path=os.pathsep.join([os.environ.get("PATH", ""), *SERVERS]))
    if path is None:
        missing(f"needs {name}: apt-get install {package}")
    return str(path)


def file(path: str, *, package: str) -> Path:
    """A file that comes with a Debian package."""
    if not Path(path).is_file():
        missing(f"needs {path}: apt-get install {package}")
    return Path(path)


def missing(reason: str) -> None:
    """Skip, or fail in CI."""
    if os.environ.get(NO_SKIPS):
        pytest.fail(f"{reason} ({NO_SKIPS} is set)")
    pytest.skip(reason)
