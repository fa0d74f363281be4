"""`osler worker`: takes rings from the broker and runs what is due."""

from __future__ import annotations

from typing import Annotated

import typer


def command(
    concurrency: Annotated[int, typer.Option("--concurrency", min=1, max=64, help="Rings taken at once.")] = 1,
) -> None:
    """Run nightly jobs for a scheduler that rings through the broker (OSLER_BROKER_URL).

    The database decides what is due and who holds it: any number of workers may run. Stop with Ctrl-C; a job that is
    stopped half-way is taken up by the next ring. With OSLER_METRICS_PORT it serves /metrics.
    """
    from osler.observe.logs import configure_logs
    from osler.observe.reports import configure_reports
    from osler.settings import load_settings
    from osler.worker.broker import run_worker

    settings = load_settings()
    configure_logs(settings)
    configure_reports(settings)
    run_worker(settings, concurrency=concurrency)
