"""Where batches go: to a remote Osler over HTTP, or to one in the same process. One answer, whatever the way."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import msgspec

if TYPE_CHECKING:
    import httpx

_LEFT_BEHIND: list[object] = []
"""After a fork: event loops of the parent. Closing them would close what the parent still uses."""


class Verdict(msgspec.Struct):
    """What Osler said of one event."""

    index: int
    status: str
    id: str | None = None
    code: str | None = None
    retry_after_seconds: float | None = None


class _Answer(msgspec.Struct):
    results: list[Verdict]


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer to one batch: an HTTP status (0 when there was none), the verdicts, how long to wait if it says."""

    status: int
    verdicts: Mapping[int, Verdict] = field(default_factory=dict[int, Verdict])
    retry_after_seconds: float | None = None


class Sink(Protocol):
    """Sends one batch at a time and waits for its answer. Called from the sender's thread; must not raise.

    `name` says which Osler it is: what waits on disk for one is never sent to another.
    """

    @property
    def name(self) -> str:
        """Which Osler it is."""
        ...

    def send(self, body: bytes) -> Reply:
        """Send the envelope. A reply of status 0 means that nobody answered."""
        ...

    def interrupt(self) -> None:
        """From another thread: end a `send` that is under way, with a reply of status 0."""
        ...

    def close(self) -> None:
        """Let go of connections; a later `send` opens them again."""
        ...

    def abandon(self) -> None:
        """In a forked child: forget connections without touching them, they are the parent's."""
        ...


def parse_reply(status: int, body: bytes, retry_after: str | None = None) -> Reply:
    """A reply out of what came back: HTML, cut JSON and missing results leave their events without a verdict."""
    wait = float(retry_after) if retry_after and retry_after.isascii() and retry_after.isdigit() else None
    if status != 200:
        return Reply(status, retry_after_seconds=wait)
    try:
        answer = msgspec.json.decode(body, type=_Answer)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return Reply(status, retry_after_seconds=wait)
    return Reply(status, {verdict.index: _with_sane_wait(verdict) for verdict in answer.results}, wait)


def _with_sane_wait(verdict: Verdict) -> Verdict:
    seconds = verdict.retry_after_seconds
    if seconds is not None and not (math.isfinite(seconds) and seconds >= 0):
        verdict.retry_after_seconds = None
    return verdict


def token_in(path: Path) -> Callable[[], str]:
    """A token that is read again for each batch, so that another process may renew it."""
    return lambda: path.read_text(encoding="ascii").strip()


class HttpSink:
    """A remote Osler. One connection, a hard limit on connecting and on the whole exchange.

    The exchange runs on an event loop of the sender's own thread: cancelling it is the only limit that holds against
    a server that sends a byte now and then, in its headers too. `token` is a text, or a function that is asked each
    time for one that may have been renewed.
    """

    MOST_ANSWER_BYTES = 4 * 1024 * 1024

    def __init__(
        self, url: str, token: str | Callable[[], str], *, connect_seconds: float = 1.0, total_seconds: float = 5.0
    ) -> None:
        self.name = url.rstrip("/")
        self._token: Callable[[], str] = token if callable(token) else lambda: token
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
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError, asyncio.CancelledError):
            return Reply(0)

    async def _within_limits(self, body: bytes) -> Reply:
        import httpx  # noqa: PLC0415

        self._task = asyncio.current_task()
        try:
            if self._client is None:
                timeout = httpx.Timeout(self._total_seconds, connect=self._connect_seconds)
                self._client = httpx.AsyncClient(timeout=timeout, follow_redirects=False)
            async with asyncio.timeout(self._total_seconds):
                return await self._exchange(self._client, body)
        finally:
            self._task = None

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
                    return Reply(0)
            return parse_reply(response.status_code, bytes(got), response.headers.get("Retry-After"))

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
                if client is not None:
                    runner.run(client.aclose())
            runner.close()

    def abandon(self) -> None:
        """In a forked child: leave the parent's loop and sockets alone."""
        _LEFT_BEHIND.append((self._runner, self._client, self._task))
        self._runner = self._client = self._task = None
