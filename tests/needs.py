"""What a test needs from outside Python: it skips where that is missing, and fails where nothing may be missing."""

import os
import shutil

import pytest

NO_SKIPS = "DEIXIS_NO_SKIPS"  # set in CI, whose script installs the packages


def program(name: str, *, package: str) -> str:
    """The path of a program that comes with a Debian package."""
    path = shutil.which(name)
    if path is None:
        missing(f"needs {name}: apt-get install {package}")
    return str(path)


def missing(reason: str) -> None:
    """Skip, or fail in CI."""
    if os.environ.get(NO_SKIPS):
        pytest.fail(f"{reason} ({NO_SKIPS} is set)")
    pytest.skip(reason)
