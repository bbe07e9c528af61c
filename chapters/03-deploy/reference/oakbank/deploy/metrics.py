"""What Prometheus reads from one scoring process. Several processes on one host each need their own port.

Four kinds of signals: the service (does it answer), the data (who applies, and does the feed hold), the model (what it
answers), the business (what became of the loans). Each label has a set of values that is known beforehand.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from oakbank.deploy.inputs import InputBins
from oakbank.pipelines.contract import Score

PROBABILITY_BUCKETS = (0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 0.75, 1.0)
SECONDS_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0)


class Metrics:
    """The service's measures, in a registry of its own, so that two apps in one process do not mix.

    Args:
        bins: Of the inputs to count; None: inputs are not counted.
    """

    def __init__(self, bins: InputBins | None = None) -> None:
        self.registry = CollectorRegistry()
        self.bins = bins
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
        self.inputs: dict[str, list[Counter]] = {} if bins is None else self._input_counters(bins)
        self.matured_loans = Counter(
            "oakbank_matured_loans", "Loans whose outcome is known", ("defaulted",), registry=self.registry
        )
        self._matured = {defaulted: self.matured_loans.labels(str(defaulted).lower()) for defaulted in (False, True)}
        self.expected_defaults = Counter(
            "oakbank_matured_expected_defaults", "Defaults that were predicted of them", registry=self.registry
        )
        self.profit = Gauge("oakbank_matured_profit_euros", "What they earned, in EUR", registry=self.registry)

    def _input_counters(self, bins: InputBins) -> dict[str, list[Counter]]:
        counter = Counter("oakbank_inputs", "Applications by column and bin", ("column", "bin"), registry=self.registry)
        share = Gauge(
            "oakbank_reference_share", "Share of the reference in a bin", ("column", "bin"), registry=self.registry
        )
        # All bins are there from the start, at 0: of a series that begins with an event, rate() misses that event.
        counters = {
            column: [counter.labels(column, str(place)) for place in range(len(shares))]
            for column, shares in bins.shares.items()
        }
        for column, shares in bins.shares.items():
            for place, value in enumerate(shares):
                share.labels(column, str(place)).set(value)
        return counters

    def scored(self, scores: Sequence[Score]) -> None:
        """Count given scores."""
        for score in scores:
            self.probability.observe(score.default_probability)
            self._decided[score.granted].inc()

    def took_in(self, applications: Iterable[Mapping[str, Any]]) -> None:
        """Count applications by the bins that their values fall into; nothing if there are no bins."""
        if self.bins is None:
            return
        for application in applications:
            for column, place in self.bins.of(application).items():
                self.inputs[column][place].inc()

    def matured(self, default_probability: ArrayLike, defaulted: ArrayLike, profit: ArrayLike) -> None:
        """Count loans whose outcome has become known.

        Args:
            default_probability: As decided on, shape (n,).
            defaulted: Whether it was not paid back, shape (n,).
            profit: What each earned, EUR, shape (n,).

        Raises:
            ValueError: The three differ in length, or a probability is missing.
        """
        risk, bad, euros = (np.asarray(values, np.float64) for values in (default_probability, defaulted, profit))
        if not len(risk) == len(bad) == len(euros):
            raise ValueError(f"{len(risk)} probabilities, {len(bad)} outcomes, {len(euros)} profits: give one of each")
        if np.isnan(risk).any():
            raise ValueError("a loan without a predicted probability cannot be held against it: leave it out")
        self._matured[True].inc(bad.sum())
        self._matured[False].inc(len(bad) - bad.sum())
        self.expected_defaults.inc(risk.sum())
        self.profit.inc(euros.sum())

    def expect(self, *routes: str) -> None:
        """Begin the times of routes at 0: of a series that begins with an event, rate() misses that event."""
        for route in routes:
            self.seconds.labels(route)

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
