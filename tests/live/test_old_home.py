"""R03: what an older Osler left is opened by this one: migrated, folded and counted anew, and equal to its replay."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from tests.conftest import Cluster
from tests.support.learning import LEARNER, OTHER, START, answer, derived, history, send
from tests.support.old_home import restore_home
from tests.support.web import serving

from osler.analytics.efficiency.tables import daily_user_stats
from osler.analytics.mastery.tables import topic_mastery
from osler.analytics.registry import analytics
from osler.analytics.states import learner_states
from osler.db.connect import connect_plainly
from osler.db.engine import Database
from osler.db.history import HEAD
from osler.db.migrate import migrate
from osler.errors import Unavailable
from osler.eventlog import marks
from osler.live.catch_up import Live
from osler.live.draining import drain, stale
from osler.live.learners import FOLD_VERSION
from osler.live.replay import Replay, as_json
from osler.rollups.draining import drain as drain_counts
from osler.rollups.draining import owe_everything
from osler.settings import Settings

pytestmark = pytest.mark.integration

SAID = Path(__file__).parents[1] / "golden" / "derived.json"
AS_OF = datetime(2026, 9, 22, 2, tzinfo=UTC)
OLD = "0006"


@pytest.fixture
async def old(cluster: Cluster, tmp_path: Path) -> AsyncIterator[Settings]:
    """Settings of a database that an older Osler has left, its schema not migrated yet."""
    name = f"old_{secrets.token_hex(6)}"
    await cluster.create(name)
    await restore_home(cluster, name, OLD)
    yield cluster.settings(name, home=tmp_path)
    await cluster.drop(name)


async def versions(database: Database) -> dict[Any, int]:
    async with database.read(primary=True) as session:
        rows = await session.rows(sa.select(learner_states.c.user_id, learner_states.c.fold_version))
    return {row["user_id"]: row["fold_version"] for row in rows}


async def brought_up(database: Database) -> None:
    await drain(database, Live(database, analytics()))
    await drain_counts(database, analytics(), as_of=AS_OF)


async def test_r03_an_old_home_is_migrated_folded_anew_and_goes_on(old: Settings) -> None:
    assert await migrate(old) == (OLD, HEAD)
    async with Database.open(old) as database:
        assert await versions(database) == {LEARNER: 0, OTHER: 0}
        async with database.write() as session:  # as if older code had folded and counted otherwise than this one
            await session.execute(sa.update(topic_mastery).values(skill_mean=3.0))
            await session.execute(sa.update(daily_user_stats).values(questions=99))
            await session.execute(sa.text("delete from dirty_days"))
            assert set(await stale(session)) == {LEARNER, OTHER}
        await brought_up(database)
        assert await versions(database) == {LEARNER: FOLD_VERSION, OTHER: FOLD_VERSION}
        assert {row["skill_mean"] for row in await rows(database, topic_mastery)}.isdisjoint({3.0})
        counted = {row["local_date"]: row["questions"] for row in await rows(database, daily_user_stats)}
        assert set(counted.values()) == {4}
        report = as_json(await Replay(database, analytics()).verify())
        assert report["equal"], report
        assert report["learners"] == 2
        await send(database, history(25)[7 * 20 :], OTHER)
        await brought_up(database)
        report = as_json(await Replay(database, analytics()).verify())
        assert report["equal"], report
    async with serving(old) as web:
        web.learner = LEARNER
        for page in ("dashboard", "mastery", "retrieval", "knowledge-gaps", "exam-readiness"):
            found = await web.get(f"/api/analytics/{page}")
            assert found.status_code == 200, (page, found.text)
            assert found.json()["state"] != "first_use", page


async def rows(database: Database, table: sa.Table) -> list[dict[str, Any]]:
    return (await derived(database, [table], LEARNER))[table.name]


async def cut_in_mid_day(settings: Settings) -> int:
    """The log of the learner with a checkpoint begins in the middle of a day: where a month's edge falls into it."""
    assert settings.owner_database_url is not None
    admin = await connect_plainly(settings.owner_database_url.get_secret_value())
    try:
        await admin.execute("set role osler_owner")
        oldest = "select event_id from study_events where user_id = $1 order by event_ts limit 3"
        first = await admin.fetchval(f"select array_agg(event_id) from ({oldest}) e", OTHER)
        for table in ("question_attempts", "material_interactions", "study_events"):
            await admin.execute(f"alter table {table} disable trigger {table}_rows")
            query = f"with d as (delete from {table} where user_id = $1 and event_id = any($2) returning 1)"
            gone: int = await admin.fetchval(f"{query} select count(*) from d", OTHER, first)
            await admin.execute(f"alter table {table} enable always trigger {table}_rows")
    finally:
        await admin.close()
    return gone


