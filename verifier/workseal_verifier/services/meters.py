"""Numbers about the server for whoever watches it; others register theirs.

Rules: a label is an operation, a status, a loop or a witness's name, never anything that a client
sent or that tells one party from another. A number that cannot be read is not a number, and hides
no other one.
"""

import math
from collections.abc import Callable, Iterator, Mapping

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

_SECONDS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10)


class Meters:
    """The numbers of one process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "workseal_requests",
            "Requests answered, by operation and status.",
            ("operation", "status"),
            registry=self.registry,
        )
        # Looked up once: there are only so many.
        self._answered: dict[tuple[str, int], Counter] = {}
        self._ticks = Histogram(
            "workseal_tick_seconds",
            "How long sequencing ticks took, without their wait.",
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._submissions = Counter(
            "workseal_submissions",
            "Submissions that were in a tick.",
            registry=self.registry,
        )

    def answered(self, operation: str, status: int) -> None:
        """Count one answered request."""
        counter = self._answered.get((operation, status))
        if counter is None:
            counter = self._requests.labels(operation, str(status))
            self._answered[operation, status] = counter
        counter.inc()

    def ticked(self, seconds: float, submissions: int) -> None:
        """Count one sequencing tick."""
        self._ticks.observe(seconds)
        self._submissions.inc(submissions)

    def gauge(self, name: str, told: str, read: Callable[[], float]) -> None:
        """Register a number that is read when somebody looks."""
        self.registry.register(_Read(name, told, (), lambda: {"": read()}))

    def gauges(
        self, name: str, told: str, label: str, read: Callable[[], Mapping[str, float]]
    ) -> None:
        """Register several numbers of one kind, told apart by a label."""
        self.registry.register(_Read(name, told, (label,), read))


class _Read(Collector):
    def __init__(
        self,
        name: str,
        told: str,
        labels: tuple[str, ...],
        read: Callable[[], Mapping[str, float]],
    ) -> None:
        self._name = f"workseal_{name}"
        self._told = told
        self._labels = labels
        self._read = read

    def describe(self) -> Iterator[GaugeMetricFamily]:
        """Name what is collected, without reading it."""
        yield GaugeMetricFamily(self._name, self._told, labels=self._labels)

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Read the numbers."""
        family = GaugeMetricFamily(self._name, self._told, labels=self._labels)
        try:
            found = self._read()
        except Exception:  # noqa: BLE001 - what others register must not hide the rest
            found = {} if self._labels else {"": math.nan}
        for label, value in found.items():
            family.add_metric([label] if self._labels else [], value)
        yield family
