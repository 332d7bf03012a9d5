"""An image archive that speaks DICOMweb (PS3.18), through dicomweb-client: what is there, get one, put some.

Addresses of DICOMweb hold identifiers, so neither this file nor the libraries that it calls log anything, and errors
tell what was tried and how the archive answered, never where or about whom.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from io import BytesIO
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from deixis.credentials import PASSWORD, TOKEN, USER, Credentials
from deixis.errors import ArchiveError
from deixis.silence import silenced

if TYPE_CHECKING:
    from dicomweb_client import DICOMwebClient
    from pydicom.dataset import Dataset

TALKING = ("dicomweb_client", "urllib3", "requests", "retrying", "pydicom", "highdicom")
# How many rows a query asks for at once, and how many pages it takes at most.
PAGE, MOST_PAGES = 100, 200
# Attempts per request, over connections that fail and answers that ask for patience; waits double from the first.
ATTEMPTS, FIRST_WAIT_MS = 3, 250
CONNECT_SECONDS, ANSWER_SECONDS = 10.0, 60.0
# Larger than anything sent, so that nothing is sent in chunks: a chunked body cannot be sent again after a failure.
WHOLE = 1 << 40
UID = re.compile(r"[0-9.]{1,64}")
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
SERIES, INSTANCE, SOP_CLASS, MODALITY = "0020000E", "00080018", "00080016", "00080060"


@dataclass(frozen=True)
class Series:
    """A series of a study."""

    uid: str
    modality: str


@dataclass(frozen=True)
class Instance:
    """An instance of a series."""

    series: str
    uid: str
    sop_class: str


@dataclass(frozen=True)
class Archive:
    """A DICOMweb service.

    Args:
        client: dicomweb-client's.
        notices: what the user should know about the connection.
    """

    client: DICOMwebClient = field(repr=False)
    notices: tuple[str, ...] = ()

    @classmethod
    def at(cls, url: str, credentials: Credentials, seconds: float = ANSWER_SECONDS) -> Archive:
        """The archive at the root of its service, as ``https://host:port/dicom-web``.

        Args:
            url: without user, password or query.
            credentials: who asks.
            seconds: how long an answer may take to begin.

        Raises:
            ArchiveError: no such address, or the `dicom` extra is not installed.
        """
        parts = _checked(url)
        try:
            from dicomweb_client import DICOMwebClient
        except ImportError:
            raise ArchiveError(
                "To talk to an archive, install deixis with its dicom extra: pip install 'deixis[dicom]'."
            ) from None
        with _told("be set up"):
            client = DICOMwebClient(
                url.rstrip("/"),
                session=_session(credentials),
                chunk_size=WHOLE,
                permissive_uid=True,
                timeout=(CONNECT_SECONDS, seconds),
            )
            client.set_http_retry_params(max_attempts=ATTEMPTS, wait_exponential_multiplier=FIRST_WAIT_MS)
        open_air = credentials.secret and parts.scheme == "http" and parts.hostname not in LOOPBACK
        return cls(client, ("credentials travel unencrypted: the archive's address is http",) if open_air else ())

    def series(self, study: str) -> tuple[Series, ...]:
        """The series of a study; () where the archive does not have it.

        Raises:
            ArchiveError: also where `study` is no unique identifier.
        """
        if not UID.fullmatch(study):
            raise ArchiveError("The study's identifier is none: it is digits and dots, at most 64. Check --study.")
        rows = _all_rows(lambda **page: self.client.search_for_series(study, **page), SERIES, "list the series")
        return tuple(Series(_text(row, SERIES), _text(row, MODALITY)) for row in rows)

    def instances(self, study: str, series: str) -> tuple[Instance, ...]:
        """The instances of a series."""
        rows = _all_rows(
            lambda **page: self.client.search_for_instances(study, series, **page), INSTANCE, "list the images"
        )
        return tuple(Instance(series, _text(row, INSTANCE), _text(row, SOP_CLASS)) for row in rows)

    def retrieve(self, study: str, instance: Instance) -> bytes:
        """An instance as a file, in the transfer syntax that the archive keeps it in."""
        with _told("give an image"):
            dataset = self.client.retrieve_instance(study, instance.series, instance.uid)
            buffer = BytesIO()
            dataset.save_as(buffer, enforce_file_format=False)
        return buffer.getvalue()

    def store(self, study: str, datasets: Sequence[Dataset]) -> None:
        """Add objects to a study.

        Raises:
            ArchiveError: also where the archive took some and refused others.
        """
        with _told("take the results"):
            answer = self.client.store_instances(datasets, study)
            # Some archives always send the sequence of failures, and leave it empty.
            failed = len(answer.get("FailedSOPSequence") or ())
        if failed:
            raise ArchiveError(
                f"The archive refused {failed} of {len(datasets)} results. Its own log says why; what it took stays."
            )


def _checked(url: str) -> Any:
    """The parts of an address, which is never quoted: users paste secrets into it."""
    try:
        parts = urlsplit(url)
        fits = parts.scheme in ("http", "https") and bool(parts.hostname)
        _ = parts.port
    except ValueError:
        fits = False
    if not fits:
        raise ArchiveError("The archive's address is none of http or https. Give one like https://host/dicom-web.")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ArchiveError(
            f"The archive's address holds more than a place. Give it without user, password and query: credentials go "
            f"into {USER} and {PASSWORD}, or {TOKEN}, or a file."
        )
    return parts


def _session(credentials: Credentials) -> Any:
    """An HTTP session that shows the credentials to this archive only, and to no host that it redirects to."""
    import requests

    session = requests.Session()
    shown = _shown(credentials)
    if shown is not None:

        def show(request: requests.PreparedRequest) -> requests.PreparedRequest:
            request.headers["Authorization"] = shown
            return request

        session.auth = show
    if credentials.certificate:
        key = credentials.key
        session.cert = (str(credentials.certificate), str(key)) if key else str(credentials.certificate)
    if credentials.authorities:
        session.verify = str(credentials.authorities)
    return session


def _shown(credentials: Credentials) -> str | None:
    """The header of HTTP's basic scheme (RFC 7617, in UTF-8) or of the bearer scheme (RFC 6750)."""
    if credentials.user:
        return f"Basic {b64encode(f'{credentials.user}:{credentials.password}'.encode()).decode()}"
    return f"Bearer {credentials.token}" if credentials.token else None


