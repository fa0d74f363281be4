"""A month leaves the log when its time is over, checkpoints first, and on record."""

import asyncio
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest
from tests.support.learning import LEARNER, history, review, send, small_catalogue
from tests.support.nightly import recently

from osler.analytics.registry import analytics
from osler.db.engine import Database
from osler.ingest.intake import ingest_events
from osler.live import draining as live
from osler.live.catch_up import Live
from osler.live.replay import Replay, as_json
from osler.privacy.retention import retain, retention_cutoff
from osler.rollups.draining import drain
from osler.settings import Settings
from osler.worker.night import night_of

AT = datetime(2026, 11, 22, 12, tzinfo=UTC)


def test_the_cutoff_is_so_many_months_and_a_day_ago() -> None:
    assert retention_cutoff(AT, 24) == datetime(2024, 11, 21, tzinfo=UTC)
    assert retention_cutoff(datetime(2026, 3, 31, tzinfo=UTC), 1) == datetime(2026, 2, 28, tzinfo=UTC)
    assert retention_cutoff(datetime(2026, 3, 1, tzinfo=UTC), 24) == datetime(2024, 2, 28, tzinfo=UTC)


async def stored(database: Database, admin, months: list[datetime], received: timedelta) -> None:
    events = [review(month + timedelta(days=2), n, f"c{n}", 3) for n, month in enumerate(months)]
    assert (await ingest_events(database, events, LEARNER, import_window=True)).counts["accepted"] == len(months)
    await admin.execute("alter table study_events disable trigger study_events_rows")
    await admin.execute("update study_events set received_at = $1", AT - received)
    await admin.execute("alter table study_events enable always trigger study_events_rows")


MONTHS = [datetime(2024, m, 1, tzinfo=UTC) for m in (8, 9, 10, 11, 12)]


@pytest.mark.integration
async def test_p22_due_months_are_dropped_after_the_checkpoint_and_noted(
    database: Database, settings: Settings, admin
) -> None:
    await stored(database, admin, MONTHS, timedelta(days=30))
    seen: list[tuple[datetime, int]] = []

    async def checkpoint(upper_at: datetime) -> None:
        seen.append((upper_at, await admin.fetchval("select count(*) from study_events")))

    dropped = await retain(settings, checkpoint, AT)
    assert seen == [(datetime(2024, 11, 1, tzinfo=UTC), 5)], "the checkpoint sees everything that is about to go"
    assert {name: n for name, n in dropped.items() if name.startswith("study_events")} == {
        "study_events_p2024_08": 1, "study_events_p2024_09": 1, "study_events_p2024_10": 1,
    }  # fmt: skip
    left = await admin.fetch("select event_ts from study_events order by 1")
    assert [row[0].month for row in left] == [11, 12]
    ledger = await admin.fetch("select parent, n_rows from retention_runs where parent = 'question_attempts'")
    assert [row["n_rows"] for row in ledger] == [1, 1, 1]
    assert await retain(settings, checkpoint, AT) == {}


@pytest.mark.integration
async def test_a_month_that_was_imported_lately_rests_for_a_week(database: Database, settings: Settings, admin) -> None:
    await stored(database, admin, MONTHS[:1], timedelta(days=2))

    async def checkpoint(_: datetime) -> None:
        pytest.fail("nothing is due")

    assert not [name for name in await retain(settings, checkpoint, AT) if "2024_08" in name]


@pytest.mark.integration
async def test_nothing_is_dropped_when_the_checkpoint_fails(database: Database, settings: Settings, admin) -> None:
    await stored(database, admin, MONTHS[:1], timedelta(days=30))

    async def checkpoint(_: datetime) -> None:
        raise RuntimeError("no room")

    with pytest.raises(RuntimeError, match="no room"):
        await retain(settings, checkpoint, AT)
    assert await admin.fetchval("select count(*) from study_events") == 1


