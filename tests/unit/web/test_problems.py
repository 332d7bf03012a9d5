"""Refusals: one form, the right status, words that help."""

import pytest

from deixis.errors import (
    DeixisError,
    ImageError,
    ModelError,
    PhraseError,
    ResourceError,
    TooLargeError,
    UnknownFormatError,
    UnknownNameError,
)
from deixis.web.problems import Problem, later, problem_of, response, told

STATUSES = {
    TooLargeError: 413,
    UnknownFormatError: 415,
    ImageError: 422,
    PhraseError: 422,
    UnknownNameError: 422,
    ModelError: 422,
    ResourceError: 503,
    DeixisError: 422,
}


@pytest.mark.parametrize(("kind", "status"), STATUSES.items())
def test_every_error_of_deixis_has_a_status(kind, status):
    made = problem_of(kind("the image is odd. Send another."))
    assert made.status == status
    assert made.detail == "The image is odd. Send another."


def test_out_of_memory_says_when_to_come_back():
    assert problem_of(ResourceError("out of memory")).headers == {"Retry-After": "5"}


def test_waiting_is_at_least_a_second():
    assert later(429, "full", 0.2).headers == {"Retry-After": "1"}
    assert later(429, "full", 7.6).headers == {"Retry-After": "8"}


def test_it_is_told_as_the_rfc_says():
    import json

    answer = response(Problem(404, "Gone."))
    assert answer.media_type == "application/problem+json"
    assert json.loads(answer.body) == {"type": "about:blank", "title": "Not Found", "status": 404, "detail": "Gone."}


def test_a_route_describes_its_refusals():
    assert list(told(404, 422)) == [404, 422]
    assert told(404)[404]["description"] == "Not Found"
