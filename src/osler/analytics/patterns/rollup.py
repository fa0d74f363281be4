"""What does a night make of a learner's habits: one row of measures, and the insights of the closed weeks."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import numpy as np
import sqlalchemy as sa

from osler.analytics.contract import Moments
from osler.analytics.patterns import gather, model
from osler.analytics.patterns.frame import Frame
from osler.analytics.patterns.gather import DAYS_READ, WEEKS_LOOKED_BACK, Gathered
from osler.analytics.patterns.model import WINDOW_DAYS, Insight
from osler.analytics.patterns.tables import learner_habits, learner_insights
from osler.analytics.patterns.wording import sentence
from osler.catalog.learners import LearnerSetup, setups
from osler.db.engine import WriteSession
from osler.science.circular import usual_hour
from osler.science.study_habits import cramming_index, interleaving_index, preference, spacing_index

VERSION = "patterns-2"


async def refresh(s: WriteSession, moments: Moments) -> None:
    """Replace habits and insights of these learners. The same moments twice write the same rows."""
    if not moments.user_ids:
        return
    known = await setups(s, moments.user_ids)
    today = {u: known[u].today(at) for u, at in zip(moments.user_ids, moments.as_of, strict=True)}
    since = [_newest_monday(today[u]) - timedelta(days=DAYS_READ) for u in moments.user_ids]
    found = await gather.gathered(s, moments, since)
    habits: list[dict[str, Any]] = []
    insights: list[dict[str, Any]] = []
    for user_id, as_of in zip(moments.user_ids, moments.as_of, strict=True):
        habits.append(_habits(known[user_id], found[user_id], today[user_id]) | {"as_of": as_of})
        # In a thread: the lease of the job is renewed meanwhile.
        insights += await asyncio.to_thread(_insights, user_id, found[user_id].frame, today[user_id], as_of)
    for table, rows in ((learner_habits, habits), (learner_insights, insights)):
        users = sa.literal(list(moments.user_ids), sa.ARRAY(sa.Uuid()))
        await s.execute(sa.delete(table).where(table.c.user_id == sa.any_(users)))
        await s.execute(sa.insert(table), rows)


def _newest_monday(today: date) -> date:
    return today - timedelta(days=today.weekday())


def _habits(known: LearnerSetup, found: Gathered, today: date) -> dict[str, Any]:
    """The measures of 90 days."""
    first = today - timedelta(days=WINDOW_DAYS - 1)
    own = [row for row in found.sessions if row["local_date"] >= first]
    frame = found.frame
    hours = sum(row["active_seconds"] for row in own) / 3600
    starts = [_wall_hour(row["started_at"], row["utc_offset_minutes"]) for row in own]
    breaks = [seconds for row in own for seconds in row["break_seconds"]]
    usual = usual_hour(starts)
    enough = hours >= 1
    return {
        "user_id": known.user_id,
        "model_version": VERSION,
        "sessions": len(own),
        "minutes_by_hour": _grid(own),
        "usual_hour": usual and usual.hour,
        "hour_spread": usual and usual.spread_hours,
        "preference": {k: list(v) for k, v in preference([r["kinds"] for r in own], seed=_seed(known.user_id)).items()},
        "breaks": len(breaks),
        "breaks_per_hour": len(breaks) / hours if enough else None,
        "median_break_minutes": float(np.median(breaks)) / 60 if breaks else None,
        "multitasked_share": _multitasked(own),
        "switches_per_hour": sum(row["topic_switches"] for row in own) / hours if enough else None,
        "spacing_index": spacing_index(_repeats(frame, first)),
        "interleaving_index": interleaving_index(_topics_by_session(frame, first)),
        "cramming_index": _cramming(own, known, today),
    }


def _wall_hour(at: datetime, offset_minutes: int) -> float:
    wall = at + timedelta(minutes=offset_minutes)
    return wall.hour + wall.minute / 60


def _grid(sessions: Sequence[Mapping[Any, Any]]) -> dict[str, float]:
    """Active minutes by weekday and hour, `2T07` for Tuesdays from seven to eight."""
    minutes: dict[str, float] = defaultdict(float)
    for row in sessions:
        for key, seconds in row["hours"].items():
            minutes[f"{date.fromisoformat(key[:10]).isoweekday()}T{key[11:]}"] += seconds / 60
    return dict(sorted(minutes.items()))


def _multitasked(sessions: Sequence[Mapping[Any, Any]]) -> float | None:
    """Share of active time; unknown where the client sends no pause or visibility events."""
    told = [row for row in sessions if row["has_signals"]]
    active = sum(row["active_seconds"] for row in told)
    return min(1.0, sum(row["multitasked_seconds"] for row in told) / active) if active > 0 else None


def _cramming(sessions: Sequence[Mapping[Any, Any]], known: LearnerSetup, today: date) -> float | None:
    """How much of the last four weeks' study fell in the last; from the eve of the exam on, for two months."""
    if known.exam_on is None or not 0 <= (today - known.exam_on).days + 1 <= WINDOW_DAYS - 28:
        return None
    minutes: dict[date, float] = defaultdict(float)
    for row in sessions:
        minutes[row["local_date"]] += row["active_seconds"] / 60
    return cramming_index(minutes, known.exam_on)


def _repeats(frame: Frame, first: date) -> list[int]:
    """Days between neighbouring attempts at the same item, the later from that day on."""
    last: dict[str, int] = {}
    gaps: list[int] = []
    for item, day in zip(frame.items, frame.day.tolist(), strict=True):
        if item in last and day >= first.toordinal():
            gaps.append(max(0, day - last[item]))
        last[item] = day
    return gaps


def _topics_by_session(frame: Frame, first: date) -> list[list[str]]:
    found: dict[int, list[str]] = defaultdict(list)
    for session, topic, day in zip(frame.session.tolist(), frame.first_topics, frame.day.tolist(), strict=True):
        if topic is not None and day >= first.toordinal():
            found[session].append(topic)
    return list(found.values())


def _insights(user_id: UUID, frame: Frame, today: date, as_of: datetime) -> list[dict[str, Any]]:
    """The insights after the newest closed week: the last four weekly runs in a row, from what lay before each.

    Four runs are enough to tell: shown takes two that pass in a row, withdrawn two that fail.
    """
    newest = _newest_monday(today)
    state: dict[str, Insight] = {}
    for back in reversed(range(WEEKS_LOOKED_BACK)):
        week = newest - timedelta(weeks=back)
        state = model.weekly_run(frame.candidates(week, seed=_seed(user_id)), state, week)
    return [_row(user_id, insight, as_of) for _, insight in sorted(state.items())]


def _row(user_id: UUID, insight: Insight, as_of: datetime) -> dict[str, Any]:
    candidate, best = insight.candidate, insight.candidate.best
    said = sentence(candidate)
    return {
        "user_id": user_id,
        "insight": insight.insight,
        "status": candidate.status,
        "is_shown": insight.shown,
        "effect": best and best.effect.value,
        "low": best and min(best.effect.low, best.effect.high),
        "high": best and max(best.effect.low, best.effect.high),
        "n": best.one.answers + best.other.answers if best else 0,
        "clusters": best.one.clusters + best.other.clusters if best else 0,
        "params": {"enabled_by": candidate.enabled_by} | (said.as_dict() if said else {}),
        "since_on": insight.since,
        "week_on": insight.week,
        "as_of": as_of,
    }


def _seed(user_id: UUID) -> int:
    return user_id.int % 2**32
