"""What the service is told."""

import pytest

from deixis.errors import UnknownNameError
from deixis.web.settings import LOOPBACK, Settings, is_loopback


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.1", "localhost", "::1", "[::1]"])
def test_the_loopback_is_known(host):
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.4", "example.org", ""])
def test_all_else_is_reached_from_outside(host):
    assert not is_loopback(host)


def test_by_default_it_is_addressed_on_the_loopback_and_reads_at_once():
    assert Settings().hosts == LOOPBACK
    assert Settings().recipe == "best-instant"


def test_an_unknown_recipe_is_refused_with_the_known_ones():
    with pytest.raises(UnknownNameError, match="Did you mean 'instant'"):
        Settings("instnt")


def test_the_secret_is_not_shown():
    assert "hush" not in repr(Settings(token="hush-hush-hush-hush"))
