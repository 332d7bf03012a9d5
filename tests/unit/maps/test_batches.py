"""Batches shrink where memory ends."""

import pytest

from deixis.errors import ResourceError
from deixis.maps.batches import Batches


def test_every_case_goes_through_once_in_order():
    """Full batches, and a rest."""
    batches = Batches(4)
    assert [list(done) for done in batches.through(10, lambda cases: cases)] == [
        [0, 1, 2, 3], [4, 5, 6, 7], [8, 9]
    ]  # fmt: skip
    assert batches.notices == ()


def test_a_batch_without_room_is_halved_and_stays_halved():
    """Room for three: eight become four, then two; nothing is lost, and a notice says so."""
    tried = []

    def work(cases):
        tried.append(len(cases))
        if len(cases) > 3:
            raise ResourceError("Out of memory")
        return list(cases)

    batches = Batches(8)
    assert [case for done in batches.through(9, work) for case in done] == list(range(9))
    assert tried == [8, 4, 2, 2, 2, 2, 1]
    assert "batches of 2" in batches.notices[0]


def test_no_room_for_one_is_an_error():
    """There is nothing smaller to try."""

    def work(cases):
        raise ResourceError("Out of memory")

    with pytest.raises(ResourceError):
        list(Batches(2).through(2, work))
    with pytest.raises(ValueError, match="at least one"):
        Batches(0)
