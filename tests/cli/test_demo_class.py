"""The sample class: made once, gone on with after a stop, used as it is by a start that asks for another size."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from osler.cli import demo, demo_class
from osler.cli.demo_class import Wanted, prepare
from osler.db.engine import Database
from osler.errors import Unavailable
from osler.privacy.erasure import erase
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


async def test_after_an_erasure_inside_the_class_it_goes_on_without_that_person(
    database: Database, monkeypatch, capsys
):
    async def nothing(db):
        pass

    monkeypatch.setattr(demo_class, "_compute", nothing)
    asked = Wanted(3, 3, 0.3, 7, reset=False)
    before = await prepare(database, asked)
    users, events, _ = await figures(database)
    await erase(database.settings, before.learners[0])
    capsys.readouterr()
    people = await prepare(database, asked)
    assert "the sample class is here: 2 learners (1 erased), studying since" in capsys.readouterr().out
    assert set(people.learners) == set(before.learners[1:])
    assert (people.educator, people.admin) == (before.educator, before.admin)
    assert (await figures(database))[0] == users - 1, "the erased are not met again"
    assert (await figures(database))[1] < events

    await erase(database.settings, before.educator)
    assert "the sample class is here: 2 learners (2 erased)" in await said(database, asked, capsys)
    signed_in = demo._sign_ins(database.settings, await prepare(database, asked))
    assert set(signed_in) == {"learner", "program_admin"}, "there is no link for who cannot sign in"
    assert "another sample class is here and is used: 2 learners" in await said(
        database, Wanted(5, 3, 0.3, 7, reset=False), capsys
    )
    for user_id in people.learners:
        await erase(database.settings, user_id)
    assert len((await prepare(database, asked)).learners) == 3, "a class without learners gives way to a new one"
    assert (await figures(database))[0] == 5


async def test_a_stopped_class_is_gone_on_with_after_an_erasure_inside_it(database: Database, monkeypatch, capsys):
    async def nothing(db):
        pass

    sent, left = sample_class.ingest_events, [2]

    async def stops(db, events, user_id, **options):
        left[0] -= 1
        if left[0] < 0:
            raise Unavailable("stopped")
        return await sent(db, events, user_id, **options)

    monkeypatch.setattr(demo_class, "_compute", nothing)
    monkeypatch.setattr(sample_class, "ingest_events", stops)
    asked = Wanted(4, 3, 0.3, 7, reset=False)
    with pytest.raises(Unavailable):
        await prepare(database, asked)
    async with database.read(primary=True) as s:
        there = await existing_class(s)
    assert there is not None
    await erase(database.settings, there.learners[0])
    monkeypatch.setattr(sample_class, "ingest_events", sent)
    people = await prepare(database, asked)
    assert "going on with the sample class: 1 of 3 learners were sent" in capsys.readouterr().out
    assert len(people.learners) == 3


async def said(database: Database, asked: Wanted, capsys) -> str:
    capsys.readouterr()
    await prepare(database, asked)
    return capsys.readouterr().out


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
    assert (existing.edition, set(existing.learners)) == (2, set(after.learners))
