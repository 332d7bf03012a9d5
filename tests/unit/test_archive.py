"""The archive's client against a server that misbehaves: bounded in time, and silent about whom it is about."""

import base64
import json
import logging
import threading
import time
import traceback
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from pydicom.dataset import Dataset, FileMetaDataset

from deixis import archive as room
from deixis.archive import Archive, Instance
from deixis.credentials import Credentials
from deixis.errors import ArchiveError

STUDY, SERIES, IMAGE = "1.2.777.1", "1.2.777.2", "1.2.777.3"


class Server:
    """Answers each request by what `answer` gives: status, headers, body."""

    def __init__(self):
        self.requests, self.answer = [], lambda request: (200, {}, b"[]")
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                outer.requests.append((self.path, dict(self.headers), body))
                status, headers, content = outer.answer(self)
                self.send_response(status)
                headers = {"Content-Type": "application/dicom+json"} | headers
                for name, value in (headers | {"Content-Length": str(len(content))}).items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

            do_POST = do_GET  # noqa: N815 - the name that http.server looks for

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/dicom-web"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setattr(room, "FIRST_WAIT_MS", 1)
    made = Server()
    yield made
    made.server.shutdown()
    made.server.server_close()


def rows(*uids, tag="0020000E") -> bytes:
    return json.dumps(
        [{tag: {"vr": "UI", "Value": [uid]}, "00080060": {"vr": "CS", "Value": ["CR"]}} for uid in uids]
    ).encode()


def refusal(ask) -> str:
    with pytest.raises(ArchiveError) as caught:
        ask()
    told = "".join(traceback.format_exception(caught.value, chain=True)[-1:]) + str(caught.value)
    assert not any(secret in told for secret in (STUDY, SERIES, IMAGE, "127.0.0.1", "limit="))
    assert caught.value.__context__ is None or caught.value.__suppress_context__
    return str(caught.value)


@pytest.mark.parametrize(("status", "told"), [
    (401, "401 Unauthorized. Set DEIXIS_PACS_USER"),
    (403, "403 Forbidden. These credentials are not allowed"),
    (404, "404 Not Found. Check the address"),
    (500, "500 Internal Server Error. Its own log"),
    (599, "599. Its own log"),
])  # fmt: skip
def test_a_refusal_is_told_by_its_status_alone(server, status, told):
    server.answer = lambda request: (status, {}, f"no {STUDY} here".encode())
    found = Archive.at(server.url, Credentials())
    for ask in (
        lambda: found.series(STUDY),
        lambda: found.instances(STUDY, SERIES),
        lambda: found.retrieve(STUDY, Instance(SERIES, IMAGE, "")),
        lambda: found.store(STUDY, [instance()]),
    ):
        assert told in refusal(ask)


def instance() -> Dataset:
    made = Dataset()
    made.SOPClassUID, made.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.1", IMAGE
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.1"
    made.file_meta.MediaStorageSOPClassUID, made.file_meta.MediaStorageSOPInstanceUID = made.SOPClassUID, IMAGE
    return made


@pytest.mark.parametrize("status", [429, 503, 504])
def test_who_asks_for_patience_is_asked_again_a_few_times(server, status):
    server.answer = lambda request: (status, {}, b"")
    assert f"{status} " in refusal(lambda: Archive.at(server.url, Credentials()).series(STUDY))
    assert len(server.requests) == room.ATTEMPTS
    server.requests.clear()
    server.answer = lambda request: (status, {}, b"") if len(server.requests) < 2 else (200, {}, rows())
    assert Archive.at(server.url, Credentials()).series(STUDY) == ()
    assert len(server.requests) == 2


def test_what_is_sent_again_is_sent_whole(server):
    """A store that met patience arrives complete the second time, however large it is."""
    large = instance()
    large.PixelData = bytes(3_000_000)
    large["PixelData"].VR = "OB"
    server.answer = lambda request: (503, {}, b"") if len(server.requests) < 2 else (200, {}, b"{}")
    Archive.at(server.url, Credentials()).store(STUDY, [large])
    first, second = (len(body) for _, _, body in server.requests)
    assert first == second > 3_000_000


def test_silence_ends_in_time(server):
    server.answer = lambda request: time.sleep(1) or (200, {}, rows())
    started = time.monotonic()
    assert "in time" in refusal(lambda: Archive.at(server.url, Credentials(), seconds=0.1).series(STUDY))
    assert time.monotonic() - started < 5


def test_nobody_there():
    assert "cannot be reached" in refusal(
        lambda: Archive.at("http://127.0.0.1:9/dicom-web", Credentials()).series(STUDY)
    )


@pytest.mark.parametrize("body", [b"<html>hello</html>", b"[1, 2]", b'{"a": 1}', b"[{", b"null"])
def test_another_service_at_that_address(server, body):
    """Its answer is no DICOMweb, and is not quoted."""
    server.answer = lambda request: (200, {}, body)
    text = ""
    try:
        assert Archive.at(server.url, Credentials()).series(STUDY) in ((), (room.Series("", ""),))
    except ArchiveError as error:
        text = str(error)
        assert "as DICOMweb asks" in text
    assert "hello" not in text


