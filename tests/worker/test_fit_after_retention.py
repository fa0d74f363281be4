"""A fit, a promotion and a refold where the older months have left the log: they go on from the checkpoint's states."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from tests.support.learning import LEARNER, answer, history, review
from tests.support.nightly import enrol, exam_catalogue, recently
from tests.support.planted import accepted_counts

from osler.analytics.registry import analytics
from osler.analytics.states import declare_stale
from osler.db.driver import Driver
from osler.db.engine import Database
from osler.eventlog import checkpoints
from osler.ingest.intake import ingest_events
from osler.live import draining
from osler.live.catch_up import Live
from osler.live.checkpointing import checkpoint_before
from osler.live.replay import as_json
from osler.live.restoring import CHECKPOINT
from osler.worker.night import Night, night_of
from osler.worker.verifying import verify_now

pytestmark = pytest.mark.integration

LONG_AGO = 27 * 31
DAYS = 45
HOW = ("missing", "unexpected", "different")


def forgetful(first: datetime, number: int, days: int = DAYS) -> list[dict[str, Any]]:
    """Reviews of the same five cards, nearly always forgotten after a day: nothing like the population. And answers."""
    made = []
    for day in range(days):
        at = first + timedelta(days=day)
        for n in range(5):
            rating = 3 if (day * 7 + n) % 10 == 0 else 1
            made.append(review(at + timedelta(minutes=n), number + 100 * day + n, f"c{n}", rating))
        made.append(answer(at + timedelta(minutes=9), number + 100 * day + 9, f"q{day % 12}", right=day % 3 > 0))
    return made


async def sent(database: Database, events: list[dict[str, Any]]) -> None:
    result = await ingest_events(database, events, LEARNER, import_window=True)
    assert result.counts["accepted"] == len(events), result.codes


async def equal_now(database: Database, step: str) -> None:
    found = as_json((await verify_now(database)).report)
    unequal = {name: table for name, table in found["tables"].items() if any(table[how] for how in HOW)}  # type: ignore[attr-defined]
    assert found["equal"], f"{step} {unequal}"


async def one(database: Database, statement: str) -> Any:
    async with database.read(primary=True) as session:
        return await session.scalar(sa.text(statement))


async def ran(night: Night, *names: str) -> None:
    for name in names:
        assert await night.run(name, again=True) == "succeeded", name


STABILITY = "select fsrs_stability from item_memory where item_id = 'only-then'"


async def test_a_fit_and_a_refold_go_on_from_the_states_that_retention_kept(database: Database, admin: Driver):
    await exam_catalogue(database)
    await enrol(database, exam_on=recently(-40).date())
    old = recently(LONG_AGO)
    await sent(database, forgetful(old, 1_000))
    await sent(
        database, [review(old + timedelta(days=day, hours=1), 90_000 + day, "only-then", 3) for day in (0, 2, 7)]
    )
    await sent(database, forgetful(recently(DAYS + 1), 20_000))
    await equal_now(database, "folded")
    then, logged = await one(database, STABILITY), await one(database, "select count(*) from study_events")

    await admin.execute("alter table study_events disable trigger study_events_rows")
    await admin.execute("update study_events set received_at = received_at - interval '30 days'")
    await admin.execute("alter table study_events enable always trigger study_events_rows")
    night = night_of(database)
    await ran(night, "retention")
    left = await one(database, "select count(*) from study_events")
    assert logged - left == 6 * DAYS + 3, "unknown: the old months did not leave the log"
    await equal_now(database, "retained")

    async with database.read(primary=True) as session:
        kept = await checkpoints.latest(session, LEARNER, CHECKPOINT)
    assert kept is not None
    await ran(night, "fit_memory")
    fitted = await one(database, "select version from memory_parameters")
    verdicts = await one(database, "select array[fsrs_verdict, sbd_verdict] from memory_parameters")
    assert "accepted" in verdicts, verdicts
    assert await one(database, STABILITY) == then, "what has left the log stays as the older parameters had it"
    own = await one(database, "select states->'retrieval'->'own'->>'version' from learner_states")
    assert own == fitted
    await equal_now(database, "fitted")

    await accepted_counts(database, 1.0)
    await ran(night, "promote_fits")
    await equal_now(database, "promoted")
    await ran(night, "refold")
    served = await one(database, "select version from models where task = 'parameters'")
    assert await one(database, "select parameter_version from learner_states") == served != kept.parameter_version
    await equal_now(database, "refolded under what was promoted")

    await sent(database, history(3, start=recently(0) - timedelta(hours=40))[:12])
    await equal_now(database, "studied on")
    late = recently(DAYS - 5) + timedelta(hours=5)  # after the checkpoint, before what was folded: folded anew from it
    await sent(database, [review(late, 95_000, "only-then", 4)])
    await equal_now(database, "a late review of what was kept")
    assert await one(database, STABILITY) > then


async def test_too_few_reviews_since_the_cut_keep_what_those_before_it_taught(database: Database, admin: Driver):
    await exam_catalogue(database)
    await enrol(database, exam_on=recently(-40).date())
    first = recently(110).replace(day=3)
    edge = (first.replace(day=1, hour=0) + timedelta(days=32)).replace(day=1)
    await sent(database, forgetful(first, 1_000, days=25))
    live, night = Live(database, analytics()), night_of(database)
    await draining.drain(database, live)
    await ran(night, "fit_memory")
    weights = await one(database, "select fsrs || sbd from memory_parameters")
    assert "accepted" in await one(database, "select array[fsrs_verdict, sbd_verdict] from memory_parameters")

    await sent(database, forgetful(edge + timedelta(days=2, hours=9), 20_000, days=8))
    await draining.drain(database, live)
    assert await checkpoint_before(database, analytics(), live, edge) == 1
    for table in ("study_events", "question_attempts", "material_interactions"):
        await admin.execute(f"drop table {table}_p{first:%Y_%m}")
    await ran(night, "fit_memory")
    assert await one(database, "select array[fsrs_verdict, sbd_verdict] from memory_parameters") == ["too_few"] * 2
    assert await one(database, "select fsrs || sbd from memory_parameters") == weights
    await equal_now(database, "fitted to what is left")


async def test_a_second_checkpoint_under_the_fit_goes_on_from_the_first_under_the_population(
    database: Database, admin: Driver
):
    await exam_catalogue(database)
    await enrol(database, exam_on=recently(-40).date())
    first = recently(110).replace(day=3)
    await sent(database, forgetful(first, 1_000, days=90))
    live, night = Live(database, analytics()), night_of(database)
    for months in (1, 2):
        edge = first.replace(day=1, hour=0)
        for _ in range(months):
            edge = (edge + timedelta(days=32)).replace(day=1)
        await draining.drain(database, live)
        assert await checkpoint_before(database, analytics(), live, edge) == 1
        gone = edge - timedelta(days=1)
        for table in ("study_events", "question_attempts", "material_interactions"):
            await admin.execute(f"drop table {table}_p{gone:%Y_%m}")
        async with database.write() as session:
            await declare_stale(session, [LEARNER])
        await ran(night, "fit_memory")
        await equal_now(database, f"checkpoint {months}")
    async with database.read(primary=True) as session:
        kept = await checkpoints.latest(session, LEARNER, CHECKPOINT)
    assert kept is not None
    [states] = kept.state["learner_states"]
    assert states["states"]["retrieval"]["own"]["version"] == await one(
        database, "select version from memory_parameters"
    )
