"""Credentials come from the environment or a file, and show up nowhere."""

import pytest

from deixis.credentials import Credentials
from deixis.errors import ArchiveError

SECRET = "open-sesame"


def kept(tmp_path, text, mode=0o600):
    path = tmp_path / "credentials"
    path.write_text(text)
    path.chmod(mode)
    return path


def test_from_the_environment():
    found = Credentials.found(None, {"DEIXIS_PACS_USER": "me", "DEIXIS_PACS_PASSWORD": SECRET, "OTHER": "x"})
    assert (found.user, found.password, found.token) == ("me", SECRET, None)
    assert found.secret
    assert not Credentials.found(None, {}).secret


def test_from_a_file_instead(tmp_path, monkeypatch):
    monkeypatch.setenv("DEIXIS_PACS_USER", "other")
    monkeypatch.setenv("DEIXIS_PACS_PASSWORD", "other")
    found = Credentials.found(kept(tmp_path, f"# of the archive\n\nDEIXIS_PACS_TOKEN = {SECRET}\n"))
    assert (found.user, found.token) == (None, SECRET)


def test_a_value_may_hold_an_equals_sign(tmp_path):
    assert Credentials.found(kept(tmp_path, "DEIXIS_PACS_TOKEN=a=b=")).token == "a=b="


def test_nothing_secret_is_shown():
    assert SECRET not in repr(Credentials("me", SECRET)) + repr(Credentials(token=SECRET))


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666])
def test_a_file_that_others_can_read_is_refused(tmp_path, mode):
    path = kept(tmp_path, f"DEIXIS_PACS_TOKEN={SECRET}", mode)
    with pytest.raises(ArchiveError, match=r"Others can read .* chmod 600"):
        Credentials.found(path)


@pytest.mark.parametrize(("environment", "told"), [
    ({"DEIXIS_PACS_USER": "me"}, "one is missing"),
    ({"DEIXIS_PACS_PASSWORD": SECRET}, "one is missing"),
    ({"DEIXIS_PACS_USER": "me", "DEIXIS_PACS_PASSWORD": SECRET, "DEIXIS_PACS_TOKEN": SECRET}, "Both"),
    ({"DEIXIS_PACS_KEY": SECRET}, "without DEIXIS_PACS_CERTIFICATE"),
    ({"DEIXIS_PACS_CERTIFICATE": f"/nowhere/{SECRET}"}, "names no file"),
    ({"DEIXIS_PACS_AUTHORITIES": f"/nowhere/{SECRET}"}, "names no file"),
])  # fmt: skip
def test_halves_and_contradictions_are_told_without_values(environment, told):
    with pytest.raises(ArchiveError, match=told) as caught:
        Credentials.found(None, environment)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize("text", [SECRET, f"password={SECRET}", f"DEIXIS_PACS_TOKEN: {SECRET}"])
def test_a_file_of_something_else_is_told_without_its_content(tmp_path, text):
    with pytest.raises(ArchiveError, match=r"Line 1 .* is not NAME=value") as caught:
        Credentials.found(kept(tmp_path, text))
    assert SECRET not in str(caught.value)


def test_a_file_that_cannot_be_read(tmp_path):
    with pytest.raises(ArchiveError, match="cannot be read"):
        Credentials.found(tmp_path / "missing")
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "binary").chmod(0o600)
    with pytest.raises(ArchiveError, match="cannot be read"):
        Credentials.found(tmp_path / "binary")


def test_certificates_are_files(tmp_path):
    pem = kept(tmp_path, "x")
    names = ("DEIXIS_PACS_CERTIFICATE", "DEIXIS_PACS_KEY", "DEIXIS_PACS_AUTHORITIES")
    found = Credentials.found(None, dict.fromkeys(names, str(pem)))
    assert found.certificate == found.key == found.authorities == pem
