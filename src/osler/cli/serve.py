"""`osler serve`: the API, the dashboard, and without a broker the nightly jobs, in one process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from osler.http.platform import Platform
    from osler.settings import Settings


def command(
    port: Annotated[
        int | None, typer.Option("--port", min=0, max=65535, help="Port to listen on; 0 takes a free one. [OSLER_PORT]")
    ] = None,
    host: Annotated[str | None, typer.Option("--host", help="Address to listen on. [OSLER_HOST]")] = None,
    jobs: Annotated[bool, typer.Option("--jobs/--no-jobs", help="Run nightly jobs here when no broker is set.")] = True,
) -> None:
    """Serve the API and the dashboard until Ctrl-C.

    Without OSLER_DATABASE_URL the embedded PostgreSQL is started and migrated. Prints "Osler is ready at …" once
    requests are answered. A port that is taken is an error.
    """
    import asyncio

    from osler.settings import load_settings

    given = {"port": port, "host": host}
    settings = load_settings(**{name: value for name, value in given.items() if value is not None})
    asyncio.run(serve(settings, with_jobs=jobs))


async def serve(settings: Settings, *, with_jobs: bool = True) -> None:
    """Everything that `osler serve` does, for `osler demo` too."""
    from osler.api.app import create_app
    from osler.api.server import free_port
    from osler.api.server import serve as serve_app
    from osler.db.migrate import migrate
    from osler.observe.listener import metrics_listener
    from osler.observe.logs import configure_logs
    from osler.observe.reports import configure_reports
    from osler.observe.traces import tracing

    port = free_port(settings.host, settings.port)
    configure_logs(settings)
    configure_reports(settings)
    if settings.is_embedded:
        await migrate(settings)
    beside = [_nights] if with_jobs and settings.broker_url is None else []
    with tracing(settings, "serve"), metrics_listener(settings):
        await serve_app(create_app(settings, beside=beside), settings, port)


def _nights(platform: Platform) -> AbstractAsyncContextManager[None]:
    from osler.worker.night import night_of
    from osler.worker.scheduler import ringing

    return ringing(night_of(platform.db).ring)
