"""Metrics for Prometheus, if prometheus-client is installed (extra `metrics`)."""

from __future__ import annotations

try:
    import prometheus_client
except ImportError:
    prometheus_client = None  # type: ignore[assignment]


class Metrics:
    """A histogram of the seconds until the start of each response, by method, route and status."""

    def __init__(self) -> None:
        self._registry = prometheus_client.CollectorRegistry()
        self._seconds = prometheus_client.Histogram(
            "gruscope_answer_seconds",
            "Seconds from a request to the start of its response",
            ["method", "route", "status"],
            registry=self._registry,
        )

    def observe(self, method: str, route: str, status: int, seconds: float) -> None:
        self._seconds.labels(method, route, status).observe(seconds)

    def text(self) -> bytes:
        """Return all metrics in the text format of Prometheus."""
        return prometheus_client.generate_latest(self._registry)


def metrics() -> Metrics | None:
    """Return new metrics, or None if prometheus-client is not installed."""
    return None if prometheus_client is None else Metrics()
