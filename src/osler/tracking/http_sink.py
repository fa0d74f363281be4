"""Batches to a remote Osler: which addresses may be spoken to, who is believed there, how long an exchange may take."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from osler import clock
from osler.domain.transport import web_problem
from osler.errors import Misconfigured
from osler.tracking.sinks import Reply, asked_wait, parse_reply

if TYPE_CHECKING:
    import httpx

_LAST_TURNS = 4
_LEFT_BEHIND: list[object] = []
"""After a fork: event loops of the parent. Closing them would close what the parent still uses."""


def token_in(path: Path) -> Callable[[], str]:
    """A token that is read again for each batch, so that another process may renew it."""
    return lambda: path.read_text(encoding="ascii").strip()


class HttpSink:
    """A remote Osler. One connection, a hard limit on connecting and on the whole exchange.

    The exchange runs on an event loop of the sender's own thread: cancelling it is the only limit that holds against
    a server that sends a byte now and then, in its headers too. `token` is a text, or a function that is asked each
    time for one that may have been renewed. `ca_file` is a PEM file of the authorities that are believed instead of
    the public ones. TLS 1.3 is the least; in the clear only this machine is spoken to, and never through a proxy.

    Errors: Misconfigured for an address in the clear beyond this machine, or a file that holds no certificates.
    """

    MOST_ANSWER_BYTES = 4 * 1024 * 1024

    def __init__(
        self,
        url: str,
        token: str | Callable[[], str],
        *,
        ca_file: str | Path | None = None,
        connect_seconds: float = 1.0,
        total_seconds: float = 5.0,
    ) -> None:
        self.name = checked_address(url)
        self._token: Callable[[], str] = token if callable(token) else lambda: token
        self._trusted = None if ca_file is None else trusting(Path(ca_file))
        self._connect_seconds = connect_seconds
        self._total_seconds = total_seconds
        self._runner: asyncio.Runner | None = None
        self._client: httpx.AsyncClient | None = None
        self._task: asyncio.Task[Reply] | None = None

    def send(self, body: bytes) -> Reply:
        """Send the envelope; whatever goes wrong on the way is a reply of status 0."""
        import httpx  # noqa: PLC0415  (a tenth of a second that a host's start-up does not have to pay)

        if self._runner is None:
            self._runner = asyncio.Runner()
        try:
            return self._runner.run(self._within_limits(body))
        except (httpx.TimeoutException, TimeoutError):
            return Reply(0, why="no whole answer in time")
        except (httpx.NetworkError, OSError) as error:
            return Reply(0, why=f"{type(error).__name__}: {error}" if str(error) else type(error).__name__)
        except (httpx.HTTPError, httpx.InvalidURL, ValueError, asyncio.CancelledError) as error:
            return Reply(0, why=type(error).__name__)  # its text may hold the token

    async def _within_limits(self, body: bytes) -> Reply:
        self._task = asyncio.current_task()
        try:
            if self._client is None:
                self._client = self._connected()
            async with asyncio.timeout(self._total_seconds):
                return await self._exchange(self._client, body)
        finally:
            self._task = None

    def _connected(self) -> httpx.AsyncClient:
        """A client that trusts whom it should; the environment's proxies and authorities count for https alone."""
        import httpx  # noqa: PLC0415  (as above)

        is_tls = self.name.startswith("https:")
        trusted = self._trusted
        if trusted is None:
            trusted = httpx.create_ssl_context() if is_tls else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            trusted.minimum_version = ssl.TLSVersion.TLSv1_3
        timeout = httpx.Timeout(self._total_seconds, connect=self._connect_seconds)
        return httpx.AsyncClient(timeout=timeout, follow_redirects=False, verify=trusted, trust_env=is_tls)

    async def _exchange(self, client: httpx.AsyncClient, body: bytes) -> Reply:
        headers = {
            "Authorization": f"Bearer {self._token()}",
            "Content-Type": "application/json",
            "Accept-Encoding": "identity",
        }
        got = bytearray()
        async with client.stream("POST", f"{self.name}/api/events/batch", content=body, headers=headers) as response:
            async for part in response.aiter_raw():
                got += part
                if len(got) > self.MOST_ANSWER_BYTES:
                    return Reply(0, why="an answer beyond all bounds")
            wait = asked_wait(response.headers.get("Retry-After"), clock.now())
            return parse_reply(response.status_code, bytes(got), wait)

    def interrupt(self) -> None:
        """End an exchange that is under way."""
        runner, task = self._runner, self._task
        if runner is not None and task is not None:
            with suppress(RuntimeError):
                runner.get_loop().call_soon_threadsafe(task.cancel)

    def close(self) -> None:
        """Close the connection; from the thread that sends."""
        runner, client, self._runner, self._client = self._runner, self._client, None, None
        if runner is not None:
            with suppress(Exception):
                runner.run(_hung_up(client))
            runner.close()

    def abandon(self) -> None:
        """In a forked child: leave the parent's loop and sockets alone."""
        _LEFT_BEHIND.append((self._runner, self._client, self._task))
        self._runner = self._client = self._task = None


async def _hung_up(client: httpx.AsyncClient | None) -> None:
    """A handshake that was broken off leaves its socket to the next turns of the loop."""
    if client is not None:
        await client.aclose()
    for _ in range(_LAST_TURNS):
        await asyncio.sleep(0)


def checked_address(url: str) -> str:
    """An address that a token and learners' events may go to, without a slash at its end.

    Errors: Misconfigured, saying what to do.
    """
    problem = web_problem(url)
    if problem is None and (urlsplit(url).query or urlsplit(url).fragment):
        problem = "has to end with the path, before any ? or #"
    if problem is not None:
        todo = "put a proxy with TLS in front of Osler, or give it OSLER_TLS_CERTIFICATE and OSLER_TLS_KEY"
        raise Misconfigured(f"OSLER_URL {problem}: a token and what learners do go there; {todo}")
    return url.rstrip("/")


def trusting(ca_file: Path) -> ssl.SSLContext:
    """What believes certificates of these authorities alone, under TLS 1.3.

    Errors: Misconfigured when the file cannot be read or holds none.
    """
    try:
        context = ssl.create_default_context(cafile=str(ca_file))
    except OSError as error:  # an SSLError is one
        raise Misconfigured(f"OSLER_CA_FILE: {ca_file} is no file of PEM certificates that can be read") from error
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    return context