def _all_rows(query: Callable[..., list[Any]], key: str, doing: str) -> list[Mapping[str, Any]]:
    """All rows of a query, page by page, each once; also from archives that cap pages or ignore where one begins."""
    found: dict[str, Mapping[str, Any]] = {}
    with _told(doing):
        for _ in range(MOST_PAGES):
            page = query(limit=PAGE, offset=len(found))
            new = {_text(row, key): row for row in page}
            if not new.keys() - found.keys():
                break
            found |= new
    return list(found.values())


def _text(row: Mapping[str, Any], tag: str) -> str:
    """The first value of an element in DICOM's JSON (PS3.18 F.2); "" where it is absent."""
    values = row.get(tag, {}).get("Value") or [""]
    return str(values[0])


@contextmanager
def _told(doing: str) -> Iterator[None]:
    """Nothing is logged inside, and whatever goes wrong there is an ArchiveError without address or identifier."""
    from requests import ConnectionError as NoConnection
    from requests import HTTPError, RequestException, Timeout
    from requests.exceptions import SSLError
    from retrying import RetryError

    with silenced(*TALKING):
        try:
            yield
        except HTTPError as error:
            status = HTTPStatus.BAD_GATEWAY if error.response is None else error.response.status_code
            raise _answered(doing, status) from None
        except RetryError as error:
            status = getattr(error.last_attempt.value, "status_code", HTTPStatus.SERVICE_UNAVAILABLE)
            raise _answered(doing, status) from None
        except SSLError:
            raise ArchiveError(
                "The archive's certificate, or ours, was not accepted. DEIXIS_PACS_AUTHORITIES names whom to believe."
            ) from None
        except Timeout:
            raise ArchiveError(
                f"The archive did not {doing} in time. Try again, or allow more with --timeout."
            ) from None
        except NoConnection:
            raise ArchiveError("The archive cannot be reached. Check its address, and that it runs.") from None
        # An answer that is no DICOMweb: another service at that address, a proxy's page, a cut connection.
        except (RequestException, ValueError, KeyError, TypeError, AttributeError, LookupError, OSError):
            raise ArchiveError(
                f"The archive did not {doing} as DICOMweb asks. Check that the address is that of its DICOMweb service."
            ) from None


def _answered(doing: str, status: int) -> ArchiveError:
    """The error over an HTTP status."""
    try:
        reason = f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        reason = str(status)
    return ArchiveError(f"The archive did not {doing}: {reason}. {REMEDIES.get(status, OTHERWISE)}.")


OTHERWISE = "Its own log says more"
REMEDIES: Mapping[int, str] = {
    HTTPStatus.UNAUTHORIZED: f"Set {USER} and {PASSWORD}, or {TOKEN}, or name a file with --credentials",
    HTTPStatus.FORBIDDEN: "These credentials are not allowed to do that; ask whoever runs the archive",
    HTTPStatus.NOT_FOUND: "Check the address and the identifiers",
    HTTPStatus.TOO_MANY_REQUESTS: "Try again later",
    HTTPStatus.SERVICE_UNAVAILABLE: "Try again later",
    HTTPStatus.GATEWAY_TIMEOUT: "Try again later",
}
