"""A class of many learners whose answers hold something that the online model alone cannot see."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import numpy as np
import sqlalchemy as sa
from tests.support.learning import START, answer, send

from osler.catalog.tables import catalog_versions, questions, topics
from osler.db.engine import Database

TOPIC_COUNT, QUESTION_COUNT = 4, 40


def learner(number: int) -> UUID:
    """The pseudonym of the class's n-th learner."""
    return UUID(int=(0x5F0C << 112) | (4 << 76) | (0b10 << 62) | (number * 7919 + 1))


async def class_catalogue(database: Database, question_count: int = QUESTION_COUNT) -> None:
    """So many questions on four topics, all of whose keys are A."""
    async with database.write() as session:
        rows = [{"topic_id": f"t{k}", "name": f"Topic {k}", "level": 0, "axis": "system"} for k in range(TOPIC_COUNT)]
        await session.execute(sa.insert(topics), rows)
        made = [
            {"question_id": f"q{n}", "key": ["A"], "option_count": 5, "topic_ids": [f"t{n % TOPIC_COUNT}"]}
            for n in range(question_count)
        ]
        await session.execute(sa.insert(questions), made)
        await session.execute(sa.insert(catalog_versions).values(what="questions"))


def streaky(number: int, answers: int, *, start: datetime = START, first: int = 0) -> list[dict[str, Any]]:
    """Answers that come in streaks: right nine times of ten after a right one, wrong nine of ten after a wrong one."""
    rng = np.random.default_rng(number)
    right, events = bool(number % 2), list[dict[str, Any]]()
    for n in range(first + answers):
        right = bool(rng.random() < (0.9 if right else 0.1))
        question = f"q{int(rng.integers(QUESTION_COUNT))}"
        if n >= first:
            at = start + timedelta(minutes=5 * n)
            events.append(answer(at, number * 10_000 + n, question, right=right))
    return events


def steady(number: int, answers: int, *, start: datetime = START) -> list[dict[str, Any]]:
    """Answers of one who knows nearly everything, or nearly nothing, whatever the topic."""
    rng = np.random.default_rng(number)
    share = 0.95 if number % 2 else 0.1
    return [
        answer(
            start + timedelta(minutes=5 * n), number * 10_000 + n, f"q{int(rng.integers(QUESTION_COUNT))}",
            right=bool(rng.random() < share),
        )
        for n in range(answers)
    ]  # fmt: skip


async def send_class(database: Database, learners: int, answers: int) -> None:
    """Everybody's answers, through the real ingestion."""
    for number in range(learners):
        await send(database, streaky(number, answers), learner(number))
