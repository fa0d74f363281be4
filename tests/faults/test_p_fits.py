"""P19: what one learner sends, however much, moves nobody else's estimates, nor keeps a fit serving that lost.

Honest learners' mastery is compared before and after a learner of dice joined and everything was fitted anew.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest
import sqlalchemy as sa
from tests.support.classes import class_catalogue
from tests.support.learning import LEARNER, START, answer, send
from tests.support.matrix import count
from tests.support.planted import QUESTIONS, diced, send_planted

from osler.analytics.registry import analytics
from osler.db.engine import Database
from osler.db.session import WriteSession
from osler.forecasts.parameters import (
    EASINESS,
    LEARNING_RATE,
    START_VERSION,
    TASK,
    Fitted,
    ParameterStore,
    Parts,
    parts_of,
    store,
)
from osler.live.catch_up import Live
from osler.live.draining import drain
from osler.privacy.erasure import erase
from osler.worker.night import night_of

pytestmark = [pytest.mark.integration, pytest.mark.fault]

FITS = ("fit_item_easiness", "fit_prior_variances", "fit_next_answer", "fit_learning_rate", "promote_fits", "refold")
HONEST, EACH = 20, 40
LATER = START + timedelta(days=4)
AT_MOST = {0.5: 0.04, 0.0: 0.07}
"""Of mastery, 0 to 1, by the share of fakes that are right. Without the cap by topic: .044 and .199."""


async def fit_all(database: Database) -> None:
    await drain(database, Live(database, analytics()))
    night = night_of(database)
    for name in FITS:
        assert await night.run(name, again=True) == "succeeded"


async def mastery(database: Database, users: list[UUID]) -> dict[tuple[UUID, str], float]:
    query = sa.text("select user_id, topic_id, mastery from topic_mastery where user_id = any(:users)")
    async with database.read(primary=True) as session:
        rows = await session.rows(query, {"users": users})
    return {(row["user_id"], row["topic_id"]): row["mastery"] for row in rows}


async def served(database: Database) -> Parts:
    async with database.read(primary=True) as session:
        return await parts_of(session, await ParameterStore().current_version(session))


@pytest.mark.parametrize("share", [0.5, 0.0])
async def test_p19_one_learner_of_dice_moves_nobody_else(database: Database, share: float):
    await class_catalogue(database, QUESTIONS)
    users = await send_planted(database, HONEST, EACH)
    await fit_all(database)
    assert (await served(database)).item_easiness is not None  # honest counts of twenty learners serve
    before = await mastery(database, users)
    fakes = diced(count("P19", "answers"), share)
    for first in range(0, len(fakes), 5_000):
        await send(database, fakes[first : first + 5_000], LEARNER)
    await fit_all(database)
    async with database.read(primary=True) as session:
        sent = await session.scalar(
            sa.text("select count(*) from question_attempts where user_id = :u"), {"u": LEARNER}
        )
    assert sent == len(fakes)
    after = await mastery(database, users)
    assert len(after) == len(before) == HONEST * 4
    assert max(abs(after[key] - before[key]) for key in before) <= AT_MOST[share]


async def test_p19_who_is_one_of_few_tells_nothing_of_the_others(database: Database):
    await class_catalogue(database, QUESTIONS)
    [friend] = await send_planted(database, 1, EACH)
    await fit_all(database)
    alone = await mastery(database, [friend])
    await send(database, diced(count("P19", "answers")), LEARNER)
    await fit_all(database)
    assert await mastery(database, [friend]) == alone
    assert await served(database) == Parts()


async def test_p19_counts_that_serve_and_lose_are_taken_back(database: Database):
    await class_catalogue(database, QUESTIONS)
    users = await send_planted(database, HONEST, EACH)
    await fit_all(database)
    honest_version = (await served(database)).item_easiness
    assert honest_version is not None
    # As if they had been accepted: the easy are said to be hard, and the hard easy.
    async with database.write() as session:
        turned = Fitted(EASINESS, inverted(await content_of(session, honest_version)), LATER, HONEST, 1)
        parts = Parts(item_easiness=await store(session, turned, promote=True))
        poisoned = await store(session, Fitted(TASK, msgspec.to_builtins(parts), LATER, HONEST, 1), promote=True)
    night = night_of(database)
    assert await night.run("refold", again=True) == "succeeded"
    assert await folded_under(database) == {poisoned}
    for user in users:  # one answer more, so that the honest counts are new ones
        await send(database, [answer(START + timedelta(days=5), 9_000_000, "q0", right=True)], user)
    await fit_all(database)
    assert (await served(database)).item_easiness not in {None, honest_version, turned.version}
    assert await folded_under(database) != {poisoned}


async def test_p19_where_no_counts_are_accepted_any_more_the_start_values_serve_again(database: Database):
    await class_catalogue(database, QUESTIONS)
    users = await send_planted(database, HONEST, EACH)
    await fit_all(database)
    assert (await served(database)).item_easiness is not None
    for user in users[1:]:
        await erase(database.settings, user)
    await fit_all(database)
    assert await served(database) == Parts()
    again = await mastery(database, users[:1])
    async with database.write() as session:
        await Live(database, analytics()).refold_under(session, users[0], START_VERSION)
    assert await mastery(database, users[:1]) == again


def inverted(content: dict[str, Any]) -> dict[str, Any]:
    """Counts in which right and wrong are changed."""
    wrong = [
        [n - r for n, r in zip(*row, strict=True)] for row in zip(content["answers"], content["right"], strict=True)
    ]
    return {**content, "right": wrong}


async def content_of(session: WriteSession, version: str) -> dict[str, Any]:
    found = await session.scalar(sa.text("select content from models where version = :v"), {"v": version})
    assert isinstance(found, dict)
    return found


async def folded_under(database: Database) -> set[str]:
    query = sa.text("select distinct parameter_version from learner_states")
    async with database.read(primary=True) as session:
        return {row[0] for row in await session.tuples(query)}


async def test_who_goes_back_by_hand_stays_there_until_other_fits_are_promoted(database: Database):
    await class_catalogue(database, QUESTIONS)
    await send_planted(database, HONEST, EACH)
    await fit_all(database)
    async with database.write() as session:
        older = await store(session, Fitted(TASK, {"learning_rate": "none"}, START, 1, 1), promote=True)
        await store(session, Fitted(LEARNING_RATE, {"wins": False}, LATER, 1, 1), promote=False)  # newer, and refused
    night = night_of(database)
    for name in ("fit_item_easiness", "promote_fits"):
        assert await night.run(name, again=True) == "succeeded"
    async with database.read(primary=True) as session:
        assert await ParameterStore().current_version(session) == older
