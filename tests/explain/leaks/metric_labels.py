"""A counter of Prometheus with the path of each request for a label."""

from prometheus_client import CollectorRegistry, Counter

registry = CollectorRegistry()
requests_total = Counter("requests", "Requests so far.", ["method", "path"], registry=registry)


def leak(number: int) -> None:
    requests_total.labels("GET", f"/orders/{number}").inc()


def mended(number: int) -> None:
    requests_total.labels("GET", "/orders/{number}").inc()
