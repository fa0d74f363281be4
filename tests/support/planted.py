"""A class whose questions differ in easiness as learners differ in ability, and one learner who answers by dice."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec
import numpy as np
from tests.support.learning import START, answer, send

from osler.db.engine import Database
from osler.forecasts.easiness import Counts
from osler.forecasts.parameters import EASINESS, Fitted, store
from osler.science.item_easiness import FOLDS

QUESTIONS = 200
EASE = np.random.default_rng(7).normal(0.6, 1.6, QUESTIONS)


def honest(number: int) -> UUID:
    """The pseudonym of the class's n-th learner."""
    return UUID(int=(0x5F0D << 112) | (4 << 76) | (2 << 62) | (number * 104_729 + 1))


async def send_planted(database: Database, learners: int, answers: int) -> list[UUID]:
    """Honest answers of learners who vary: mostly to the first fifty questions, which a class has in common."""
    users = [honest(number) for number in range(learners)]
    for number, user in enumerate(users):
        rng = np.random.default_rng(number)
        ability = rng.normal(0.0, 0.9)
        asked = [*rng.permutation(50)[: answers - 5], *(50 + rng.permutation(QUESTIONS - 50)[:5])]
        events = [
            answer(
                START + timedelta(hours=n), number * 10_000 + n, f"q{question}",
                right=bool(rng.random() < 1.0 / (1.0 + np.exp(-ability - EASE[question]))),
            )
            for n, question in enumerate(asked)
        ]  # fmt: skip
        await send(database, events, user)
    return users


def diced(answers: int, share: float = 0.5, *, seed: int = 0) -> list[dict[str, Any]]:
    """Answers to everything, over and over, right by chance alone."""
    rng = np.random.default_rng(seed)
    return [
        answer(START + timedelta(seconds=10 * n), 5_000_000 + n, f"q{n % QUESTIONS}", right=bool(rng.random() < share))
        for n in range(answers)
    ]


async def accepted_counts(database: Database, right: float) -> str:
    """Counts of q0 to q11 on one topic, `right` of three answers in each fold, as if they had won their trial."""
    counts = Counts(
        items=tuple(f"q{n}" for n in range(12)), topics=("cardio",), item_topics=tuple((n, 0) for n in range(12)),
        right=((right,) * 12,) * FOLDS, answers=((3.0,) * 12,) * FOLDS,
    )  # fmt: skip
    content = {**msgspec.to_builtins(counts), "accepted": True}
    async with database.write() as session:
        return await store(session, Fitted(EASINESS, content, START, 12, 180), promote=True)
