"""What libraries say about patients, kept to themselves: their logs and warnings quote values, addresses and paths.

Also their telemetry, off. Standard library only.
"""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import cache
from threading import Lock

# What a user has set stays.
TELEMETRY_OFF = {
    "HF_HUB_DISABLE_TELEMETRY": "1",  # huggingface_hub, whose constant diffusers and transformers ask too
    "RAY_USAGE_STATS_ENABLED": "0",
}


class _Shared:
    """A state of the whole process that several threads want: the first of them makes it, the last one undoes it."""

    def __init__(self, made: Callable[[], AbstractContextManager[object]]) -> None:
        self._made, self._lock, self._holders = made, Lock(), 0
        self._undo = ExitStack()

    def __enter__(self) -> None:
        with self._lock:
            if self._holders == 0:
                self._undo.enter_context(self._made())
            self._holders += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._holders -= 1
            if self._holders == 0:
                self._undo.close()


@contextmanager
def silenced(*loggers: str) -> Iterator[None]:
    """While the block runs these loggers, and all below them, reach nobody, and no warning is shown.

    Both are states of the process, so other threads are silenced with it; each is as it was when the last such block
    ends.
    """
    with ExitStack() as stack:
        for name in loggers:
            stack.enter_context(_of_logger(name))
        stack.enter_context(_WARNINGS)
        yield


@cache
def _of_logger(name: str) -> _Shared:
    return _Shared(lambda: _unheard(logging.getLogger(name)))


@contextmanager
def _unheard(logger: logging.Logger) -> Iterator[None]:
    propagated, handlers = logger.propagate, logger.handlers[:]
    logger.propagate, logger.handlers[:] = False, [logging.NullHandler()]
    try:
        yield
    finally:
        logger.propagate, logger.handlers[:] = propagated, handlers


@contextmanager
def _unwarned() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


_WARNINGS = _Shared(_unwarned)


def without_telemetry() -> None:
    """Tell every dependency that can report its use not to; to be called before they are imported."""
    for variable, value in TELEMETRY_OFF.items():
        os.environ.setdefault(variable, value)
