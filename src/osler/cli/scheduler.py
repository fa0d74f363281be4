"""`osler scheduler`: rings for the nightly jobs."""

from __future__ import annotations

from contextlib import suppress
from typing import Annotated

import typer


def command(
    every: Annotated[float, typer.Option("--every", min=0.1, metavar="SECONDS", help="Seconds between rings.")] = 60.0,
    once: Annotated[bool, typer.Option("--once", help="Ring once and stop.")] = False,
) -> None:
    """Ring for the nightly jobs: through the broker where OSLER_BROKER_URL is set, else run them here.

    Two schedulers do no harm: each (job, period) runs once. A period that was missed is found in the database.
    With OSLER_METRICS_PORT it serves /metrics.
    """
    import asyncio

    from osler.observe.logs import configure_logs
    from osler.observe.reports import configure_reports
    from osler.observe.traces import tracing
    from osler.settings import load_settings
    from osler.worker.scheduler import run_scheduler

    settings = load_settings()
    configure_logs(settings)
    configure_reports(settings)
    with suppress(KeyboardInterrupt), tracing(settings, "scheduler"):
        asyncio.run(run_scheduler(settings, every_seconds=every, once=once))