def test_an_image_that_is_none(server):
    server.answer = lambda request: (200, {"Content-Type": "text/html"}, b"<html>hello</html>")
    found = Archive.at(server.url, Credentials())
    assert "as DICOMweb asks" in refusal(lambda: found.retrieve(STUDY, Instance(SERIES, IMAGE, "")))


def test_pages_are_read_until_they_bring_nothing_new(server):
    """Also from an archive that caps them, and from one that does not know where to begin."""
    uids = [f"1.2.{number}" for number in range(5)]
    found = Archive.at(server.url, Credentials())

    def capped(request):
        offset = int(dict(part.split("=") for part in request.path.partition("?")[2].split("&"))["offset"])
        return 200, {}, rows(*uids[offset : offset + 2])

    server.answer = capped
    assert [one.uid for one in found.series(STUDY)] == uids
    server.answer = lambda request: (200, {}, rows(*uids))
    assert [one.uid for one in found.series(STUDY)] == uids


def test_an_endless_archive_ends(server, monkeypatch):
    monkeypatch.setattr(room, "MOST_PAGES", 3)
    server.answer = lambda request: (200, {}, rows(f"1.2.{len(server.requests)}"))
    assert len(Archive.at(server.url, Credentials()).series(STUDY)) == 3


@pytest.mark.parametrize(("failed", "refused"), [([], False), ([{"00081155": {"vr": "UI", "Value": [IMAGE]}}], True)])
def test_failures_are_counted_not_believed_by_their_name(server, failed, refused):
    """Orthanc always sends the sequence of failures, empty too."""
    body = json.dumps({"00081198": {"vr": "SQ", "Value": failed}}).encode()
    server.answer = lambda request: (200, {}, body)
    found = Archive.at(server.url, Credentials())
    if refused:
        assert "refused 1 of 1 results" in refusal(lambda: found.store(STUDY, [instance()]))
    else:
        found.store(STUDY, [instance()])


@pytest.mark.parametrize(("credentials", "header"), [
    (Credentials("mé", "pä:ss"), "Basic " + base64.b64encode("mé:pä:ss".encode()).decode()),
    (Credentials(token="abc"), "Bearer abc"),
    (Credentials(), None),
])  # fmt: skip
def test_credentials_are_shown(server, credentials, header):
    Archive.at(server.url, credentials).series(STUDY)
    assert server.requests[0][1].get("Authorization") == header


def test_credentials_are_not_shown_to_whom_it_redirects(server):
    other = Server()
    try:
        # Another port is another host to HTTP.
        server.answer = lambda request: (302, {"Location": f"{other.url}/x"}, b"")
        Archive.at(server.url, Credentials(token="abc")).series(STUDY)
        assert "Authorization" in server.requests[0][1]
        assert "Authorization" not in other.requests[0][1]
    finally:
        other.server.shutdown()
        other.server.server_close()


@pytest.mark.parametrize("study", ["", "../../instances", "DOE^JANE", "1.2/../3", "1" * 65, "1.2?x=y"])
def test_an_identifier_that_is_none_is_never_sent(server, study):
    with pytest.raises(ArchiveError, match="is none") as caught:
        Archive.at(server.url, Credentials()).series(study)
    assert server.requests == []
    assert not study or study not in str(caught.value)


@pytest.mark.parametrize("url", [
    "ftp://host/dicom-web", "host/dicom-web", "", "http://", "http://host:port/x", "http://me:secret@host/x",
    "http://host/x?token=secret", "http://host/#secret", "http://[::1",
])  # fmt: skip
def test_an_address_that_is_none_or_holds_more_is_refused_and_not_quoted(url):
    with pytest.raises(ArchiveError) as caught:
        Archive.at(url, Credentials())
    assert "secret" not in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("url", "told"), [
    ("http://pacs.example/dicom-web", True), ("https://pacs.example/dicom-web", False), ("http://127.0.0.1:1/x", False),
])  # fmt: skip
def test_secrets_in_the_open_get_a_notice(url, told):
    assert bool(Archive.at(url, Credentials(token="abc")).notices) == told
    assert Archive.at(url, Credentials()).notices == ()


def test_nothing_is_logged(server, caplog):
    """Whatever happens, at the most talkative level."""
    caplog.set_level(logging.DEBUG)
    found = Archive.at(server.url, Credentials(token="abc"))
    found.series(STUDY)
    server.answer = lambda request: (503, {"Warning": f"299 {STUDY}"}, b"")
    refusal(lambda: found.instances(STUDY, SERIES))
    refusal(lambda: found.store(STUDY, [instance()]))
    assert caplog.text == ""
    logging.getLogger("urllib3.connectionpool").debug("heard again")
    assert "heard again" in caplog.text


def test_without_the_extra_it_says_what_to_install(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "dicomweb_client", None)
    with pytest.raises(ArchiveError, match=r"pip install 'deixis\[dicom\]'"):
        Archive.at("http://127.0.0.1:9/x", Credentials())
