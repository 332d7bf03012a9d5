"""What can be counted of the service, for Prometheus: no label holds anything but words of our own."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

SECONDS = (0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)
METHODS = frozenset({"GET", "HEAD", "POST", "DELETE"})
OTHER = "other"


class Metrics:
    """The counters of one service, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "deixis_requests", "Requests answered.", ("method", "route", "status"), registry=self.registry
        )
        self._seconds = Histogram(
            "deixis_request_seconds",
            "From a request's first byte to its answer's last.",
            ("route",),
            buckets=SECONDS,
            registry=self.registry,
        )
        self._jobs = Counter("deixis_jobs", "Jobs that ended.", ("recipe", "state"), registry=self.registry)
        self._job_seconds = Histogram(
            "deixis_job_seconds", "Seconds a job ran.", ("recipe",), buckets=SECONDS, registry=self.registry
        )
        self._phrases = Counter("deixis_phrases", "Phrases answered.", registry=self.registry)
        self._opened = Counter("deixis_images_opened", "Images opened: encoded and walked.", registry=self.registry)
        self._evaluations = Counter("deixis_unet_evaluations", "Evaluations of the denoiser.", registry=self.registry)

    def watch(self, name: str, about: str, value: Callable[[], float]) -> None:
        """A gauge whose value is asked when the metrics are."""
        Gauge(f"deixis_{name}", about, registry=self.registry).set_function(value)

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        """A request was answered."""
        method = method if method in METHODS else OTHER
        self._requests.labels(method, route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def opened(self) -> None:
        """An image was opened."""
        self._opened.inc()

    def job(self, recipe: str, state: str, seconds: float, phrases: int, evaluations: int) -> None:
        """A job ended."""
        self._jobs.labels(recipe, state).inc()
        self._job_seconds.labels(recipe).observe(seconds)
        self._phrases.inc(phrases)
        self._evaluations.inc(evaluations)

    def text(self) -> bytes:
        """All of it, in Prometheus' own format."""
        return generate_latest(self.registry)
