"""What libraries say about patients, kept to themselves: their logs and warnings quote values, addresses and paths.

Also their telemetry, off. Standard library only.
"""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

# What a user has set stays.
TELEMETRY_OFF = {
    "HF_HUB_DISABLE_TELEMETRY": "1",  # huggingface_hub, whose constant diffusers and transformers ask too
    "RAY_USAGE_STATS_ENABLED": "0",
}


@contextmanager
def silenced(*loggers: str) -> Iterator[None]:
    """While the block runs these loggers, and all below them, reach nobody, and no warning is shown."""
    with ExitStack() as stack:
        for name in loggers:
            stack.enter_context(_unheard(logging.getLogger(name)))
        stack.enter_context(warnings.catch_warnings())
        warnings.simplefilter("ignore")
        yield


@contextmanager
def _unheard(logger: logging.Logger) -> Iterator[None]:
    propagated, handlers = logger.propagate, logger.handlers[:]
    logger.propagate, logger.handlers[:] = False, [logging.NullHandler()]
    try:
        yield
    finally:
        logger.propagate, logger.handlers[:] = propagated, handlers


def without_telemetry() -> None:
    """Tell every dependency that can report its use not to; to be called before they are imported."""
    for variable, value in TELEMETRY_OFF.items():
        os.environ.setdefault(variable, value)
