"""Every metric that Osler shows, declared once, with every label set present at 0 from the start.

A counter that is born at 1 is missed by `increase()`, and a label that comes from outside makes a series for each
value a stranger sends: so labels have closed vocabularies, and what is not in one is counted as `other`.
The label of a job is `job_name`, because a scrape overwrites `job`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import product

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
)

disable_created_metrics()  # a series more for each counter and histogram, which nothing here reads
OTHER = "other"
REGISTRY = CollectorRegistry()
ProcessCollector(registry=REGISTRY)

OUTCOMES = ("accepted", "duplicate", "conflict", "rejected", "refused", "retry")
CONSUMERS = ("live", "rollup")
CACHE_RESULTS = ("hit", "miss", "bypass")
JOB_STATUSES = ("succeeded", "partial", "failed", "lost", "parked")
DROP_REASONS = ("no_room",)
"""What an envelope's `dropped` counts: events that a client gave up for want of room. It says no other reason."""
SPAN_RESULTS = ("sent", "failed")
STATUS_CLASSES = ("2xx", "3xx", "4xx", "5xx")
# The brief's limits lie between 0.05 and 1 s; the buckets bracket 0.1 to 2 s closely. Each is a series for every route.
SECONDS = (0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0, 2.0, 5.0)
QUERY_SECONDS = (0.001, 0.005, 0.01, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
LONG = "long"
QUERIES = (
    "user", "exams", "blueprint", "topics", "gauges", "marks_take_all", "marks_learners", "marks_backlog",
    "marks_any_of", "marks_cards", "marks_items", "marks_everybody", "checkpoint_latest", "jobs.rolling",
    "jobs.daily_stats", "jobs.weekly_stats", LONG,
)  # fmt: skip
"""Names under which statements are timed; those without one are `other`. `jobs.…`, and `long` for what else runs in a
transaction that was given more time than a page's, take long by design."""
JOB_SECONDS = (1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0, 10800.0)

ingest_events = Counter(
    "osler_ingest_events", "Events by the status they were answered with", ["outcome"], registry=REGISTRY
)
ingest_batch_seconds = Histogram(
    "osler_ingest_batch_seconds", "Time from request to answer of an ingest request", buckets=SECONDS, registry=REGISTRY
)
ingest_backlog = Gauge(
    "osler_ingest_backlog_events", "Events stored and not yet taken by a consumer", ["consumer"], registry=REGISTRY
)
db_query_seconds = Histogram(
    "osler_db_query_seconds", "Time of a statement", ["query"], buckets=QUERY_SECONDS, registry=REGISTRY
)
db_pool_size = Gauge("osler_db_pool_size", "Connections that the pool may hold", registry=REGISTRY)
db_pool_in_use = Gauge("osler_db_pool_in_use", "Connections of the pool that are in use", registry=REGISTRY)
db_pool_waiting = Gauge("osler_db_pool_waiting", "Requests that wait for a connection", registry=REGISTRY)
db_busy_ratio = Gauge(
    "osler_db_busy_ratio",
    "Active backends divided by processor cores: stands for the database's processor load where no node exporter runs",
    registry=REGISTRY,
)
partition_days_ahead = Gauge(
    "osler_partition_days_ahead", "Days from now to the end of the newest month of the event log", registry=REGISTRY
)
cache_requests = Counter("osler_cache_requests", "Cached reads by what came of them", ["result"], registry=REGISTRY)
cache_up = Gauge("osler_cache_up", "1 while the cache answers", registry=REGISTRY)
job_seconds = Histogram(
    "osler_job_seconds", "Time of a job's run", ["job_name"], buckets=JOB_SECONDS, registry=REGISTRY
)
job_runs = Counter("osler_job_runs", "Runs of a job by how they ended", ["job_name", "status"], registry=REGISTRY)
job_last_success = Gauge(
    "osler_job_last_success_timestamp_seconds", "When a job last succeeded", ["job_name"], registry=REGISTRY
)
http_requests = Counter("osler_http_requests", "Requests by route", ["route", "status_class"], registry=REGISTRY)
http_seconds = Histogram(
    "osler_http_request_seconds", "Time of a request by route", ["route"], buckets=SECONDS, registry=REGISTRY
)
client_dropped = Counter(
    "osler_client_dropped", "Events that a client reports to have dropped", ["type", "reason"], registry=REGISTRY
)
trace_spans = Counter("osler_trace_spans", "Spans by whether the collector took them", ["result"], registry=REGISTRY)
security_events = Counter(
    "osler_security_events", "Refusals and conflicts that a person should look at", ["kind"], registry=REGISTRY
)
SECURITY_KINDS = ("auth_failed", "denied", "conflict_stored", "cache_poisoned", "rate_limited", "model_refused")


@dataclass(slots=True)
class Vocabulary:
    """The closed set of values that a label may take; grows only by declaration in code, never by a request."""

    known: set[str] = field(default_factory=lambda: {OTHER})

    def name(self, value: str) -> str:
        """The value if it is known, else `other`."""
        return value if value in self.known else OTHER


routes = Vocabulary()
job_names = Vocabulary()
event_types = Vocabulary()


# Looked up with every statement: found by name at once, without the library's lock.
_query_series = {query: db_query_seconds.labels(query) for query in (*QUERIES, OTHER)}


def declare_routes(names: Iterable[str]) -> None:
    """Make the series of these routes, at 0."""
    routes.known.update(names)
    for route, status_class in product(routes.known, STATUS_CLASSES):
        http_requests.labels(route, status_class)
    for route in routes.known:
        http_seconds.labels(route)


def declare_jobs(names: Iterable[str]) -> None:
    """Make the series of these jobs, at 0."""
    job_names.known.update(names)
    for job_name in job_names.known:
        job_seconds.labels(job_name)
        job_last_success.labels(job_name)
        for status in JOB_STATUSES:
            job_runs.labels(job_name, status)


def declare_event_types(names: Iterable[str]) -> None:
    """Make the series of these event types, at 0."""
    event_types.known.update(names)
    for event_type, reason in product(event_types.known, DROP_REASONS):
        client_dropped.labels(event_type, reason)


def count_http(route: str, status: int, seconds: float) -> None:
    """One answered request; `route` is the template, never the path."""
    name = routes.name(route)
    http_requests.labels(name, f"{status // 100}xx").inc()
    http_seconds.labels(name).observe(seconds)


def count_events(outcome: str, n: int = 1) -> None:
    """Events that were answered with that status."""
    ingest_events.labels(outcome if outcome in OUTCOMES else OTHER).inc(n)


def count_query(query: str | None, seconds: float) -> None:
    """One statement; the shape that `Database.on_query` takes."""
    _query_series[query if query in _query_series else OTHER].observe(seconds)


def count_job(job_name: str, status: str, seconds: float) -> None:
    """One run of a job that ended."""
    name = job_names.name(job_name)
    job_seconds.labels(name).observe(seconds)
    job_runs.labels(name, status if status in JOB_STATUSES else OTHER).inc()


def count_client_dropped(event_type: str, n: int) -> None:
    """Events that a client reports to have dropped."""
    client_dropped.labels(event_types.name(event_type), DROP_REASONS[0]).inc(n)


def _start_at_zero() -> None:
    for outcome in (*OUTCOMES, OTHER):
        ingest_events.labels(outcome)
    for consumer in CONSUMERS:
        ingest_backlog.labels(consumer)
    for result in CACHE_RESULTS:
        cache_requests.labels(result)
    for kind in SECURITY_KINDS:
        security_events.labels(kind)
    for result in SPAN_RESULTS:
        trace_spans.labels(result)
    declare_routes(())
    declare_jobs(())
    declare_event_types(())


_start_at_zero()
