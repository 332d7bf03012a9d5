"""The log holds words of our own and nothing else."""

import json
import logging
import sys
import warnings

import pytest

from deixis.errors import UnknownFormatError
from deixis.web.logs import LOGGER, Line, alias, note, to_standard_error, where

SECRET = "DOE^JANE 19470101"


def line(record) -> dict:
    return json.loads(Line().format(record))


def record(name, message, *arguments, exc_info=None):
    return logging.LogRecord(name, logging.WARNING, "x.py", 1, message, arguments, exc_info)


def test_ours_is_told_with_its_facts(caplog):
    caplog.set_level(logging.INFO, LOGGER.name)
    note("job", job=alias("abc"), seconds=1.5)
    said = line(caplog.records[0])
    assert (said["event"], said["seconds"], said["level"]) == ("job", 1.5, "info")
    assert said["time"].endswith("Z")


def test_of_a_library_only_its_name_and_its_seriousness_are_told():
    said = line(record("pydicom", f"bad value {SECRET}: %s", SECRET))
    assert said["logger"] == "pydicom"
    assert said["level"] == "warning"
    assert "DOE" not in json.dumps(said)


def test_of_an_error_its_kind_and_our_places_are_told():
    from deixis.images import read

    try:
        read(SECRET.encode())
    except UnknownFormatError:
        said = line(record("uvicorn.error", SECRET, exc_info=sys.exc_info()))
    assert said["kind"] == "UnknownFormatError"
    assert said["where"].startswith("images/__init__.py:")
    assert "DOE" not in json.dumps(said)


def test_an_error_outside_deixis_has_no_place():
    with pytest.raises(ValueError) as caught:
        int(SECRET)
    assert where(caught.value) == "outside deixis"


def test_an_alias_is_the_same_within_a_run_and_is_not_the_name():
    assert alias("abc") == alias("abc") != alias("abd")
    assert "abc" not in alias("abc")
    assert len(alias("abc")) == 12


@pytest.fixture
def as_it_was():
    """Loggers as they were before."""
    root = logging.getLogger()
    handlers, level, filters = root.handlers[:], root.level, warnings.filters[:]
    yield
    root.handlers[:], root.level = handlers, level
    logging.captureWarnings(False)
    warnings.filters[:] = filters
    LOGGER.setLevel(logging.NOTSET)


def test_all_loggers_speak_this_way(as_it_was, capsys):
    loud = logging.getLogger("some.library")
    loud.addHandler(logging.StreamHandler(sys.stderr))
    loud.propagate = False
    to_standard_error()
    loud.error("failed over %s", SECRET)
    logging.getLogger("later.library").warning(SECRET)
    warnings.warn(SECRET, stacklevel=1)
    note("ready")
    told = capsys.readouterr().err
    assert "DOE" not in told
    lines = [json.loads(one) for one in told.splitlines()]
    assert [one.get("logger") or one["event"] for one in lines] == ["some.library", "later.library", "ready"]