@pytest.mark.integration
async def test_p23_a_long_query_finishes_and_ingest_is_not_held_up(
    database: Database, settings: Settings, admin
) -> None:
    await stored(database, admin, MONTHS[:1], timedelta(days=30))
    await admin.execute("begin")
    await admin.fetchval("select count(*) from study_events")

    async def checkpoint(_: datetime) -> None: ...

    dropping = asyncio.create_task(retain(settings, checkpoint, AT))
    await asyncio.sleep(0.3)
    loop = asyncio.get_running_loop()
    began = loop.time()
    result = await ingest_events(database, [review(AT - timedelta(days=2), 77, "c", 3)], LEARNER, import_window=True)
    stalled = loop.time() - began
    assert result.counts["accepted"] == 1
    assert stalled < 2.0
    assert await admin.fetchval("select count(*) from study_events_p2024_08") == 1, "the query still sees its rows"
    await admin.execute("commit")
    assert "study_events_p2024_08" in await dropping


@pytest.mark.integration
async def test_the_function_refuses_what_is_not_due_whoever_asks(database: Database, settings: Settings, admin) -> None:
    newest = await admin.fetchval(
        "select max(inhrelid::regclass::text) from pg_inherits where inhparent = 'study_events'::regclass"
    )
    with pytest.raises(asyncpg.CheckViolationError):
        await admin.fetchval("select drop_due_partition($1, now() + interval '5 years')", newest)
    with pytest.raises(asyncpg.UndefinedTableError):
        await admin.fetchval("select drop_due_partition('users', now())")
    async with database.write() as session:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await session.driver().fetchval("select drop_due_partition('x', now())")


async def received_before(admin, rest: timedelta) -> None:
    await admin.execute("alter table study_events disable trigger study_events_rows")
    await admin.execute("update study_events set received_at = now() - $1::interval", rest)
    await admin.execute("alter table study_events enable always trigger study_events_rows")


@pytest.mark.integration
async def test_p22_the_job_keeps_what_was_folded_and_counted_before_the_events_go(
    database: Database, settings: Settings, admin
) -> None:
    """Also what nobody had folded or counted yet; afterwards replay is equal, and goes on from the checkpoint."""
    await small_catalogue(database)
    start = recently(85)
    await send(database, history(20, start=start))
    await received_before(admin, timedelta(days=8))
    async with Database.open(settings.model_copy(update={"retention_months": 1})) as short:
        await night_of(short).run("retention", again=True)
        assert await admin.fetchval("select count(*) from study_events") == 0, "unknown: nothing was dropped"
        gone = await admin.fetch("select n_rows, dropped_at from retention_runs where parent = 'study_events'")
        assert sum(row["n_rows"] for row in gone) == 7 * 20
        kept = await admin.fetchval("select max(written_at) from state_checkpoints where user_id = $1", LEARNER)
        assert kept <= min(row["dropped_at"] for row in gone)
        days = await admin.fetch("select local_date, questions, reviews from daily_user_stats order by 1")
        assert [(row["questions"], row["reviews"]) for row in days] == [(4, 2)] * 20
        assert await admin.fetchval("select sum(questions_attempted) from topic_mastery") > 0
        await send(short, history(3, start=recently(10)))
        await live.drain(short, Live(short, analytics()))
        await drain(short, analytics())
        assert await admin.fetchval("select count(*) from daily_user_stats where questions = 4") == 23
        report = as_json(await Replay(short, analytics()).verify())
        assert report["equal"], report


@pytest.mark.integration
async def test_p22_a_month_is_due_two_years_and_a_day_after_its_end_and_not_a_moment_before(
    database: Database, settings: Settings, admin
) -> None:
    await stored(database, admin, MONTHS[:1], timedelta(days=300))
    over = datetime(2026, 9, 2, tzinfo=UTC)

    async def checkpoint(_: datetime) -> None: ...

    for at, dropped in ((over - timedelta(microseconds=1), False), (over, True)):
        found = await retain(settings, checkpoint, at)
        assert ("study_events_p2024_08" in found) is dropped, at


@pytest.mark.integration
async def test_p22_an_imported_month_goes_seven_days_after_its_import(
    database: Database, settings: Settings, admin
) -> None:
    await stored(database, admin, MONTHS[:1], timedelta(days=7))

    async def checkpoint(_: datetime) -> None: ...

    assert "study_events_p2024_08" not in await retain(settings, checkpoint, AT)
    assert "study_events_p2024_08" in await retain(settings, checkpoint, AT + timedelta(microseconds=1))
