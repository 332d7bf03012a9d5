"""The log: one JSON object to a line, free of everything that a request held.

What is logged is chosen here, word by word: routes as templates, statuses, times, and names of jobs under a salt that
changes with every start. Records of libraries are reduced to who wrote them and how serious they are, since their texts
may quote anything.
"""

from __future__ import annotations

import hashlib
import json
import logging
import secrets
import sys
import time
import traceback
import warnings
from pathlib import Path

LOGGER = logging.getLogger("deixis.web")
ROOT = Path(__file__).parents[1]
_SALT = secrets.token_bytes(16)


def alias(name: str) -> str:
    """What a job or an image is called in the log: the same within one run of the service, meaningless beyond it."""
    return hashlib.blake2b(name.encode(), key=_SALT, digest_size=6).hexdigest()


def note(event: str, *, level: str = "info", **facts: str | int | float) -> None:
    """A line in the log."""
    LOGGER.log(logging.getLevelNamesMapping()[level.upper()], event, extra={"facts": facts})


def where(error: BaseException) -> str:
    """The places in deixis that an error passed, innermost last; neither its text nor anybody's path."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [Path(frame.filename) for frame in frames]
    steps = [
        f"{path.relative_to(ROOT)}:{frame.lineno}"
        for path, frame in zip(ours, frames, strict=True)
        if path.is_relative_to(ROOT)
    ]
    return " ".join(steps) or "outside deixis"


class Line(logging.Formatter):
    """A record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """Our own records whole; of others who and how serious, and the kind and the place of their error."""
        line: dict[str, object] = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)) + f".{int(record.msecs):03}Z",
            "level": record.levelname.lower(),
        }
        if record.name == LOGGER.name:
            line |= {"event": record.msg, **getattr(record, "facts", {})}
        else:
            line |= {"event": "library", "logger": record.name}
        error = record.exc_info[1] if record.exc_info else None
        if error is not None:
            line |= {"kind": type(error).__name__, "where": where(error)}
        return json.dumps(line)


def to_standard_error() -> None:
    """Have all loggers, and Python's warnings, speak this way on standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Line())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    LOGGER.setLevel(logging.INFO)
    for name in list(logging.root.manager.loggerDict):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
    warnings.simplefilter("ignore")
    logging.captureWarnings(True)
