"""Tables and their errors."""

from importlib.metadata import EntryPoint

import pytest

import deixis.registry
from deixis.errors import UnknownNameError
from deixis.registry import Table

TABLE = Table(kind="number", group="deixis.test", builtin={"pi": "math:pi", "tau": "math:tau"})


@pytest.fixture
def plugged(monkeypatch):
    """Another package adds a row, and tries to replace a built-in one."""
    points = [EntryPoint("e", "math:e", "deixis.test"), EntryPoint("pi", "math:inf", "deixis.test")]
    monkeypatch.setattr(deixis.registry, "entry_points", lambda group: points if group == "deixis.test" else [])


def test_rows_are_loaded_by_name():
    """From "module:attribute"."""
    assert TABLE["pi"] == pytest.approx(3.14159, abs=1e-4)


def test_plugged_rows_stand_behind_the_built_in(plugged):
    """They are listed and loaded alike, and cannot replace a built-in row."""
    assert TABLE.names() == tuple(TABLE) == ("pi", "tau", "e")
    assert TABLE["e"] == pytest.approx(2.71828, abs=1e-4)
    assert TABLE["pi"] < 4
    assert "e" in TABLE
    assert "f" not in TABLE


def test_an_unknown_name_lists_the_known():
    """And hints at the closest."""
    with pytest.raises(UnknownNameError, match=r"Unknown number 'pie'\. Did you mean 'pi'\? Known: pi, tau\."):
        TABLE["pie"]


def test_listing_imports_nothing():
    """A broken row is no trouble until it is asked for."""
    table = Table(kind="thing", group="deixis.test", builtin={"broken": "no_such_module:thing"})
    assert list(table) == ["broken"]
    with pytest.raises(ModuleNotFoundError):
        table["broken"]


def test_an_empty_table_says_none():
    """An error text that still reads."""
    with pytest.raises(UnknownNameError, match=r"Known: none\."):
        Table(kind="thing", group="deixis.nothing")["any"]
