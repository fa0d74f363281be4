"""A card that its learner has taken out of review is due on no day, in no plan, and back when it is taken up again."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, date, timedelta
from typing import Any

import pytest
from tests.support.learning import LEARNER, START, derived, event, history, review, send, small_catalogue

from osler.analytics.mastery.tables import topic_mastery
from osler.analytics.registry import analytics
from osler.analytics.retrieval.pages import calendar, overview
from osler.analytics.retrieval.tables import item_memory
from osler.analytics.states import fold_anew_who_reviewed
from osler.catalog import items
from osler.catalog.carried import Carried
from osler.catalog.writes import ensure_user
from osler.db.driver import Driver
from osler.db.engine import Database
from osler.eventlog import marks
from osler.eventlog.tombstones import KEY_NAME
from osler.ingest.importers.record import Entries
from osler.ingest.importers.report import ImportReport
from osler.ingest.importers.writing import write_cards, write_carried
from osler.live import draining
from osler.live.catch_up import Live
from osler.live.checkpointing import checkpoint_before
from osler.observe.keys import secret_key
from osler.worker.verifying import verify_now

pytestmark = pytest.mark.integration
CARDS = [f"c{n}" for n in range(5)]
LATER = START + timedelta(days=60)


async def studied(database: Database) -> Live:
    """Ten days of study; all cards lie under renal, which has other items as well, but for c4, alone in its topic."""
    await small_catalogue(database)
    await send(database, history(10))
    async with database.write() as session:
        topics = dict.fromkeys(CARDS[:4], ("renal",)) | {"c4": ("own.cards",)}
        await items.add_topics(session, {"own": "Own", "own.cards": "Own cards"}, source="test")
        await marks.mark_cards(session, LEARNER, await items.map_cards(session, LEARNER, topics, mapped_by="test"))
    live = Live(database, analytics())
    await live.catch_up(LEARNER)
    return live


async def suspend(database: Database, live: Live, *suspended: str) -> Sequence[str]:
    """Say which cards are suspended, as an import does; gives those of which that was new."""
    async with database.write() as session:
        changed = await items.tell_suspended(session, LEARNER, CARDS, suspended)
        await fold_anew_who_reviewed(session, LEARNER, changed)
    await live.catch_up(LEARNER)
    return changed


async def cards(database: Database) -> dict[str, Any]:
    rows = (await derived(database, [item_memory], LEARNER))["item_memory"]
    return {row["item_id"]: row for row in rows if row["item_kind"] == "card"}


async def topic(database: Database, topic_id: str) -> dict[str, Any]:
    rows = (await derived(database, [topic_mastery], LEARNER))["topic_mastery"]
    [row] = [row for row in rows if row["topic_id"] == topic_id]
    return row


def waits(row: dict[str, Any]) -> bool:
    return row["due_on"] is not None and row["sm2_next_review_at"] is not None


async def said(database: Database) -> tuple[int, int]:
    """What the pages say to be due by now: the overview, and the calendar."""
    async with database.read(primary=True) as session:
        found, _ = await overview(session, LEARNER, LATER)
        days = await calendar(session, LEARNER, LATER)
    return found["due"], sum(n for _, n in days["due"])


async def test_a_suspended_card_is_due_nowhere_and_counts_as_before(database: Database) -> None:
    live = await studied(database)
    before, due = await cards(database), await said(database)
    assert all(waits(row) for row in before.values())
    assert sorted(await suspend(database, live, "c0", "c4")) == ["c0", "c4"]
    after = await cards(database)
    assert [card for card in CARDS if not waits(after[card])] == ["c0", "c4"]
    assert await said(database) == (due[0] - 2, due[1] - 2)
    unchanged = {"due_on": 0, "sm2_next_review_at": 0}
    assert {card: row | unchanged for card, row in after.items()} == {c: r | unchanged for c, r in before.items()}
    assert (await verify_now(database)).report.equal


async def test_a_topic_waits_for_what_is_in_review_and_for_nothing_where_all_is_suspended(database: Database) -> None:
    live = await studied(database)
    own, renal = await topic(database, "own.cards"), await topic(database, "renal")
    assert own["next_review_on"] == (await cards(database))["c4"]["due_on"]
    await suspend(database, live, *CARDS)
    after = await topic(database, "own.cards")
    assert (after["next_review_on"], after["sm2_next_review_at"]) == (None, None)
    assert after["retrieval_strength"] == own["retrieval_strength"]
    assert (await topic(database, "renal"))["next_review_on"] >= renal["next_review_on"]


async def test_a_card_that_is_taken_up_again_is_due_as_if_it_had_never_been_away(database: Database) -> None:
    live = await studied(database)
    before = await cards(database)
    await suspend(database, live, "c1")
    assert await suspend(database, live) == ["c1"]
    assert await cards(database) == before
    assert await suspend(database, live) == [], "said twice it is no news, and nothing is folded anew"


async def test_a_review_of_a_suspended_card_teaches_and_calls_for_none(database: Database) -> None:
    live = await studied(database)
    await suspend(database, live, "c2")
    n = (await cards(database))["c2"]["attempts"]
    await send(database, [review(START + timedelta(days=12), 5_000, "c2", 3)])
    caught = await live.catch_up(LEARNER)
    assert not caught.is_refold
    row = (await cards(database))["c2"]
    assert (row["attempts"], row["due_on"]) == (n + 1, None)


async def test_a_card_that_was_deleted_before_it_was_known_has_a_row_and_no_topic(database: Database) -> None:
    await studied(database)
    async with database.write() as session:
        assert await items.tell_suspended(session, LEARNER, CARDS, ["gone"]) == ["gone"]
        [row] = await session.driver().fetch("select * from cards where card_id = 'gone'")
    assert (row["topic_ids"], row["mapped_by"], row["is_suspended"]) == ([], None, True)


@pytest.mark.parametrize("suspended", [(), ("c0", "c3")])
async def test_what_a_checkpoint_kept_follows_what_was_suspended_since(
    database: Database, suspended: tuple[str, ...]
) -> None:
    live = await studied(database)
    whole = await cards(database)
    await suspend(database, live, "c3")
    assert await checkpoint_before(database, analytics(), live, START + timedelta(days=20)) == 1
    await suspend(database, live, *suspended)
    after = await cards(database)
    assert {card for card, row in after.items() if not waits(row)} == set(suspended)
    back = {card: row["due_on"] for card, row in after.items() if row["due_on"] is not None}
    assert all(isinstance(day, date) for day in back.values())
    assert {card: whole[card]["due_on"] for card in back if card != "c3"} == {
        c: d for c, d in back.items() if c != "c3"
    }
    assert (await verify_now(database)).report.equal


async def test_a_card_whose_reviews_have_left_the_log_is_suspended_as_any_other(
    database: Database, admin: Driver
) -> None:
    await small_catalogue(database)
    live, old = Live(database, analytics()), START.replace(day=1) - timedelta(days=20)
    await send(database, history(30, start=old))
    for day in (0, 2, 7):
        await send(database, [review(old + timedelta(days=day, hours=2), 90_000 + day, "only-then", 3)])
    await draining.drain(database, live)
    await checkpoint_before(database, analytics(), live, START.replace(day=1, hour=0, tzinfo=UTC))
    for table in ("study_events", "question_attempts", "material_interactions"):
        await admin.execute(f"drop table {table}_p{old:%Y_%m}")
    assert waits((await cards(database))["only-then"])
    gone = Entries(suspended=frozenset(["only-then"]))
    async with database.write() as session:
        await write_cards(session, gone, source="anki", owner=LEARNER, notes=[])
    await draining.drain(database, live)
    assert not waits((await cards(database))["only-then"])
    assert (await verify_now(database)).report.tables["item_memory"].equal


async def test_a_suspended_topic_waits_for_nothing_where_one_of_its_cards_was_set_back(database: Database) -> None:
    live = await studied(database)
    async with database.write() as session:
        moved = await items.map_cards(session, LEARNER, dict.fromkeys(CARDS, ("own.cards",)), mapped_by="test")
        await marks.mark_cards(session, LEARNER, moved)
    await send(database, [event(START + timedelta(days=12), 7_000, "flashcard_reset", {"card_id": "c0"})])
    await suspend(database, live, *CARDS)
    own = await topic(database, "own.cards")
    assert (own["next_review_on"], own["sm2_next_review_at"]) == (None, None)


async def test_a_card_that_an_export_brings_after_its_reviews_is_as_the_export_says(database: Database) -> None:
    await small_catalogue(database)
    live = Live(database, analytics())
    await send(database, history(5))
    await live.catch_up(LEARNER)
    brought = Carried("cards", LEARNER, {"card_id": "c1", "topic_ids": ["renal"], "is_suspended": True})
    async with database.write() as session:
        key = secret_key(database.settings.home, KEY_NAME)
        await write_carried(session, [brought], ImportReport("jsonl", notes=[]), key)
    await draining.drain(database, live)
    assert not waits((await cards(database))["c1"])
    assert (await verify_now(database)).report.equal


async def test_the_first_review_of_a_card_waits_for_the_import_that_brings_it(
    database: Database, admin: Driver
) -> None:
    live = await studied(database)
    brought = Entries(cards={"new": ("renal",)}, suspended=frozenset(["new"]))
    await send(database, [review(START + timedelta(days=12), 7_000, "new", 3)])
    async with database.write() as session:
        await write_cards(session, brought, source="anki", owner=LEARNER, notes=[])
        fold = asyncio.create_task(live.catch_up(LEARNER))  # as another process would, which sees no new card yet
        async with asyncio.timeout(30):
            while not await admin.fetchval("select count(*) from pg_locks where locktype = 'advisory' and not granted"):
                await asyncio.sleep(0.02)
    await fold
    await draining.drain(database, live)
    assert not waits((await cards(database))["new"])
    assert (await verify_now(database)).report.equal


async def test_a_deck_of_many_suspended_cards_is_told_in_no_time_by_a_plan_for_any_deck(database: Database) -> None:
    deck = [str(n) for n in range(30_000)]
    async with database.write() as session:
        await ensure_user(session, LEARNER)
        await items.map_cards(session, LEARNER, dict.fromkeys(deck, ("renal",)), mapped_by="test")
    async with database.write(statement_timeout_seconds=3, keeps_plans=True) as session:
        assert len(await items.tell_suspended(session, LEARNER, deck, deck[5_000:])) == 25_000
