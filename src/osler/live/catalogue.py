"""What the catalogue says of the items and materials that a batch of events is about."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from osler.analytics.contract import Item, ItemKey
from osler.db.session import ReadSession
from osler.domain.events import LoggedEvent

_QUESTIONS = "select question_id, topic_ids, option_count from questions where question_id = any($1::text[])"
_CARDS = "select card_id, topic_ids from cards where user_id = $1 and card_id = any($2::text[])"
_MATERIALS = "select material_id, topic_ids from materials where material_id = any($1::text[])"


async def items_of(session: ReadSession, user_id: UUID, events: Sequence[LoggedEvent]) -> dict[ItemKey, Item]:
    """Topics and options of the questions and cards that the events answer, where the catalogue has them."""
    questions = _named(events, "question_id")
    cards = _named(events, "card_id")
    items: dict[ItemKey, Item] = {}
    if questions:
        rows: Any = await session.driver().fetch(_QUESTIONS, questions)
        for row in rows:
            items[ItemKey("question", row["question_id"])] = Item(tuple(row["topic_ids"]), row["option_count"] or 0)
    if cards:
        rows = await session.driver().fetch(_CARDS, user_id, cards)
        for row in rows:
            items[ItemKey("card", row["card_id"])] = Item(tuple(row["topic_ids"]))
    return items


async def material_topics_of(session: ReadSession, events: Sequence[LoggedEvent]) -> dict[str, tuple[str, ...]]:
    """Topics of the materials that the events are about, where the catalogue has them."""
    named = _named(events, "material_id")
    if not named:
        return {}
    rows: Any = await session.driver().fetch(_MATERIALS, named)
    return {row["material_id"]: tuple(row["topic_ids"]) for row in rows}


def _named(events: Sequence[LoggedEvent], field: str) -> list[str]:
    return sorted({event.data[field] for event in events if event.data.get(field) is not None})
