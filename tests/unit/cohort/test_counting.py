"""What Prometheus sees of a run."""

import urllib.request

from deixis.cohort.counting import Counts, counted
from deixis.cohort.items import Failure
from deixis.cohort.order import Outcome
from deixis.cohort.run import Progress

OUTCOME = Outcome(0, 3, 5, (Failure(1, "a", "a.png", "image", "x"),), 2.5, 1000)


def test_counts_follow_the_blocks():
    counts = Counts()
    at = Progress(10)
    for seconds in (0.0, 1.0, 2.0):
        counts.see(at)
        at = at.after(OUTCOME, seconds)
    value = counts.registry.get_sample_value
    assert value("deixis_cohort_images_total") == 6
    assert value("deixis_cohort_answers_total") == 10
    assert value("deixis_cohort_failures_total", {"kind": "image"}) == 2
    assert value("deixis_cohort_failures_total", {"kind": "crash"}) == 0
    assert value("deixis_cohort_work_seconds_total") == 5.0
    assert value("deixis_cohort_images_left") == 4
    assert value("deixis_cohort_worker_memory_bytes") == 1000


def test_they_are_read_on_the_loopback_while_it_runs():
    with counted(0) as (counts, address):
        counts.see(Progress(10).after(OUTCOME, 1.0))
        assert address.startswith("http://127.0.0.1:")
        text = urllib.request.urlopen(address, timeout=10).read().decode()
    assert "deixis_cohort_images_total 3.0" in text
    assert "a.png" not in text
