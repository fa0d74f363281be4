"""What must hold after every row of the fault matrix: one function, which looks past the application.

Every test that is named after a row and has a database is followed by it (the fixture `invariants` below, which
`tests/conftest.py` hands to all). I11 is a row of its own in `tests/faults/test_a_policy.py`; I12 is the `happened` of
`tests/faults/matrix.toml`, asserted in each test, with `proven` for rows under load. I5 is about a commitment ledger,
which is not built: nothing here can tell a row that was deleted behind Osler's back from one that never was.
"""

from __future__ import annotations

import asyncio
import tempfile
import threading
from collections.abc import Coroutine, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from tests.support.load import Book
from tests.support.matrix import IS_FULL, row_of

from osler.db.connect import connect_plainly
from osler.db.driver import Driver
from osler.db.engine import Database
from osler.eventlog.tombstones import KEY_NAME, subject_mac
from osler.observe.keys import secret_key
from osler.settings import Settings
from osler.worker.verifying import verify_now

CANARY = "canary"
"""Part of every text that a test plants where it could leak: personal data, tokens, passwords."""

LOG = ("study_events", "question_attempts", "material_interactions")
OPERATIONS = 1_000 if IS_FULL else 50


async def broken(admin: Driver, book: Book | None = None, home: Path | None = None) -> list[str]:
    """Which of I1–I4, I8–I10 do not hold in a database, in sentences; read past the application."""
    found = [*await _log(admin), *await _leaks(admin)]
    if home is not None and (home / "keys" / KEY_NAME).exists():
        found += await _erased(admin, secret_key(home, KEY_NAME))
    return found if book is None else [*found, *await _book(admin, book)]


async def _log(admin: Driver) -> list[str]:
    found: list[str] = []
    for table in LOG:
        twice = await admin.fetchval(
            f"select count(*) from (select from {table} group by user_id, event_id having count(*) > 1) t"
        )
        if twice:
            found.append(f"I2: {twice} events are in {table} twice")
    for table in LOG[1:]:
        loose = await admin.fetchval(
            f"select count(*) from {table} t where not exists (select from study_events e "
            "where (e.user_id, e.event_ts, e.event_id) = (t.user_id, t.event_ts, t.event_id))"
        )
        if loose:
            found.append(f"I3: {loose} rows of {table} have no event")
    return found


async def _leaks(admin: Driver) -> list[str]:
    found: list[str] = []
    for table in (*LOG, "users", "access_audit"):
        rows = await admin.fetchval(f"select count(*) from {table} t where strpos(t::text, $1) > 0", CANARY)
        if rows:
            found.append(f"I10: {rows} rows of {table} hold a canary")
    return found


async def _erased(admin: Driver, key: bytes) -> list[str]:
    """In the log nobody who is buried has rows; nowhere has one whose erasure is certified."""
    buried = {bytes(row[0]) for row in await admin.fetch("select subject_mac from tombstones")}
    certified = "select subject_mac from erasures where state = 'certified'"
    gone = {bytes(row[0]) for row in await admin.fetch(certified)}
    found: list[str] = []
    for row in await admin.fetch(_OF_LEARNERS) if buried else []:
        nobody = buried if row[0] in (*LOG, "dirty_days") else gone
        people = await admin.fetch(f'select distinct user_id from "{row[0]}" where user_id is not null')
        left = sum(subject_mac(key, person[0]) in nobody for person in people)
        if left:
            found.append(f"I8: {left} erased learners still have rows in {row[0]}")
    return found


_OF_LEARNERS = """
select c.relname from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'user_id'
 where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
"""


async def _book(admin: Driver, book: Book) -> list[str]:
    users = list({user_id for user_id, _ in book.attempted})
    rows = await admin.fetch("select user_id, event_id::text from study_events where user_id = any($1::uuid[])", users)
    stored = {(row[0], row[1]) for row in rows}
    found: list[str] = []
    if lost := book.acknowledged - stored:
        found.append(f"I1: {len(lost)} acknowledged events are not stored")
    if strange := stored - book.attempted:
        found.append(f"I3: {len(strange)} stored events were never sent")
    if book.torn:
        found.append(f"I4: counts that are not those of the results: {book.torn[0]}")
    if wrong := {status: n for status, n in book.answers.items() if status not in (200, 429, 503, "cut")}:
        found.append(f"I9: answers {wrong}")
    if users and not stored:
        found.append("unknown: nothing was read back")
    return found


def proven(book: Book, *, fault: bool) -> None:
    """I12: the fault happened, and enough went on around it; else nothing is known, which fails."""
    assert fault, "unknown: the fault did not happen"
    assert book.operations >= OPERATIONS, f"unknown: only {book.operations} operations ran around the fault"
    assert book.acknowledged, "unknown: nothing was acknowledged"


async def unequal(settings: Settings) -> list[str]:
    """I6: the derived tables that are not what the log says, after both consumers have worked off their marks."""
    async with Database.open(settings) as database:
        async with database.read(primary=True) as session:
            if not await session.driver().fetchval("select exists (select from study_events)"):
                return []
        report = (await verify_now(database)).report
    waiting = [f"I6: {len(report.waiting)} learners were never at rest"] if report.waiting else []
    return [*waiting, *(f"I6: {name} differs: {found}" for name, found in report.tables.items() if not found.equal)]


async def all_broken(url: str, settings: Settings, *, derived: bool) -> list[str]:
    """Everything that one database can be asked."""
    async with AsyncExitStack() as stack:
        admin = await connect_plainly(url)
        stack.push_async_callback(admin.close)
        found = await broken(admin, home=settings.home)
    return [*found, *(await unequal(settings) if derived else [])]


def in_a_loop_of_its_own(work: Coroutine[Any, Any, list[str]]) -> list[str]:
    """Run to the end in another thread: a test's own loop may be open, closed or absent."""
    ended: list[list[str] | BaseException] = []

    def run() -> None:
        try:
            ended.append(asyncio.run(work))
        except BaseException as failed:  # noqa: BLE001 (raised again in the thread of the test)
            ended.append(failed)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    [result] = ended
    if isinstance(result, BaseException):
        raise result
    return result


@pytest.fixture
def made_by_hand() -> None:
    """For rows that write past the application, or in an order that no command has: replay has nothing to equal."""


@pytest.fixture(autouse=True)
def invariants(request: pytest.FixtureRequest) -> Iterator[None]:
    """After each test of a row with a database: I2, I3, I6, I8 and I10; I1, I4 and I9 where clients kept a book."""
    if row_of(request.node.name) is None or "fresh_database" not in request.fixturenames:
        yield
        return
    name = request.getfixturevalue("fresh_database")
    cluster = request.getfixturevalue("cluster")
    defined = request._fixturemanager.getfixturedefs("fresh_database", request.node)
    is_shared = bool(defined) and defined[-1].scope == "module"
    home = request.getfixturevalue("settings").home if "settings" in request.fixturenames else None
    yield
    with tempfile.TemporaryDirectory(prefix="osler-after-") as folder:
        settings = cluster.settings(name, home=home or Path(folder))
        derived = not is_shared and "made_by_hand" not in request.fixturenames
        found = in_a_loop_of_its_own(all_broken(cluster.urls(name).admin, settings, derived=derived))
    assert not found, found
