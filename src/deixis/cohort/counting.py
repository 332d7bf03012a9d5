"""What can be counted of a cohort while it runs, for Prometheus: no label holds anything but words of our own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import CollectorRegistry, Counter, Gauge, start_http_server

from deixis.cohort.items import KINDS
from deixis.cohort.run import Progress

HERE = "127.0.0.1"


class Counts:
    """The counters of one run, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()

        def counter(name: str, about: str, labels: tuple[str, ...] = ()) -> Counter:
            return Counter(f"deixis_cohort_{name}", about, labels, registry=self.registry)

        def gauge(name: str, about: str) -> Gauge:
            return Gauge(f"deixis_cohort_{name}", about, registry=self.registry)

        self._images = counter("images", "Images gone through.")
        self._rows = counter("answers", "Rows of results written.")
        self._failures = counter("failures", "Items or phrases without an answer.", ("kind",))
        self._work = counter("work_seconds", "Seconds that workers spent on blocks.")
        self._left = gauge("images_left", "Images still to be gone through.")
        self._time = gauge("left_seconds", "Seconds that they will take at the rate so far.")
        self._memory = gauge("worker_memory_bytes", "Memory of the worker that was last heard of.")
        for kind in KINDS:
            self._failures.labels(kind)

    def see(self, progress: Progress) -> None:
        """Take in how far the run is."""
        self._left.set(progress.images - progress.done)
        self._time.set(progress.left or 0)
        last = progress.last
        if last is None:
            return
        self._images.inc(last.images)
        self._rows.inc(last.rows)
        self._work.inc(last.seconds)
        self._memory.set(last.memory)
        for failure in last.failures:
            self._failures.labels(failure.kind).inc()


@contextmanager
def counted(port: int) -> Iterator[tuple[Counts, str]]:
    """Counts, and the address at which this machine can read them while the block runs; port 0 takes a free one."""
    counts = Counts()
    server, thread = start_http_server(port, HERE, counts.registry)
    try:
        yield counts, f"http://{HERE}:{server.server_port}/metrics"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
