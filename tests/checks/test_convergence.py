"""Any permutation, split and repetition of the same events gives the same derived rows."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.checks.conftest import NIGHT, World
from tests.support.learning import START, derived, event, history, send

from osler.analytics.registry import analytics
from osler.live.catch_up import Live
from osler.rollups.draining import drain

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="session")]

SESSION = "0f8e4c3a-1b2d-4e5f-8a9b-0c1d2e3f4a5b"


def sitting(at: datetime, number: int) -> list[dict[str, Any]]:
    """What an application says of a session beside its answers: begun, alive, hidden for a while, paused, ended."""
    said = (
        (0, "session_start", {"mode": "practice", "platform": "web"}),
        (5, "session_focus", {"state": "hidden"}),
        (6, "session_focus", {"state": "visible"}),
        (9, "session_pause", {"reason": "user"}),
        (11, "session_resume", {}),
        (14, "session_heartbeat", {"active_seconds": 28, "idle_seconds": 2, "visible": True}),
        (19, "session_end", {"reason": "user"}),
    )
    return [
        event(at + timedelta(minutes=minutes), number + n, kind, data, session_id=SESSION)
        for n, (minutes, kind, data) in enumerate(said)
    ]


EVENTS = history(3) + sitting(START + timedelta(days=1, minutes=5), 7_000)
TABLES = [found.table for analytic in analytics()[:3] for found in analytic.tables]
IGNORED = {"user_id", "generation", "is_stale"}

_expected: dict[str, Any] = {}


@st.composite
def deliveries(draw: st.DrawFn) -> list[list[dict[str, Any]]]:
    """The events in any order, some of them twice, cut anywhere."""
    order = draw(st.permutations(range(len(EVENTS))))
    twice = draw(st.lists(st.integers(0, len(EVENTS) - 1), max_size=4))
    sent = [EVENTS[n] for n in (*order, *twice)]
    cuts = sorted(draw(st.sets(st.integers(1, len(sent) - 1), max_size=4)))
    return [sent[a:b] for a, b in zip([0, *cuts], [*cuts, len(sent)], strict=True)]


async def _rows(world: World, parts: list[list[dict[str, Any]]]) -> dict[str, Any]:
    user_id = uuid.uuid4()  # never by `random`: Hypothesis begins it anew for each example, and all were one learner
    live = Live(world.database, analytics())
    for part in parts:
        await send(world.database, part, user_id)
        await live.catch_up(user_id)
    await drain(world.database, analytics(), as_of=NIGHT)
    found = await derived(world.database, TABLES, user_id)
    return {name: [{k: v for k, v in row.items() if k not in IGNORED} for row in rows] for name, rows in found.items()}


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(parts=deliveries())
async def test_every_delivery_of_the_same_events_gives_the_same_rows(world: World, parts: list[list[dict[str, Any]]]):
    if not _expected:
        _expected.update(await _rows(world, [EVENTS]))
    assert await _rows(world, parts) == _expected
