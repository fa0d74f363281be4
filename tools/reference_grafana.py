"""The dashboard for Grafana, made from one list: the brief's six kinds of figures, and the jobs beside them."""

from __future__ import annotations

import json
from dataclasses import dataclass

FROM_5M = "[5m]"


@dataclass(frozen=True)
class Panel:
    """One picture: what it shows, its unit in Grafana's words, and its lines (expression, legend)."""

    title: str
    unit: str
    lines: tuple[tuple[str, str], ...]


def _quantiles(metric: str, by: str, where: str = "") -> tuple[tuple[str, str], ...]:
    return tuple(
        (f"histogram_quantile({q}, sum by (le, {by}) (rate({metric}_bucket{where}{FROM_5M})))", f"{{{{{by}}}}} p{p}")
        for q, p in (("0.5", 50), ("0.95", 95), ("0.99", 99))
    )


PANELS = (
    Panel(
        "Events by outcome", "ops", ((f"sum by (outcome) (rate(osler_ingest_events_total{FROM_5M}))", "{{outcome}}"),)
    ),
    Panel("Time of a request, by route", "s", _quantiles("osler_http_request_seconds", "route")),
    Panel("Time of a statement", "s", _quantiles("osler_db_query_seconds", "query")),
    Panel(
        "Database connections",
        "short",
        (
            ("sum(osler_db_pool_in_use)", "in use"),
            ("sum(osler_db_pool_size)", "at most"),
            ("sum(osler_db_pool_waiting)", "waited for"),
        ),
    ),
    Panel(
        "Cache hits",
        "percentunit",
        (
            (
                f'sum(rate(osler_cache_requests_total{{result="hit"}}{FROM_5M}))'
                f' / sum(rate(osler_cache_requests_total{{result=~"hit|miss"}}{FROM_5M}))',
                "hits",
            ),
        ),
    ),
    Panel(
        "Errors, by route",
        "percentunit",
        (
            (
                f'sum by (route) (rate(osler_http_requests_total{{status_class="5xx"}}{FROM_5M}))'
                f" / sum by (route) (rate(osler_http_requests_total{FROM_5M}))",
                "{{route}}",
            ),
        ),
    ),
    Panel("Backlog", "short", (("max by (consumer) (osler_ingest_backlog_events)", "{{consumer}}"),)),
    Panel(
        "Mean time of a job",
        "s",
        (
            (
                "max by (job_name) (increase(osler_job_seconds_sum[1d]) / (increase(osler_job_seconds_count[1d]) > 0))",
                "{{job_name}}",
            ),
        ),
    ),
    Panel(
        "Hours since a job succeeded",
        "h",
        (
            (
                "(time() - max by (job_name) (osler_job_last_success_timestamp_seconds > 0)) / 3600",
                "{{job_name}}",
            ),
        ),
    ),
    Panel("Database, active backends a core", "percentunit", (("max(osler_db_busy_ratio)", "busy"),)),
)
COLUMNS, WIDTH, HEIGHT = 2, 12, 8


def dashboard_json() -> str:
    """The text of deploy/grafana/osler.json."""
    source = {"type": "prometheus", "uid": "${source}"}
    panels = [
        {
            "id": n + 1,
            "type": "timeseries",
            "title": panel.title,
            "datasource": source,
            "gridPos": {"x": n % COLUMNS * WIDTH, "y": n // COLUMNS * HEIGHT, "w": WIDTH, "h": HEIGHT},
            "fieldConfig": {"defaults": {"unit": panel.unit, "min": 0}, "overrides": []},
            "targets": [
                {"refId": chr(65 + at), "expr": expr, "legendFormat": legend, "datasource": source}
                for at, (expr, legend) in enumerate(panel.lines)
            ],
        }
        for n, panel in enumerate(PANELS)
    ]
    variable = {"name": "source", "label": "Prometheus", "type": "datasource", "query": "prometheus"}
    made = {
        "uid": "osler-overview",
        "title": "Osler",
        "schemaVersion": 39,
        "editable": True,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "templating": {"list": [variable]},
        "panels": panels,
    }
    return json.dumps(made, indent=2) + "\n"
