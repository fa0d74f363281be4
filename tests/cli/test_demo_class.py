"""The sample class: made once, gone on with after a stop, used as it is by a start that asks for another size."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from osler.cli import demo_class
from osler.cli.demo_class import Wanted, prepare
from osler.db.engine import Database
from osler.errors import Unavailable
from osler.simulate import sample_class
from osler.simulate.sample_class import existing_class

pytestmark = pytest.mark.integration
SMALL = Wanted(learners=2, days=4, density=0.3, seed=7, reset=False)


async def figures(database: Database) -> tuple[int, int, int]:
    """Sample users, events, learners with habits."""
    async with database.read(primary=True) as s:
        counts = [
            await s.scalar(sa.text(query))
            for query in (
                "select count(*) from users where is_sample",
                "select count(*) from study_events",
                "select count(*) from learner_habits",
            )
        ]
    return counts[0], counts[1], counts[2]


async def test_a_stopped_start_is_gone_on_with_and_another_size_is_not_added(database: Database, monkeypatch, capsys):
    sent = sample_class.ingest_events

    async def stops(db, events, user_id, **options):
        async with db.read(primary=True) as s:
            found = await existing_class(s)
            if found is not None and found.learners:
                raise Unavailable("stopped")
        return await sent(db, events, user_id, **options)

    monkeypatch.setattr(sample_class, "ingest_events", stops)
    with pytest.raises(Unavailable):
        await prepare(database, SMALL)
    monkeypatch.setattr(sample_class, "ingest_events", sent)
    real, computed = demo_class._compute, []

    async def stops_before(db):
        computed.append(1)

    monkeypatch.setattr(demo_class, "_compute", stops_before)
    people = await prepare(database, SMALL)
    assert "going on with the sample class: 1 of 2" in capsys.readouterr().out
    users, events, habits = await figures(database)
    assert (users, habits) == (4, 0)
    monkeypatch.setattr(demo_class, "_compute", real)
    assert (await prepare(database, SMALL)).learners == people.learners
    assert await figures(database) == (4, events, 2)
    monkeypatch.setattr(demo_class, "_compute", stops_before)
    again = await prepare(database, Wanted(5, 9, 1.0, 8, reset=False))
    assert "another sample class is here and is used: 2 learners" in capsys.readouterr().out
    assert set(again.learners) == set(people.learners)
    assert again.educator == people.educator
    assert await figures(database) == (4, events, 2)
    assert computed == [1], "what was computed is not computed again"


async def test_a_fresh_class_takes_the_place_of_the_old(database: Database, monkeypatch):
    async def nothing(db):
        pass

    monkeypatch.setattr(demo_class, "_compute", nothing)
    before = await prepare(database, SMALL)
    after = await prepare(database, Wanted(3, 3, 0.3, 7, reset=True))
    assert not set(after.learners) & set(before.learners)
    assert (await figures(database))[0] == 5
    async with database.read(primary=True) as s:
        existing = await existing_class(s)
    assert existing is not None
    assert existing.is_whole
    assert (existing.edition, set(existing.learners)) == (2, set(after.learners))
