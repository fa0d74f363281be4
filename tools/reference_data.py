"""Reference pages read from what runs and what is stored: metrics, nightly jobs, tables."""

from __future__ import annotations

import inspect
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from reference_code import table


def metrics_page() -> str:
    """The text of docs/reference/metrics.md."""
    from prometheus_client.metrics import MetricWrapperBase

    from osler.observe import metrics

    declared: list[Any] = [one for one in vars(metrics).values() if isinstance(one, MetricWrapperBase)]
    rows: list[list[object]] = [[f"`{_name(one)}`", one._type, _labels(one), one._documentation] for one in declared]
    closed: list[list[object]] = [[f"`{label}`", values] for label, values in _vocabularies().items()]
    return "\n".join(
        [
            "# Metrics\n\nGenerated from `osler/observe/metrics.py`; do not edit.\n",
            "`/metrics` is served on `OSLER_METRICS_HOST`:`OSLER_METRICS_PORT`, a listener of its own; without "
            "a port there\n"
            "is none. Every label set exists at 0 from the start, so `increase()` sees the first event. A value "
            "that is in no\n"
            "vocabulary is counted as `other`. [How to observe](../how-to/observe.md) has the queries.\n",
            table(["metric", "kind", "labels", "meaning"], rows),
            "Beside them stand `process_*`: processor time, memory, open files and start of the process (Linux).\n",
            "## Vocabularies\n",
            table(["label", "values"], closed),
            "A scrape overwrites a label called `job`; hence `job_name`. Backlogs and everything about jobs are read "
            "from the\ndatabase and are the same in every process: over processes take `max`, never `sum`.\n",
        ]
    )


def _name(metric: Any) -> str:
    return f"{metric._name}_total" if metric._type == "counter" else str(metric._name)


def _labels(metric: Any) -> str:
    return ", ".join(f"`{label}`" for label in metric._labelnames)


def _vocabularies() -> dict[str, str]:
    from osler.observe import metrics

    def listed(values: tuple[str, ...]) -> str:
        return " · ".join(values)

    return {
        "outcome": listed(metrics.OUTCOMES),
        "consumer": listed(metrics.CONSUMERS),
        "result": f"{listed(metrics.CACHE_RESULTS)}; of spans {listed(metrics.SPAN_RESULTS)}",
        "status": listed(metrics.JOB_STATUSES),
        "status_class": listed(metrics.STATUS_CLASSES),
        "reason": listed(metrics.DROP_REASONS),
        "kind": listed(metrics.SECURITY_KINDS),
        "route": "template of a route, as in [the API](api.md)",
        "query": listed(metrics.QUERIES),
        "job_name": "name of a job, as in [jobs](jobs.md)",
        "type": "event type that a process has declared",
    }


def jobs_page() -> str:
    """The text of docs/reference/jobs.md."""
    from osler.analytics.registry import SHIPPED
    from osler.settings import load_settings
    from osler.worker.night import night_of

    unopened: Any = SimpleNamespace(settings=load_settings(home=Path("/nowhere")))  # jobs are listed here, not run
    declared = {one.name: (analytic.name, one) for analytic in SHIPPED for one in _declared(analytic)}
    rows: list[list[object]] = []
    for place, job in enumerate(night_of(unopened).jobs, start=1):
        owner, one = declared.get(job.name, ("", None))
        said = inspect.cleandoc(_work(one).__doc__ or "").split("\n\n")[0] if one is not None else job.what
        hours = f"{job.cadence.value} from {job.window.opens:%H:%M} UTC"
        rows.append([place, f"`{job.name}`", owner, said, hours, job.lease_seconds, job.max_tries])
    return (
        "# Nightly jobs\n\n"
        "Generated from what the analytics declare and `osler/worker/housekeeping.py`; do not edit.\n\n"
        "They run in this order. A period is due when its window opens and stays due until it succeeded; the database\n"
        "decides, whoever rings. A job that was missed for some nights runs once, for the newest: marks tell "
        "what is left\n"
        "to do. A learner-day that raises is set aside with its reason and the others go on.\n\n"
        + table(["", "job", "analytic", "what it does", "due", "lease, s", "tries"], rows)
        + "\n`osler jobs list`, `osler jobs status` and `osler jobs run NAME` show and run them.\n"
    )


def _declared(analytic: Any) -> list[Any]:
    return [*analytic.rollups, *analytic.refreshes, *analytic.tasks]


def _work(one: Any) -> Any:
    for name in ("recount", "refresh", "run"):
        if hasattr(one, name):
            return getattr(one, name)
    raise TypeError(one)


def tables_page() -> str:
    """The text of docs/reference/tables.md."""
    from osler.db.schema import erase_of, kind_of, metadata

    _load_every_declaration()
    tables = sorted(metadata.tables.values(), key=lambda one: one.name)
    listed: list[list[object]] = [
        [f"[`{one.name}`](#{one.name})", kind_of(one).value, erase_of(one).value.replace("_", " "), _meaning(one)]
        for one in tables
    ]
    return "\n".join(
        [
            "# Tables\n\nGenerated from every `tables.py`; do not edit. A test compares the declarations with "
            "the database.\n",
            "Kinds: *fact* is what was said or done; *derived* is made from facts and can be made again\n"
            "(`osler replay --verify`); *frozen* is kept as it was published; *operational* is machinery. "
            "Erasure of a learner\n"
            "deletes rows, keeps them (a stated duty), or finds nothing personal. Privacy classes: `pii`, "
            "`pseudonymous`,\n"
            "`none`.\n",
            table(["table", "kind", "at erasure", "holds"], listed),
            *(_one_table(one) for one in tables),
        ]
    )


def _meaning(declared: Any) -> str:
    return str(declared.comment).rpartition(" (")[0]


def _one_table(declared: Any) -> str:
    from osler.db.schema import erase_of, kind_of

    key = ", ".join(f"`{column.name}`" for column in declared.primary_key.columns)
    rows: list[list[object]] = [
        [
            f"`{column.name}`",
            _type(column),
            column.info["meaning"],
            column.info["unit"] or "",
            column.info["privacy"].value,
        ]
        for column in declared.columns
    ]
    parts = [
        f"## {declared.name}\n",
        f"{_meaning(declared)}. Kind: {kind_of(declared).value}. At erasure: "
        f"{erase_of(declared).value.replace('_', ' ')}."
        f" Key: {key or 'none'}.\n",
        table(["column", "type", "meaning", "unit", "privacy"], rows),
    ]
    indexes = sorted(declared.indexes, key=lambda one: str(one.name))
    if indexes:
        parts.append("Indexes:\n\n" + "\n".join(f"* {_index(one)}" for one in indexes) + "\n")
    return "\n".join(parts)


def _type(column: Any) -> str:
    from sqlalchemy.dialects import postgresql

    return column.type.compile(dialect=postgresql.dialect()).lower() + (" or null" if column.nullable else "")


def _index(index: Any) -> str:
    from sqlalchemy.dialects import postgresql
    from sqlalchemy.schema import CreateIndex

    return f"`{' '.join(str(CreateIndex(index).compile(dialect=postgresql.dialect())).split())}`"


def _load_every_declaration() -> None:
    """Import every module that declares a table, whatever its name is."""
    import importlib
    from pathlib import Path

    import osler

    package = Path(osler.__file__).parent
    for path in sorted(package.rglob("*.py")):
        if "= table(" in path.read_text(encoding="utf-8"):
            importlib.import_module(".".join(("osler", *path.relative_to(package).with_suffix("").parts)))
