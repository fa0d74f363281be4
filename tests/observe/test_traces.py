"""Spans go to a real collector over OTLP/HTTP, say nothing of anybody, and a collector that is away costs nothing."""

import socket
import statistics
import sys
import time
from datetime import timedelta
from pathlib import Path

import pytest
from prometheus_client import REGISTRY
from tests.support.learning import history, small_catalogue
from tests.support.otlp_collector import attributes, collecting
from tests.support.web import Web, serving

from osler import clock
from osler.errors import Misconfigured
from osler.jobs.run import Job, run_once
from osler.observe import metrics, traces
from osler.observe.traces import ATTRIBUTES, QUEUE_SPANS, span, traces_url, tracing
from osler.settings import Settings, load_settings

CANARIES = ("canary.person@example.org", "203.0.113.77", "canary-hunter2", "eyJhbGciOiJFUzI1NiJ9.canary.sig")


def count(result: str) -> float:
    return metrics.REGISTRY.get_sample_value("osler_trace_spans_total", {"result": result}) or 0.0


def to(settings: Settings, url: str) -> Settings:
    return settings.model_copy(update={"otlp_endpoint": url})


@pytest.mark.integration
async def test_requests_statements_and_jobs_arrive_and_i10_no_canary_is_in_them(settings: Settings) -> None:
    with collecting() as collector:
        with tracing(to(settings, collector.url), "serve"):
            async with serving(settings) as web:
                await small_catalogue(web.platform.db)
                sent = await ask_with_canaries(web)
                await run_once(web.platform.db, Job(name="a_job", what="w", work=nothing), "2026-11-22")
        assert sent == 4 * len(CANARIES)
        by_name = {each.name for each in collector.spans}
        assert {"GET /api/me", "POST /api/events/batch", "GET other", "job a_job", "sql other"} <= by_name
        request = collector.named("POST /api/events/batch")[0]
        said = attributes(request)
        assert (said["http.request.method"], said["http.response.status_code"]) == ("POST", 200)
        assert len(str(said["osler.request_id"])) == 32
        inside = [each for each in collector.spans if each.parent_span_id == collector.named("GET /api/me")[0].span_id]
        assert inside, "a request's statements belong to it"
        job = attributes(collector.named("job a_job")[0])
        assert job == {"osler.job_name": "a_job", "osler.period": "2026-11-22", "osler.status": "succeeded"}
        assert {name for each in collector.spans for name in attributes(each)} <= ATTRIBUTES
        assert not [each for each in collector.spans if each.events], "no exception is recorded with its words"
        assert collector.resources[0]["service.name"] == "osler"
        wire = b"".join(collector.bodies)
        for canary in (*CANARIES, str(web.learner)):
            assert canary.encode() not in wire
        assert b"select" not in wire.lower()


async def ask_with_canaries(web: Web) -> int:
    """Each canary in every place that a request has; how many requests carried one."""
    assert (await web.get("/api/me")).status_code == 200
    batch = {"sent_at": clock.now().isoformat(), "events": history(1)[:3]}
    sent = await web.client.post("/api/events/batch", headers=web.auth(), json=batch)
    assert sent.status_code == 200
    n = 0
    for canary in CANARIES:
        asked: list[tuple[str, dict[str, str], dict[str, str]]] = [
            ("/api/me", {"q": canary}, web.auth()),
            (f"/api/{canary}", {}, web.auth()),
            ("/api/me", {}, {**web.auth(), "User-Agent": canary, "Cookie": f"a={canary}"}),
            ("/api/analytics/mastery", {}, {"Authorization": f"Bearer {canary}"}),
        ]
        for url, params, headers in asked:
            await web.client.get(url, params=params, headers=headers)
            n += 1
    return n


async def nothing(_run: object) -> None:
    pass


def test_an_error_leaves_its_kind_and_not_its_words(tmp_path: Path) -> None:
    def fail() -> None:
        with span("failing") as told:
            told.note("osler.status", "begun")
            told.note("a.name.that.is.not.listed", CANARIES[0])
            raise ValueError(CANARIES[0])

    with collecting() as collector:
        settings = load_settings(home=tmp_path, otlp_endpoint=collector.url)
        with tracing(settings, "serve"), pytest.raises(ValueError, match="canary"):
            fail()
        failed = collector.named("failing")[0]
        assert (failed.status.message, attributes(failed)) == ("ValueError", {"osler.status": "begun"})
        assert b"canary" not in b"".join(collector.bodies)


def test_f29_a_collector_that_is_away_or_hangs_slows_nothing_and_the_queue_is_bounded(tmp_path: Path) -> None:
    def asked(n: int) -> float:
        took = []
        for _ in range(n):
            began = time.perf_counter()
            with span("x"):
                pass
            took.append(time.perf_counter() - began)
        return statistics.quantiles(took, n=100)[94]

    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        away = f"http://127.0.0.1:{holder.getsockname()[1]}"
        began = time.monotonic()
        with tracing(load_settings(home=tmp_path, otlp_endpoint=away), "serve"):
            assert asked(QUEUE_SPANS * 3) < 0.005
        assert time.monotonic() - began < 2.0 + traces.LEAVE_SECONDS
    with collecting(hangs=True) as collector:
        began = time.monotonic()
        with tracing(load_settings(home=tmp_path, otlp_endpoint=collector.url), "serve"):
            assert asked(QUEUE_SPANS * 3) < 0.005
            assert collector.asked.wait(5), "it must really have been asked"
        assert time.monotonic() - began < 5.0 + traces.LEAVE_SECONDS
        assert collector.spans == []


def test_spans_are_counted_by_whether_they_were_taken(tmp_path: Path) -> None:
    before = count("sent")
    with collecting() as collector, tracing(load_settings(home=tmp_path, otlp_endpoint=collector.url), "serve"):
        for _ in range(5):
            with span("x"):
                pass
    assert count("sent") == before + 5
    assert REGISTRY is not metrics.REGISTRY


def test_without_an_endpoint_nothing_is_imported_and_a_span_costs_next_to_nothing(tmp_path: Path) -> None:
    with tracing(load_settings(home=tmp_path), "serve"):
        began = time.thread_time()
        for _ in range(100_000):
            with span("x"):
                pass
        assert time.thread_time() - began < timedelta(seconds=1).total_seconds()


def test_an_endpoint_without_the_packages_is_said_plainly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load_settings(home=tmp_path, otlp_endpoint="http://127.0.0.1:1")
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk", None)
    monkeypatch.setattr(traces, "find_spec", lambda name: None if name == "opentelemetry.sdk" else object())
    with pytest.raises(Misconfigured, match=r"install osler\[server,otlp\], or unset it"), tracing(settings, "serve"):
        pass


def test_the_endpoint_is_an_address_and_gets_the_path_of_otlp(tmp_path: Path) -> None:
    assert traces_url("http://c:4318") == traces_url("http://c:4318/") == "http://c:4318/v1/traces"
    assert traces_url("https://c/otlp/v1/traces") == "https://c/otlp/v1/traces"
    with pytest.raises(Misconfigured, match="OSLER_OTLP_ENDPOINT"):
        load_settings(home=tmp_path, otlp_endpoint="collector:4318")
