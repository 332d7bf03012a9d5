"""What libraries say is kept to themselves, for as long as it is asked."""

import logging
import os
import subprocess
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor

import pytest

from deixis.silence import TELEMETRY_OFF, silenced, without_telemetry


def test_nothing_is_heard_inside_and_everything_after(caplog):
    caplog.set_level(logging.DEBUG)
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        with silenced("loud"):
            logging.getLogger("loud").error("a secret")
            logging.getLogger("loud.below").debug("a secret")
            warnings.warn("a secret", stacklevel=1)
        assert warned == []
    assert caplog.text == ""
    logging.getLogger("loud.below").error("heard again")
    assert "heard again" in caplog.text


def test_a_handler_of_its_own_is_taken_away_and_given_back():
    logger, heard = logging.getLogger("loud"), []
    handler = logging.Handler()
    handler.emit = heard.append
    logger.addHandler(handler)
    try:
        with pytest.raises(ZeroDivisionError), silenced("loud"):
            _fail_loudly(logger)
        assert heard == []
        assert logger.handlers == [handler]
        assert logger.propagate
    finally:
        logger.removeHandler(handler)


def test_threads_share_it_and_the_last_one_gives_it_back():
    """Whoever leaves first takes nothing from the other, and nothing stays silent for ever."""
    logger, filters = logging.getLogger("loud"), list(warnings.filters)
    first, second = silenced("loud"), silenced("loud")
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert not logger.propagate
    second.__exit__(None, None, None)
    assert logger.propagate
    assert logger.handlers == []
    assert warnings.filters == filters


def test_many_threads_leave_no_trace():
    logger = logging.getLogger("loud")

    def work(_):
        for _ in range(200):
            with silenced("loud"):
                logger.error("a secret")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    assert logger.propagate
    assert logger.handlers == []


def _fail_loudly(logger):
    logger.error("a secret")
    raise ZeroDivisionError


def test_what_a_user_has_set_stays(monkeypatch):
    for variable in TELEMETRY_OFF:
        monkeypatch.setenv(variable, "mine")
    without_telemetry()
    assert all(os.environ[variable] == "mine" for variable in TELEMETRY_OFF)


def test_models_are_loaded_without_telemetry():
    """The switch is read when the libraries are imported, so it is set before."""
    code = (
        "import os, sys; [os.environ.pop(name, None) for name in list(os.environ) if 'TELEMETRY' in name];"
        "import deixis.models.hub, huggingface_hub.constants as known; sys.exit(not known.HF_HUB_DISABLE_TELEMETRY)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0
