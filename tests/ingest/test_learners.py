"""What is remembered of a learner is compared by the append: whoever changes is concluded anew in the same request."""

from __future__ import annotations

from uuid import UUID

import pytest
from tests.support.sending import codes, fresh_database, sending  # noqa: F401
from tests.support.wire_events import batch, event, learner, now_ms

from osler.domain.clock_rules import instant_of
from osler.domain.identity import uuid7_ms
from osler.eventlog.tombstones import KEY_NAME, subject_mac
from osler.ingest.learners import KnownLearners
from osler.ingest.work import Sender
from osler.observe.keys import secret_key

pytestmark = pytest.mark.integration
ZONES = "select zone_source, utc_offset_minutes from study_events where event_id = $1"


@pytest.fixture
def send(database):
    return sending(database)


@pytest.fixture
def forgotten(monkeypatch):
    """Whom the append found changed."""
    found = []

    def forget(self, user_ids):
        found.extend(user_ids)
        for user_id in user_ids:
            self._kept.pop(user_id, None)

    monkeypatch.setattr(KnownLearners, "forget", forget)
    return found


def at_home():
    """An event whose clock does not say where it was."""
    made = event(ms=now_ms())
    made.pop("tz", None)
    return made | {"occurred_at": _utc(uuid7_ms(UUID(made["id"])))}


def _utc(ms):
    return instant_of(ms * 1000).isoformat(timespec="milliseconds").replace("+00:00", "Z")


async def test_who_has_not_changed_is_asked_once(send, forgotten, monkeypatch):
    user = learner()
    for _ in range(3):
        assert codes(await send(batch([at_home()]), user)) == ["accepted"]
    assert forgotten == []
    monkeypatch.setattr("osler.ingest.learners._LEARNERS", "select 1/0")
    assert codes(await send(batch([at_home()]), user)) == ["accepted"]


async def test_a_zone_that_was_changed_counts_from_the_next_event_on(send, admin, forgotten):
    user, first, second = learner(), at_home(), at_home()
    await send(batch([first]), user)
    await send(batch([at_home()]), user)
    await admin.execute(
        "update users set time_zone = 'Asia/Kathmandu', day_start_minutes = 300 where user_id = $1", user
    )
    assert codes(await send(batch([second]), user)) == ["accepted"]
    assert tuple(await admin.fetchrow(ZONES, second["id"])) == ("learner", 345)
    assert set(forgotten) == {str(user)}


async def test_of_several_learners_one_that_changed_does_not_stop_the_others(send, admin, forgotten):
    users = [learner() for _ in range(3)]
    service = Sender(None, is_service=True, may_create=True)
    for _ in range(2):
        await send(batch([at_home() | {"user_id": str(user)} for user in users]), None, sender=service)
    await admin.execute("update users set time_zone = 'Asia/Kolkata' where user_id = $1", users[1])
    sent = [at_home() | {"user_id": str(user)} for user in users]
    assert codes(await send(batch(sent), None, sender=service)) == ["accepted"] * 3
    assert [(await admin.fetchrow(ZONES, one["id"]))[1] for one in sent] == [0, 330, 0]


@pytest.mark.usefixtures("forgotten")
async def test_a_new_checkpoint_holds_for_the_next_batch_also_an_atomic_one(send, admin):
    user, late = learner(), event(ms=now_ms() - 60_000)
    await send(batch([event()]), user)
    await send(batch([event()]), user)
    await admin.execute(
        "insert into state_checkpoints (user_id, analytic, parameter_version, event_ts, event_id, code_version, digest,"
        " state) values ($1, 'x', 'x', now() - interval '1 s', gen_random_uuid(), 'x', '', '{}')", user,
    )  # fmt: skip
    assert codes(await send(batch([event(), late]), user, atomic=True)) == ["batch.atomic_abort", "too_old"]
    assert codes(await send(batch([event(), late]), user)) == ["accepted", "too_old"]


async def test_who_was_erased_is_not_remembered_into_the_log(send, database, admin, forgotten):
    user = learner()
    await send(batch([event()]), user)
    await send(batch([event()]), user)
    mac = subject_mac(secret_key(database.settings.home, KEY_NAME), user)
    await admin.execute("insert into tombstones (subject_mac) values ($1)", mac)
    await admin.execute("delete from users where user_id = $1", user)
    assert codes(await send(batch([event()]), user)) == ["subject.erased"]
    assert forgotten == [str(user)]
    assert await admin.fetchval("select count(*) from users where user_id = $1", user) == 0
