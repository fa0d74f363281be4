"""Where Prometheus reads: a listener of its own, on the inside, never a route of the API."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from prometheus_client import start_http_server

from osler.errors import Misconfigured
from osler.observe.metrics import REGISTRY
from osler.settings import Settings


@contextmanager
def metrics_listener(settings: Settings) -> Generator[int | None]:
    """Serve `/metrics` on OSLER_METRICS_PORT while the block runs; gives the port, None when none is set.

    Errors: Misconfigured when the port is taken.
    """
    if settings.metrics_port is None:
        yield None
        return
    try:
        server, thread = start_http_server(settings.metrics_port, settings.metrics_host, REGISTRY)
    except OSError as error:
        raise Misconfigured(f"OSLER_METRICS_PORT {settings.metrics_port} is taken: choose another") from error
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join(2)
