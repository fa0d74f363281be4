"""What a failure of the database means to a caller: come back later, try again, or a bug."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from typing import TypeVar

import sqlalchemy.exc

from osler.db.connect import Gone
from osler.errors import OslerError, Unavailable

T = TypeVar("T")

RETRIES = 3

# SQLSTATEs: serialization_failure, deadlock_detected, lock_not_available
_AGAIN = frozenset({"40001", "40P01", "55P03"})
# admin_shutdown, crash_shutdown, cannot_connect_now, too_many_connections, disk_full, out_of_memory, idle too long
_AWAY = frozenset({"57P01", "57P02", "57P03", "57P05", "53300", "53100", "53200", "25P03"})
# read_only_sql_transaction: in a write session the primary has become a replica; in a read session it is our bug
_DEMOTED = "25006"
_CUT = "57014"


def sqlstate(failed: BaseException | None) -> str | None:
    """The server's own code of an error, wherever the drivers put it."""
    while failed is not None:
        state = getattr(failed, "sqlstate", None)
        if isinstance(state, str):
            return state
        failed = getattr(failed, "orig", None) or failed.__cause__
    return None


def is_worth_a_retry(failed: BaseException) -> bool:
    """Whether the same transaction may well succeed now: deadlock, serialisation, lock time-out."""
    return sqlstate(failed) in _AGAIN


def is_disconnect(failed: BaseException) -> bool:
    """Whether the connection is gone."""
    if isinstance(failed, sqlalchemy.exc.DBAPIError) and failed.connection_invalidated:
        return True
    inner = getattr(failed, "orig", None) or failed
    state = sqlstate(failed)
    return (state is not None and (state.startswith("08") or state in {"57P01", "57P02", "57P03"})) or isinstance(
        inner, (OSError, *Gone)
    )


def as_unavailable(failed: BaseException) -> Unavailable | None:
    """The 503 that this failure means; None when it is a bug of ours and has to be seen."""
    state = sqlstate(failed)
    if isinstance(failed, sqlalchemy.exc.TimeoutError):
        return Unavailable("all database connections are in use; try again", code="db.pool")
    if state == _CUT:
        return Unavailable("the query took too long and was stopped", code="db.timeout", retry_after_seconds=5)
    if state in _AGAIN:
        return Unavailable("the database is busy with the same rows; try again", code="db.contention")
    if state in _AWAY or isinstance(failed, TimeoutError) or is_disconnect(failed):
        return Unavailable("the database is away; try again", code="db.away", retry_after_seconds=2)
    return None


async def retrying(work: Callable[[], Awaitable[T]], *, retries: int = RETRIES) -> T:
    """Run a whole transaction again after a deadlock, a serialisation failure or a lock time-out, with jitter.

    `work` opens its own transaction and has no other effect. Errors: Unavailable when the last try failed too.
    """
    for attempt in range(retries + 1):
        try:
            return await work()
        except Exception as failed:
            again = is_worth_a_retry(failed) or getattr(failed, "code", None) == "db.contention"
            if not again or attempt == retries:
                raise
        await asyncio.sleep((0.01 * 2**attempt) * (0.5 + secrets.randbelow(1000) / 1000))
    raise AssertionError


@contextmanager
def translated(*, writing: bool = False) -> Generator[None]:
    """Failures of the database leave this block as Unavailable; bugs leave it as they are."""
    try:
        yield
    except OslerError:
        raise
    except Exception as failed:
        known = as_unavailable(failed)
        if known is None and writing and sqlstate(failed) == _DEMOTED:
            known = Unavailable("the database takes no writes; try again", code="db.away", retry_after_seconds=5)
        if known is None:
            raise
        raise known from failed
