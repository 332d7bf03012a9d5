"""How deixis shows an archive who it is: from the environment or a file, never from arguments, which others can see."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from deixis.errors import ArchiveError

USER, PASSWORD, TOKEN = "DEIXIS_PACS_USER", "DEIXIS_PACS_PASSWORD", "DEIXIS_PACS_TOKEN"
CERTIFICATE, KEY, AUTHORITIES = "DEIXIS_PACS_CERTIFICATE", "DEIXIS_PACS_KEY", "DEIXIS_PACS_AUTHORITIES"
NAMES = (USER, PASSWORD, TOKEN, CERTIFICATE, KEY, AUTHORITIES)


@dataclass(frozen=True)
class Credentials:
    """Who asks.

    Args:
        user: with `password` for HTTP's basic scheme.
        password: of the user.
        token: for the bearer scheme; instead of user and password.
        certificate: file with our certificate for TLS, and `key` the file with its private key where that is another.
        key: see there.
        authorities: file with the certificates of those whom we believe about the archive, instead of the system's.
    """

    user: str | None = None
    password: str | None = field(default=None, repr=False)
    token: str | None = field(default=None, repr=False)
    certificate: Path | None = None
    key: Path | None = None
    authorities: Path | None = None

    @classmethod
    def found(cls, file: Path | None = None, environment: Mapping[str, str] | None = None) -> Credentials:
        """Those of a file of ``NAME=value`` lines, else of the environment; the names are the same in both.

        Raises:
            ArchiveError: the file cannot be read, can be read by others, or holds something else; or half of a pair
                is missing. The text holds no value.
        """
        given = (os.environ if environment is None else environment) if file is None else _lines(file)
        values = {name: given.get(name, "") for name in NAMES}
        if bool(values[USER]) != bool(values[PASSWORD]):
            raise ArchiveError(f"Of {USER} and {PASSWORD} one is missing. Set both, or neither.")
        if values[USER] and values[TOKEN]:
            raise ArchiveError(f"Both {USER} and {TOKEN} are set. Set the one that the archive asks for.")
        if values[KEY] and not values[CERTIFICATE]:
            raise ArchiveError(f"{KEY} is set without {CERTIFICATE}. Set that too.")
        places = {name: Path(values[name]) if values[name] else None for name in (CERTIFICATE, KEY, AUTHORITIES)}
        for name, place in places.items():
            if place is not None and not place.is_file():
                raise ArchiveError(f"{name} names no file. Set it to the path of a PEM file.")
        return cls(
            values[USER] or None,
            values[PASSWORD] or None,
            values[TOKEN] or None,
            places[CERTIFICATE],
            places[KEY],
            places[AUTHORITIES],
        )

    @property
    def secret(self) -> bool:
        """Whether something is sent that nobody else should read."""
        return bool(self.password or self.token)


def _lines(file: Path) -> dict[str, str]:
    try:
        shared = file.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO)
        text = file.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise ArchiveError(
            f"The credentials file {file} cannot be read. Check its path and that it is text."
        ) from error
    if shared and os.name == "posix":
        raise ArchiveError(f"Others can read the credentials file {file}. Make it yours alone: chmod 600 {file}.")
    given = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        name, equals, value = line.partition("=")
        if not equals or name.strip() not in NAMES:
            raise ArchiveError(f"Line {number} of {file} is not NAME=value. The names are {', '.join(NAMES)}.")
        given[name.strip()] = value.strip()
    return given
