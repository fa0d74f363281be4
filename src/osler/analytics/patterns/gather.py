"""The sessions and answers that habits are read from, of many learners in two statements, as arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby
from typing import Any
from uuid import UUID

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa

from osler.analytics.contract import Moments
from osler.analytics.patterns.model import WINDOW_DAYS, Answers
from osler.db.engine import ReadSession

Floats = npt.NDArray[np.float64]
WEEKS_LOOKED_BACK = 4
DAYS_READ = WINDOW_DAYS + 7 * WEEKS_LOOKED_BACK
ACTIVE_GAP_SECONDS = 120.0
BREAK_SECONDS = 300.0

# An answer's grade is the corrected one where its key was corrected: what the forecast was scored against.
ANSWERS = """
with m as (
  select * from unnest(cast(:users as uuid[]), cast(:since as date[]), cast(:as_of as timestamptz[]))
      as m(user_id, since, as_of))
select m.user_id, a.local_date, a.effective_at, s.first_event_id as session,
       extract(hour from l.wall) + extract(minute from l.wall) / 60 as hour,
       coalesce(a.is_correct, a.rating >= 2)::int as correct, p.probability as forecast, a.time_to_answer_seconds,
       coalesce(a.question_id, a.card_id) as item, coalesce(q.topic_ids[1], c.topic_ids[1]) as topic
  from m
  join study_sessions s on s.user_id = m.user_id and s.local_date >= m.since and s.first_event_ts <= m.as_of
  join question_attempts a on a.user_id = s.user_id and a.event_ts between s.first_event_ts and s.last_event_ts
  cross join lateral (
    select (a.effective_at at time zone 'UTC') + make_interval(mins => a.utc_offset_minutes) as wall) l
  left join questions q on q.question_id = a.question_id
  left join cards c on c.user_id = a.user_id and c.card_id = a.card_id
  left join lateral (
    select f.probability from predictions f
     where f.user_id = a.user_id and f.as_of = a.event_ts and f.about = a.event_id::text
     order by f.task = 'next-answer' desc, f.model_version limit 1) p on true
 where coalesce(a.is_correct, a.rating >= 2) is not null and a.event_ts >= :low
 order by m.user_id, a.event_ts, a.event_id
"""

SESSIONS = """
with m as (
  select * from unnest(cast(:users as uuid[]), cast(:since as date[]), cast(:as_of as timestamptz[]))
      as m(user_id, since, as_of))
select m.user_id, s.local_date, s.started_at, s.utc_offset_minutes, s.active_seconds, s.multitasked_seconds,
       s.topic_switches, s.break_seconds, s.kinds, s.hours, s.has_signals
  from m join study_sessions s on s.user_id = m.user_id and s.local_date >= m.since and s.first_event_ts <= m.as_of
 order by m.user_id, s.first_event_ts
"""

SLEEP = """
with m as (
  select * from unnest(cast(:users as uuid[]), cast(:since as date[]), cast(:as_of as timestamptz[]))
      as m(user_id, since, as_of))
select e.user_id, e.local_date, max((e.data->>'sleep_minutes')::float8) as minutes
  from m join study_events e on e.user_id = m.user_id and e.event_type = 'day_report' and e.local_date >= m.since
   and e.event_ts <= m.as_of and e.event_ts >= :low
 where e.data ? 'sleep_minutes' group by 1, 2
"""


@dataclass(frozen=True, slots=True)
class Frame:
    """One learner's answers as columns in time order; `day` counts days, `forecast` is NaN where none was stored."""

    day: npt.NDArray[np.int64]
    at: Floats
    hour: Floats
    correct: Floats
    forecast: Floats
    session: npt.NDArray[np.int64]
    seconds: Floats
    items: Sequence[str]
    topics: Sequence[str | None]

    def answers(self, first: date, end: date) -> tuple[Answers, npt.NDArray[np.int64]]:
        """The answers of [first, end) that have a forecast, as the insights take them, and their days."""
        inside = (self.day >= first.toordinal()) & (self.day < end.toordinal()) & np.isfinite(self.forecast)
        active, unbroken = self._minutes()
        made = Answers(
            correct=self.correct[inside],
            forecast=self.forecast[inside],
            session=self.session[inside],
            hour=self.hour[inside],
            active_minutes=active[inside],
            unbroken_minutes=unbroken[inside],
        )
        return made, self.day[inside]

    def _minutes(self) -> tuple[Floats, Floats]:
        """Active minutes since the session's start, and minutes since a break of 5 min or more, at each answer."""
        gap = np.diff(self.at, prepend=self.at[:1]).clip(min=0)
        begins = np.diff(self.session, prepend=-1) != 0
        active = np.where(begins, self.seconds, np.minimum(gap, np.maximum(ACTIVE_GAP_SECONDS, self.seconds)))
        pauses = begins | (gap - self.seconds >= BREAK_SECONDS)
        return _running(active, begins) / 60, _running(np.where(pauses, self.seconds, gap), pauses) / 60


def _running(values: Floats, restarts: npt.NDArray[np.bool_]) -> Floats:
    """Cumulative sums that begin anew where `restarts` says so."""
    total = np.cumsum(values)
    before = np.where(restarts, total - values, 0.0)
    return total - np.maximum.accumulate(before) if values.size else total


async def frames(s: ReadSession, moments: Moments, since: Sequence[date]) -> dict[UUID, Frame]:
    """Answers of these learners since their days, by learner; a learner without answers is not in it."""
    rows = await s.rows(sa.text(ANSWERS), _given(moments, since))
    return {user: _frame(list(own)) for user, own in groupby(rows, key=lambda row: row["user_id"])}


async def sessions(s: ReadSession, moments: Moments, since: Sequence[date]) -> dict[UUID, list[Mapping[Any, Any]]]:
    """Sessions of these learners since their days, by learner."""
    given = _given(moments, since)
    del given["low"]
    rows = await s.rows(sa.text(SESSIONS), given)
    return {user: list(own) for user, own in groupby(rows, key=lambda row: row["user_id"])}


async def sleep_minutes(s: ReadSession, moments: Moments, since: Sequence[date]) -> dict[UUID, dict[int, float]]:
    """Reported sleep by learner and day (as a count of days); only what a learner reported, with consent."""
    found: dict[UUID, dict[int, float]] = {}
    for row in await s.rows(sa.text(SLEEP), _given(moments, since)):
        found.setdefault(row["user_id"], {})[row["local_date"].toordinal()] = row["minutes"]
    return found


def _given(moments: Moments, since: Sequence[date]) -> dict[str, Any]:
    low = min(moments.as_of) - timedelta(days=DAYS_READ + 14)
    return {"users": list(moments.user_ids), "since": list(since), "as_of": list(moments.as_of), "low": low}


def _frame(rows: Sequence[Mapping[Any, Any]]) -> Frame:
    numbers: dict[UUID, int] = {}
    return Frame(
        day=np.array([row["local_date"].toordinal() for row in rows], dtype=np.int64),
        at=np.array([row["effective_at"].timestamp() for row in rows]),
        hour=np.array([float(row["hour"]) for row in rows]),
        correct=np.array([float(row["correct"]) for row in rows]),
        forecast=np.array([np.nan if row["forecast"] is None else row["forecast"] for row in rows]),
        session=np.array([numbers.setdefault(row["session"], len(numbers)) for row in rows], dtype=np.int64),
        seconds=np.array([min(float(row["time_to_answer_seconds"]), 600.0) for row in rows]),
        items=[row["item"] for row in rows],
        topics=[row["topic"] for row in rows],
    )
