"""P01, P02, E14: an erased learner leaves nothing, wherever the erasure was stopped on its way."""

import asyncio
import json
import time
import uuid
from datetime import timedelta

import pytest
from pydantic import SecretStr
from tests.support.learning import LEARNER, OTHER, START, history, review, send, small_catalogue
from tests.support.matrix import count
from tests.support.web import Web

from osler.analytics.registry import analytics
from osler.catalog.own_learner import own_learner
from osler.db.engine import Database
from osler.ingest.intake import ingest_events
from osler.live.catch_up import Live
from osler.privacy.erasure import erase, unfinished
from osler.privacy.scan import scan
from osler.privacy.tables import STATES
from osler.rollups.draining import drain
from osler.settings import Settings

pytestmark = [pytest.mark.integration, pytest.mark.fault]

N_EVENTS = count("P01", "events")


async def studied(database: Database, *learners: uuid.UUID) -> None:
    await small_catalogue(database)
    live = Live(database, analytics())
    for learner in learners:
        await send(database, history(5), learner)
        await live.catch_up(learner)


async def count_all(admin, learner: uuid.UUID) -> dict[str, int]:
    return (await scan(admin, learner)).hits


async def test_p01_erasing_a_learner_of_24_months_is_quick_and_complete(
    database: Database, settings: Settings, admin
) -> None:
    await studied(database, OTHER)
    months = [START.replace(year=2024 + (8 + back) // 12, month=(8 + back) % 12 + 1, day=2) for back in range(24)]
    events = [
        review(months[n % 24] + timedelta(seconds=20 * n), n, f"c{n % 200}", 1 + n % 4) for n in range(N_EVENTS)
    ]  # fmt: skip
    for start in range(0, N_EVENTS, 5_000):
        part = events[start : start + 5_000]
        assert (await ingest_events(database, part, LEARNER, import_window=True)).counts["accepted"] == len(part)
    await Live(database, analytics()).catch_up(LEARNER)
    await drain(database, analytics())
    before = await count_all(admin, LEARNER)
    partitions = await admin.fetchval(
        "select count(distinct tableoid) from study_events where user_id = $1", LEARNER
    )  # fmt: skip
    assert partitions == 24
    assert before["study_events"] == before["question_attempts"] == N_EVENTS
    assert len(before) >= 5, "derived tables must hold something to be erased"
    untouched = await count_all(admin, OTHER)

    began = time.monotonic()
    certificate = await erase(settings, LEARNER)
    took = time.monotonic() - began

    assert took < 60
    assert certificate.state == "certified"
    assert certificate.deleted_rows["study_events"] == N_EVENTS
    assert certificate.scanned_tables >= 30
    assert await count_all(admin, LEARNER) == {}
    assert await count_all(admin, OTHER) == untouched
    ledger = await admin.fetchrow("select * from erasures")
    assert (ledger["state"], ledger["open_user_id"]) == ("certified", None)


class StoppedError(Exception):
    """What stands for a killed process: nothing after it runs."""


@pytest.mark.parametrize("stop", STATES[1:-1])
async def test_p02_stopped_after_any_step_it_goes_on_and_ingest_is_closed_from_the_first(
    database: Database, settings: Settings, admin, stop: str
) -> None:
    await studied(database, LEARNER, OTHER)
    untouched = await count_all(admin, OTHER)

    async def kill(state: str) -> None:
        if state == stop:
            raise StoppedError

    with pytest.raises(StoppedError):
        await erase(settings, LEARNER, on_step=kill)
    assert await admin.fetchval("select state from erasures") == stop
    assert await unfinished(settings) == [LEARNER]
    late = await ingest_events(database, [review(START + timedelta(days=40), 9_999, "late", 3)], LEARNER)
    assert late.counts["refused"] == 1
    assert dict(late.codes) == {"subject.erased": 1}
    certificate = await erase(settings, LEARNER)
    assert certificate.deleted_rows["study_events"] == 35
    assert await count_all(admin, LEARNER) == {}
    assert await count_all(admin, OTHER) == untouched
    assert await unfinished(settings) == []


async def test_p02_twice_and_unknown_are_dull(database: Database, settings: Settings, admin) -> None:
    await studied(database, LEARNER)
    first = await erase(settings, LEARNER)
    second = await erase(settings, LEARNER)
    assert first.erasure_id == second.erasure_id
    assert second.deleted_rows == first.deleted_rows
    nobody = uuid.uuid4()
    unknown = await erase(settings, nobody)
    assert (unknown.was_known, unknown.deleted_rows) == (False, {})
    late = await ingest_events(database, [review(START, 1, "c", 3)], nobody)
    assert late.counts["refused"] == 1
    assert await admin.fetchval("select count(*) from erasures") == 2


async def test_p02_the_installations_own_learner_is_somebody_else_after_their_erasure(
    database: Database, settings: Settings
) -> None:
    own = own_learner(settings.home)
    await studied(database, own, LEARNER)
    await erase(settings, LEARNER)
    assert own_learner(settings.home) == own, "another's erasure changes nothing"
    await erase(settings, own)
    hits = [path for path in settings.home.rglob("*") if path.is_file() and str(own).encode() in path.read_bytes()]
    assert hits == [], "nothing in the home names them"
    assert own_learner(settings.home) != own
    taken = await ingest_events(database, [review(START, 1, "c", 3)], own_learner(settings.home))
    assert taken.counts["accepted"] == 1


async def test_the_scan_finds_a_person_in_a_table_that_nobody_declared(
    database: Database, settings: Settings, admin
) -> None:
    await admin.execute("create table forgotten (id int, note jsonb, tags text[])")
    await admin.execute("grant select on forgotten to osler_eraser")
    await admin.execute("insert into forgotten values (1, $1, '{}')", json.dumps({"who": LEARNER.hex}))
    assert await count_all(admin, LEARNER) == {"forgotten": 1}
    with pytest.raises(Exception, match="forgotten"):
        await erase(settings, LEARNER)
    await admin.execute("update forgotten set note = '{}', tags = array[$1]", str(LEARNER).upper())
    assert await count_all(admin, LEARNER) == {"forgotten": 1}
    await admin.execute("drop table forgotten")
    assert (await erase(settings, LEARNER)).state == "certified"


async def test_an_erased_person_cannot_sign_in_again_and_is_blanked_in_the_audit(web: Web, admin) -> None:
    assert (await web.get("/api/me")).status_code == 200
    await admin.execute(
        "insert into access_audit (actor_id, role, action, purpose, subject_id, result, request_id) "
        "values ($1, 'learner', 'x', 'unstated', $1, 'denied', 'r')",
        web.learner,
    )
    await erase(web.settings, web.learner)
    async with asyncio.timeout(30):  # half of what a process remembers a token for
        while (answer := await web.get("/api/me")).status_code != 403:
            await asyncio.sleep(0.01)
    assert (answer.status_code, answer.json()["code"]) == (403, "subject.erased")
    assert await count_all(admin, web.learner) == {}
    assert await admin.fetchval("select count(*) from access_audit where actor_id is null and subject_id is null") == 1


async def test_caches_in_redis_forget_the_learner(web: Web, redis_server, admin) -> None:
    settings = web.settings.model_copy(update={"redis_url": SecretStr(redis_server.url)})
    with redis_server.client() as client:
        client.set(f"osler:c:{web.learner}:mastery:x", json.dumps({"subject": str(web.learner)}))
        client.set(f"osler:g:{web.learner}", "g")
        client.set(f"osler:c:{OTHER}:mastery:x", "kept")
        await erase(settings, web.learner)
        assert client.keys("*") == [f"osler:c:{OTHER}:mastery:x".encode()]
