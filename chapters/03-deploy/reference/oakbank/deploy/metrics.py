"""What Prometheus reads from one scoring process. Several processes on one host each need their own port."""

from collections.abc import Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from oakbank.pipelines.contract import Score

PROBABILITY_BUCKETS = (0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 0.75, 1.0)
SECONDS_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0)


class Metrics:
    """The service's measures, in a registry of its own, so that two apps in one process do not mix."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._of: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}
        self.requests = Counter(
            "oakbank_requests", "Requests answered", ("route", "method", "status"), registry=self.registry
        )
        self.seconds = Histogram(
            "oakbank_request_seconds",
            "Seconds from request to answer",
            ("route",),
            buckets=SECONDS_BUCKETS,
            registry=self.registry,
        )
        self.probability = Histogram(
            "oakbank_default_probability",
            "Default probabilities given",
            buckets=PROBABILITY_BUCKETS,
            registry=self.registry,
        )
        self.decisions = Counter("oakbank_decisions", "Applications decided", ("granted",), registry=self.registry)
        self._decided = {granted: self.decisions.labels(str(granted).lower()) for granted in (False, True)}
        self.model = Gauge("oakbank_model_info", "1 for the version that serves", ("version",), registry=self.registry)
        self.refresh_failures = Counter(
            "oakbank_refresh_failures", "Times the registry gave no champion", registry=self.registry
        )

    def scored(self, scores: Sequence[Score]) -> None:
        """Count given scores."""
        for score in scores:
            self.probability.observe(score.default_probability)
            self._decided[score.granted].inc()

    def answered(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count a request, and how long it took."""
        # Looked up once: `labels` is slower than all that it leads to.
        if (key := (route, method, status)) not in self._of:
            self._of[key] = self.requests.labels(route, method, str(status)), self.seconds.labels(route)
        count, timer = self._of[key]
        count.inc()
        timer.observe(seconds)

    def serving(self, version: str) -> None:
        """Say which version serves from now on."""
        self.model.clear()
        self.model.labels(version).set(1)

    def text(self) -> bytes:
        """Return all measures in Prometheus' text format."""
        return generate_latest(self.registry)
