"""How a process hears that a learner's data changed elsewhere: a notice sent by the transaction that changed them."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Coroutine
from typing import Any, Protocol, cast

import sqlalchemy as sa

from osler.db.connect import connect
from osler.db.engine import WriteSession
from osler.db.faults import as_unavailable
from osler.db.pools import app_url
from osler.errors import Unavailable
from osler.http.cache.entry import Cache
from osler.settings import Settings

CHANNEL = "osler_generation"
EVERYBODY = "*"
ERASED = "erased:"
"""Stands before a pseudonym whose person was erased: also what is known of their sign-in goes."""
RETRY_SECONDS = 0.5

_NOTIFY = sa.text("select pg_notify(:channel, :subject)")


Forget = Callable[[uuid.UUID | None], None]
"""Drops what a process remembers of somebody's sign-in; of everybody's without a pseudonym."""


class Hearing(Protocol):
    """A cache that serves nothing while it cannot hear."""

    is_hearing: bool


class _Line(Protocol):
    """What of a driver's connection is needed to listen."""

    def add_termination_listener(self, callback: Callable[[object], None]) -> None: ...
    def add_listener(
        self, channel: str, callback: Callable[[object, int, str, str], None]
    ) -> Coroutine[Any, Any, None]: ...
    def close(self, *, timeout: float) -> Coroutine[Any, Any, None]: ...
    def terminate(self) -> None: ...


async def announce(session: WriteSession, user_id: uuid.UUID | None) -> None:
    """Tell every process, at COMMIT, that this learner's data changed; None for everybody's (the end of a job)."""
    subject = EVERYBODY if user_id is None else str(user_id)
    await session.execute(_NOTIFY, {"channel": CHANNEL, "subject": subject})


async def listen(settings: Settings, cache: Cache, hearing: Hearing | None, forget: Forget) -> None:
    """Pass notices on to the cache, and of erasures to `forget`, until cancelled.

    While the connection is away `hearing` is told so.
    """
    while True:
        try:
            line = cast("_Line", await connect(await app_url(settings), settings))
        except Exception as error:
            if not isinstance(error, Unavailable) and as_unavailable(error) is None:
                raise
            await asyncio.sleep(RETRY_SECONDS)
            continue
        try:
            await _hear(line, cache, hearing, forget)
        finally:
            _set(hearing, is_hearing=False)
            await asyncio.shield(_close(line))
        await asyncio.sleep(RETRY_SECONDS)


async def _hear(line: _Line, cache: Cache, hearing: Hearing | None, forget: Forget) -> None:
    gone = asyncio.Event()
    notices: asyncio.Queue[str] = asyncio.Queue()
    line.add_termination_listener(lambda _: gone.set())
    await line.add_listener(CHANNEL, lambda _line, _pid, _channel, subject: notices.put_nowait(subject))
    await cache.bump_all()  # whatever was said before we listened
    forget(None)
    _set(hearing, is_hearing=True)
    while not gone.is_set():
        try:
            async with asyncio.timeout(1.0):
                await _pass_on(await notices.get(), cache, forget)
        except TimeoutError:
            continue


async def _pass_on(subject: str, cache: Cache, forget: Forget) -> None:
    if subject == EVERYBODY:
        await cache.bump_all()
        return
    user_id = uuid.UUID(subject.removeprefix(ERASED))
    if subject.startswith(ERASED):
        forget(user_id)
    await cache.bump(user_id)


async def _close(line: _Line) -> None:
    try:
        await line.close(timeout=1.0)
    except Exception as error:
        line.terminate()
        if not isinstance(error, Unavailable) and as_unavailable(error) is None:
            raise


def _set(hearing: Hearing | None, *, is_hearing: bool) -> None:
    if hearing is not None:
        hearing.is_hearing = is_hearing
