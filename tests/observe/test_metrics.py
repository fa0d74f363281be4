"""What Prometheus reads: names, zeros from the start, closed labels, a listener of its own."""

import urllib.request
from pathlib import Path

import pytest
from prometheus_client import generate_latest

from osler.errors import Misconfigured
from osler.observe import metrics
from osler.observe.listener import metrics_listener
from osler.settings import load_settings

NAMES = (
    "osler_ingest_events_total", "osler_ingest_batch_seconds", "osler_ingest_backlog_events", "osler_db_query_seconds",
    "osler_db_pool_size", "osler_db_pool_in_use", "osler_db_pool_waiting", "osler_cache_requests_total",
    "osler_job_seconds", "osler_job_runs_total", "osler_job_last_success_timestamp_seconds",
    "osler_http_requests_total", "osler_client_dropped_total", "osler_cache_up", "osler_db_busy_ratio",
)  # fmt: skip


def value(name: str, **labels: str) -> float | None:
    return metrics.REGISTRY.get_sample_value(name, labels)


@pytest.mark.parametrize("name", NAMES)
def test_every_named_metric_is_there_from_the_start(name: str) -> None:
    assert name.encode() in generate_latest(metrics.REGISTRY)


def test_counters_are_born_at_zero_so_that_increase_sees_the_first() -> None:
    metrics.declare_jobs(["a_new_job"])
    assert value("osler_job_runs_total", job_name="a_new_job", status="failed") == 0
    metrics.count_job("a_new_job", "failed", 1.0)
    assert value("osler_job_runs_total", job_name="a_new_job", status="failed") == 1
    assert value("osler_job_last_success_timestamp_seconds", job_name="a_new_job") == 0


def test_h14_ten_thousand_made_up_values_are_one_label() -> None:
    before = len(generate_latest(metrics.REGISTRY).splitlines())
    for n in range(10_000):
        metrics.count_client_dropped(f"made-up-{n}", 1)
        metrics.count_events(f"outcome-{n}")
        metrics.count_query(f"select {n}", 0.1)
        metrics.count_job(f"job-{n}", f"status-{n}", 1.0)
        metrics.count_http(f"/made/up/{n}", 200, 0.1)
    text = generate_latest(metrics.REGISTRY)
    assert b"made-up" not in text
    assert len(text.splitlines()) <= before + 10
    dropped = value("osler_client_dropped_total", type="other", reason="no_room")
    assert dropped is not None
    assert dropped >= 10_000


def test_a16_metrics_have_a_listener_of_their_own(tmp_path: Path) -> None:
    with metrics_listener(load_settings(home=tmp_path)) as port:
        assert port is None
    with metrics_listener(load_settings(home=tmp_path, metrics_port=0)) as port:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=2) as answer:
            assert b"osler_http_requests_total" in answer.read()
        with (
            pytest.raises(Misconfigured, match="OSLER_METRICS_PORT"),
            metrics_listener(load_settings(home=tmp_path, metrics_port=port)),
        ):
            pass
