"""The server's own figures for Prometheus.

Labels are paths of the service, codes and versions: nothing of people.
"""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from dashboard.shell.open_lines import LINES
from data.engine.health import StoreUnavailable, served_version
from data.settings import software_version

REGISTRY = CollectorRegistry()
METHODS = ("GET", "POST", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS")
REQUESTS = Counter(
    "tepat_requests", "Answers of the service.", ["method", "path", "status"], registry=REGISTRY
)
SECONDS = Histogram(
    "tepat_request_seconds",
    "Time until an answer of the service was sent.",
    ["method", "path"],
    buckets=(0.01, 0.05, 0.1, 0.5, 1, 5, 15, 60),
    registry=REGISTRY,
)
COMPARED = Counter("tepat_comparisons", "Signatures compared by the service.", ["outcome"], registry=REGISTRY)
PREDICTED = Counter(
    "tepat_predictions", "Signatures that a recipe was asked about by the service.", registry=REGISTRY
)


class _State(Collector):
    """What is asked when the figures are."""

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """Whether the store answers, the model in service, open tabs, the version of the software."""
        try:
            model, answers = served_version() or "none", 1
        except StoreUnavailable:
            model, answers = "unknown", 0
        yield GaugeMetricFamily("tepat_store_up", "Whether the store can be read.", answers)
        yield GaugeMetricFamily("tepat_open_tabs", "Browser tabs open on this process.", LINES.count())
        for name, about, label, value in (
            ("tepat_model_info", "The model in service.", "version", model),
            ("tepat_build_info", "The software.", "version", software_version()),
        ):
            family = GaugeMetricFamily(name, about, labels=[label])
            family.add_metric([value], 1)
            yield family


REGISTRY.register(_State())


def measure(method: str, path: str, status: int, seconds: float) -> None:
    """Count an answer. ``path`` is one of the service's own, or "other"."""
    method = method if method in METHODS else "other"
    REQUESTS.labels(method, path, str(status)).inc()
    SECONDS.labels(method, path).observe(seconds)


async def figures(scope, receive, send) -> None:
    """Answer with all figures, in Prometheus' text."""
    text = await run_in_threadpool(generate_latest, REGISTRY)
    await Response(text, media_type=CONTENT_TYPE_LATEST)(scope, receive, send)
