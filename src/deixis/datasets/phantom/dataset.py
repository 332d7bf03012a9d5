"""Phantoms drawn from their seeds, as a dataset without files."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from itertools import count, islice

from deixis.datasets.collection import Collection, Dataset, Wanted
from deixis.datasets.phantom.layout import TEST_SEED, VALIDATION_SEED, cases
from deixis.errors import CaseError
from deixis.types import Case

FIRST_SEEDS = {"train": 0, "val": VALIDATION_SEED, "test": TEST_SEED}
# As many as results are reported on, unless asked otherwise.
IMAGES = 200


def read(wanted: Wanted) -> Collection:
    """Phantoms of a split, by default the test split; `limit` cases of as many images as it takes."""
    split = wanted.split or "test"
    if split not in FIRST_SEEDS:
        raise CaseError(f"The phantom has no split {split!r}; it has {', '.join(FIRST_SEEDS)}.")
    first = FIRST_SEEDS[split]
    seeds = count(first) if wanted.limit is not None else range(first, first + IMAGES)
    makers: Iterator[Callable[[], Case]] = (partial(_same, case) for case in cases(seeds))
    return Collection(tuple(islice(makers, wanted.limit)))


def _same(case: Case) -> Case:
    return case


PHANTOM = Dataset(
    name="phantom",
    summary="synthetic chest X-rays with phrases, drawn from seeds",
    truth="phrase, boxes and masks",
    gate="",
    layout=("nothing: it is drawn",),
    read=read,
)
