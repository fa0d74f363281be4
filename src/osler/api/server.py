"""Serves the application in this process, on granian: TLS 1.3 where certificates are set, slow headers cut off."""

from __future__ import annotations

import asyncio
import gc
import signal
import socket
import ssl
from contextlib import suppress

from fastapi import FastAPI
from granian.constants import Interfaces, SSLProtocols
from granian.http import HTTP1Settings
from granian.server.embed import Server

from osler import clock
from osler.errors import Misconfigured, Unavailable
from osler.settings import Settings

HEADER_TIMEOUT_MS = 5_000
READY_SECONDS = 30.0
DRAIN_SECONDS = 8.0


def free_port(host: str, port: int) -> int:
    """The port, or any free one for 0. Errors: Misconfigured when it is taken.

    Asked before anything is opened, and without port sharing: granian itself would join whoever listens there.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise Misconfigured(
                f"port {port} of {host} is taken: choose another with --port", code="port.taken"
            ) from error
        return int(probe.getsockname()[1])


async def serve(app: FastAPI, settings: Settings, port: int) -> None:
    """Serve until SIGINT or SIGTERM, then finish what is under way; prints one line when requests are answered.

    The application's own lifespan runs around it, so an error in it ends the command with its sentence.
    """
    host, stop = settings.host, asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, stop.set)
    async with app.router.lifespan_context(app):
        # What the start made stays: walked over at every look of the collector, it took 7 % of a busy process.
        gc.freeze()
        server = Server(
            app,
            address=host,
            port=port,
            interface=Interfaces.ASGINL,
            log_enabled=False,
            websockets=False,
            backlog=1024,
            http1_settings=HTTP1Settings(header_read_timeout=HEADER_TIMEOUT_MS),
            ssl_cert=settings.tls_certificate,
            ssl_key=settings.tls_key,
            ssl_protocol_min=SSLProtocols.tls13,
        )
        serving = asyncio.create_task(server.serve())
        try:
            await _until_ready(settings, port, serving, stop)
            if not stop.is_set():
                print(f"Osler is ready at {settings.scheme}://{_shown(host)}:{port}", flush=True)  # noqa: T201 (what callers wait for)
            await stop.wait()
        finally:
            server.stop()
            with suppress(TimeoutError):
                await asyncio.wait_for(serving, DRAIN_SECONDS)


def _shown(host: str) -> str:
    return "127.0.0.1" if host in {"0.0.0.0", "::"} else host  # noqa: S104 (compared, not bound)


async def _until_ready(settings: Settings, port: int, serving: asyncio.Task[None], stop: asyncio.Event) -> None:
    until = clock.monotonic_seconds() + READY_SECONDS
    while not stop.is_set():
        if serving.done():
            serving.result()
            raise Unavailable("The server ended before it was ready.")
        with suppress(OSError, TimeoutError):
            if await _says_ready(_shown(settings.host), port, None if settings.tls_key is None else _to_itself()):
                return
        if clock.monotonic_seconds() > until:
            raise Unavailable(f"The service was not ready within {READY_SECONDS:.0f} s; see the log above.")
        await asyncio.sleep(0.05)


def _to_itself() -> ssl.SSLContext:
    """TLS to this very process, whose certificate is made out to another name; nothing secret is said."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


async def _says_ready(host: str, port: int, tls: ssl.SSLContext | None) -> bool:
    """Whether the service itself answers that it is ready. By hand: an HTTP library is a tenth of the start."""
    async with asyncio.timeout(2.0):
        reader, writer = await asyncio.open_connection(host, port, ssl=tls)
        try:
            writer.write(b"GET /api/health/ready HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            return (await reader.readline()).split(b" ")[1:2] == [b"200"]
        finally:
            writer.close()
