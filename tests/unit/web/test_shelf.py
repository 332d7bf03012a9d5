"""What is kept for a while: a limit in bytes, a lifetime, and nothing that is busy is lost."""

import pytest

from deixis.web.shelf import Shelf


class Clock:
    """Seconds, as the test says."""

    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


def shelf(clock, *, limit=100, lifetime=10.0, busy=lambda value: False):
    return Shelf(limit, lifetime, len, busy, clock)


def test_a_value_is_there_until_it_was_not_asked_for_during_its_lifetime(clock):
    kept = shelf(clock)
    kept.put("a", b"1")
    clock.now = 9
    assert kept.get("a") == b"1"
    clock.now = 18
    kept.sweep()
    assert kept.get("a") == b"1"
    clock.now = 28
    kept.sweep()
    assert kept.get("a") is None


def test_the_longest_unused_goes_where_bytes_run_out(clock):
    kept = shelf(clock)
    for key in "abc":
        kept.put(key, bytes(40))
    assert kept.get("a") is None
    assert kept.bytes == 80
    kept.get("b")
    kept.put("d", bytes(40))
    assert (kept.get("b"), kept.get("c")) == (bytes(40), None)


def test_the_newest_stays_whatever_its_size(clock):
    kept = shelf(clock)
    kept.put("a", bytes(1))
    kept.put("b", bytes(500))
    assert [len(value) for value in kept.values()] == [500]


def test_sizes_are_asked_anew(clock):
    """Results of a job grow while it runs."""
    kept, growing = shelf(clock), bytearray(10)
    kept.put("a", growing)
    kept.put("b", bytes(10))
    growing.extend(bytes(200))
    kept.sweep()
    assert len(kept) == 1


def test_what_is_busy_outlives_both(clock):
    kept = shelf(clock, busy=lambda value: value.startswith(b"busy"))
    kept.put("a", b"busy" + bytes(200))
    kept.put("b", bytes(10))
    clock.now = 1000
    kept.sweep()
    assert kept.get("a") is not None
    assert kept.get("b") is None


def test_what_is_dropped_is_given_back_once(clock):
    kept = shelf(clock)
    kept.put("a", b"1")
    assert kept.drop("a") == b"1"
    assert kept.drop("a") is None
    assert len(kept) == 0