async def test_r03_days_that_the_log_no_longer_holds_whole_keep_their_counts(old: Settings) -> None:
    await migrate(old)
    assert await cut_in_mid_day(old) == 3
    async with Database.open(old) as database:
        before = (await derived(database, [daily_user_stats], OTHER))["daily_user_stats"]
        await brought_up(database)
        async with database.write() as session:  # as `osler replay` does
            await owe_everything(session, analytics())
        await drain_counts(database, analytics(), as_of=AS_OF)
        after = (await derived(database, [daily_user_stats], OTHER))["daily_user_stats"]
    assert before[0]["local_date"] == START.date()
    kept = [row["questions"] for row in after]
    assert kept[: len(before)] == [row["questions"] for row in before]
    assert len(kept) == 20


async def test_a_state_of_a_shape_that_nobody_knows_any_more_is_made_anew(old: Settings) -> None:
    await migrate(old)
    async with Database.open(old) as database:
        async with database.write() as session:
            await session.execute(sa.update(learner_states).values(states={"mastery": [1], "retrieval": "gone"}))
        await send(database, [answer(START.replace(day=25), 900, "q1", right=True)])
        caught = await Live(database, analytics()).catch_up(LEARNER)
        assert caught.is_refold


async def test_what_a_newer_osler_has_folded_is_left_alone(old: Settings) -> None:
    await migrate(old)
    async with Database.open(old) as database:
        live = Live(database, analytics())
        await drain(database, live)
        async with database.write() as session:
            await session.execute(sa.update(learner_states).values(fold_version=FOLD_VERSION + 1))
        before = await rows(database, topic_mastery)
        await send(database, [answer(START.replace(day=25), 900, "q1", right=True)])
        with pytest.raises(Unavailable, match="newer Osler"):
            await live.catch_up(LEARNER)
        assert await rows(database, topic_mastery) == before
        async with database.read(primary=True) as session:
            assert await marks.learners(session, marks.LIVE) == [LEARNER]
            assert LEARNER not in await stale(session)


async def test_the_version_of_the_folds_rises_when_the_same_log_says_something_else(old: Settings) -> None:
    """Else nobody would be folded anew after an upgrade. `OSLER_WRITE_GOLDEN=1` writes the file again."""
    await migrate(old)
    async with Database.open(old) as database:
        await brought_up(database)
        found = {"version": FOLD_VERSION, "tables": await said(database)}
    if os.environ.get("OSLER_WRITE_GOLDEN"):
        SAID.write_text(json.dumps(found, indent=2) + "\n")
    known = json.loads(SAID.read_text())
    unlike = sorted(name for name in found["tables"] if found["tables"][name] != known["tables"].get(name))
    assert not unlike or known["version"] != FOLD_VERSION, (
        f"{unlike} come out otherwise than before: raise FOLD_VERSION in osler/live/learners.py by one, "
        "then write tests/golden/derived.json again with OSLER_WRITE_GOLDEN=1"
    )
    assert found == known, "write tests/golden/derived.json again with OSLER_WRITE_GOLDEN=1"


async def said(database: Database) -> dict[str, str]:
    """A digest of each derived table of the learner with the whole log; floats to six digits."""
    tables = [found for analytic in analytics() for found in analytic.tables]
    every = await derived(database, [found.table for found in tables], LEARNER)
    aside = {found.table.name: {*found.ignore, "fold_version"} for found in tables}
    digests: dict[str, str] = {}
    for name, rows in every.items():
        kept = [{key: rough(value) for key, value in row.items() if key not in aside[name]} for row in rows]
        digests[name] = hashlib.sha256(json.dumps(kept, sort_keys=True, default=str).encode()).hexdigest()[:16]
    return digests


def rough(value: Any) -> Any:
    if isinstance(value, float):
        return f"{value:.6g}" if abs(value) > 1e-9 else "0"
    if isinstance(value, dict):
        return {key: rough(inner) for key, inner in value.items()}
    return [rough(inner) for inner in value] if isinstance(value, list | tuple) else value
