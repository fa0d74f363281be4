"""The sessions, answers, breaks, reading and sleep that habits are read from: many learners a statement, as arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby, pairwise
from typing import Any
from uuid import UUID

import numpy as np
import sqlalchemy as sa

from osler.analytics.contract import Moments
from osler.analytics.patterns.frame import Frame, KindsOfDay
from osler.analytics.patterns.model import WINDOW_DAYS
from osler.db.engine import ReadSession
from osler.db.upsert import SEPARATOR
from osler.science.after_reading import LONGEST_DAYS, Reading
from osler.science.breaks import BETWEEN_MINUTES, Break
from osler.science.insights_math import Floats

Row = Mapping[Any, Any]
WEEKS_LOOKED_BACK = 4
DAYS_READ = WINDOW_DAYS + 7 * (WEEKS_LOOKED_BACK - 1) + LONGEST_DAYS
"""Before the newest Monday: the first look's window, and the two weeks before it that its answers look back to."""

GIVEN = """
with m as (
  select * from unnest(cast(:users as uuid[]), cast(:since as date[]), cast(:as_of as timestamptz[]))
      as m(user_id, since, as_of))
"""

# An answer's grade is the corrected one where its key was corrected: what the forecast was scored against.
_ANSWERS = f"""{GIVEN}
select m.user_id, a.event_ts, a.event_id, a.local_date - date '0001-01-01' + 1 as day,
       extract(epoch from a.effective_at)::float8 as at, s.first_event_id::text as session,
       extract(epoch from s.started_at)::float8 as started_at,
       (extract(hour from l.wall) + extract(minute from l.wall) / 60)::float8 as hour,
       coalesce(a.is_correct, a.rating >= 2)::int::float8 as correct, p.probability as forecast,
       a.time_to_answer_seconds as seconds,
       coalesce(a.question_id, a.card_id) as item, a.card_id is not null as is_card,
       array_to_string(coalesce(q.topic_ids, c.topic_ids), '{SEPARATOR}') as topics
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
"""
_COLUMNS = (
    "day", "at", "session", "started_at", "hour", "correct", "forecast", "seconds", "item", "is_card", "topics",
)  # fmt: skip
# A row for each learner, each column as an array: 80,000 answers as rows took two thirds of the time to be read.
ANSWERS = f"""
select user_id, {", ".join(f"array_agg({name} order by event_ts, event_id) as {name}" for name in _COLUMNS)}
  from ({_ANSWERS}) a group by user_id
"""

SESSIONS = f"""{GIVEN}
select m.user_id, s.local_date, s.started_at, s.ended_at, s.utc_offset_minutes, s.active_seconds,
       s.multitasked_seconds, s.topic_switches, s.break_seconds, s.kinds, s.hours, s.has_signals
  from m join study_sessions s on s.user_id = m.user_id and s.local_date >= m.since and s.first_event_ts <= m.as_of
 order by m.user_id, s.first_event_ts
"""

# Where the breaks lay that `study_sessions` counts, by the same rule: work is done for 120 s after an event, not after
# a pause, and before one for as long as it states. Only sessions that have a break are looked into.
BREAKS = f"""{GIVEN}
select user_id, ended_at, rest from (
  select user_id, ended_at, extract(epoch from ended_at - lag(at) over w)::float8
         - case when lag(event_type) over w = 'session_pause' then 0 else 120 end as rest
    from (
      select m.user_id, s.first_event_id, e.event_ts, e.event_id, e.event_type, e.effective_at as at,
             e.effective_at - make_interval(secs => least(600, coalesce(case e.event_type
               when 'session_heartbeat' then (e.data->>'active_seconds')::float8
               else (e.data->>'time_to_answer_seconds')::float8 end, 0))) as ended_at
        from m
        join study_sessions s on s.user_id = m.user_id and s.local_date >= m.since and s.first_event_ts <= m.as_of
         and cardinality(s.break_seconds) > 0
        join study_events e on e.user_id = s.user_id and e.event_ts between s.first_event_ts and s.last_event_ts
       where e.event_ts >= :low
         and e.event_type <> all('{{api_request,recommendation,day_report,question_regrade,flashcard_reset,session_focus}}')
         and not (e.event_type = 'session_heartbeat' and (e.data->>'active_seconds')::float8 = 0)) marks
  window w as (partition by user_id, first_event_id order by event_ts, event_id)) gaps
 where rest >= 300
 order by user_id, ended_at
"""  # noqa: E501 - a list of names

# Two weeks more than the answers, which may tell of reading that lies so far before them. A deleted note is no note.
READINGS = f"""{GIVEN}
select i.user_id, i.material_id as material, i.local_date, max(i.effective_at) as at, max(i.kind) as kind,
       t.kind as known_kind, t.topic_ids as topics,
       coalesce(bool_or(i.event_type = 'note_taken' and i.action <> 'delete'), false) as noted,
       bool_or(i.event_type not in ('note_taken', 'bookmark', 'highlight', 'material_close')) as was_read
  from m
  join material_interactions i on i.user_id = m.user_id and i.material_id is not null
   and i.local_date >= m.since - {LONGEST_DAYS} and i.event_ts <= m.as_of
  left join materials t on t.material_id = i.material_id
 where i.event_ts >= :low
 group by i.user_id, i.material_id, i.local_date, t.kind, t.topic_ids
 order by i.user_id, i.local_date, at, i.material_id
"""

# Reports are taken with consent; where it has been withdrawn since, they are not looked at any more.
SLEEP = f"""{GIVEN}
select e.user_id, e.local_date, max((e.data->>'sleep_minutes')::float8) as minutes
  from m
  join users u on u.user_id = m.user_id and u.consents ->> 'wellbeing' is not null
  join study_events e on e.user_id = m.user_id and e.event_type = 'day_report' and e.local_date >= m.since
   and e.event_ts <= m.as_of and e.event_ts >= :low
 where e.data ? 'sleep_minutes' group by 1, 2
 order by 1, 2
"""


_NO_ANSWERS: Row = dict.fromkeys(_COLUMNS, ())


@dataclass(frozen=True, slots=True)
class Gathered:
    """What the night knows of one learner: the sessions as rows, and everything else as a frame."""

    sessions: Sequence[Row]
    frame: Frame


async def gathered(s: ReadSession, moments: Moments, since: Sequence[date]) -> dict[UUID, Gathered]:
    """What there is of these learners since their days; everybody is in it, with nothing where there is nothing."""
    low = min(moments.as_of) - timedelta(days=DAYS_READ + 7 + LONGEST_DAYS + 14)
    given = {"users": list(moments.user_ids), "since": list(since), "as_of": list(moments.as_of), "low": low}
    answers = {row["user_id"]: row for row in await s.rows(sa.text(ANSWERS), given)}
    breaks, readings, slept = [
        _by_learner(await s.rows(sa.text(statement), given)) for statement in (BREAKS, READINGS, SLEEP)
    ]
    del given["low"]
    sessions = _by_learner(await s.rows(sa.text(SESSIONS), given))
    return {
        user: Gathered(
            sessions.get(user, []),
            _frame(
                answers.get(user, _NO_ANSWERS), breaks.get(user, []), sessions.get(user, []), readings.get(user, []),
                slept.get(user, []),
            ),
        )
        for user in moments.user_ids
    }  # fmt: skip


def _by_learner(rows: Sequence[Row]) -> dict[UUID, list[Row]]:
    return {user: list(own) for user, own in groupby(rows, key=lambda row: row["user_id"])}


def _frame(
    answers: Row, breaks: Sequence[Row], sessions: Sequence[Row], readings: Sequence[Row], slept: Sequence[Row]
) -> Frame:
    numbers = {session: number for number, session in enumerate(dict.fromkeys(answers["session"]))}
    named = {text: tuple(text.split(SEPARATOR)) if text else () for text in set(answers["topics"])}
    return Frame(
        day=np.array(answers["day"], dtype=np.int64),
        at=_floats(answers["at"]),
        started_at=_floats(answers["started_at"]),
        hour=_floats(answers["hour"]),
        correct=_floats(answers["correct"]),
        forecast=_floats(answers["forecast"]),
        is_card=np.array(answers["is_card"], dtype=np.bool_),
        session=np.array([numbers[session] for session in answers["session"]], dtype=np.int64),
        seconds=np.minimum(_floats(answers["seconds"]), 600.0),
        items=answers["item"],
        topics=[named[text] for text in answers["topics"]],
        breaks=[*(Break(row["ended_at"].timestamp(), row["rest"], False) for row in breaks), *_between(sessions)],
        readings=_readings(readings),
        kinds=[KindsOfDay(row["local_date"].toordinal(), row["kinds"]) for row in sessions],
        slept={row["local_date"].toordinal(): row["minutes"] for row in slept},
        takes_notes=any(row["noted"] for row in readings),
    )


def _floats(values: Sequence[float | None]) -> Floats:
    """A column as numbers; NaN where there is none."""
    return np.array(values, dtype=np.float64)


def _between(sessions: Sequence[Row]) -> list[Break]:
    """Breaks of 30 to 120 minutes between two sessions of one local day."""
    low, high = (60.0 * minutes for minutes in BETWEEN_MINUTES)
    found: list[Break] = []
    for one, after in pairwise(sessions):
        seconds = (after["started_at"] - one["ended_at"]).total_seconds()
        if one["local_date"] == after["local_date"] and low <= seconds < high:
            found.append(Break(after["started_at"].timestamp(), seconds, is_between=True))
    return found


def _readings(rows: Sequence[Row]) -> list[Reading]:
    """Days on which a material was read; a note taken on it by then counts, also one of an earlier day."""
    noted: set[str] = set()
    made: list[Reading] = []
    for row in rows:
        material, kind = row["material"], row["kind"] or row["known_kind"] or "other"
        if row["noted"]:
            noted.add(material)
        if row["was_read"]:
            day, at = row["local_date"].toordinal(), row["at"].timestamp()
            made.append(Reading(material, day, at, kind, material in noted, tuple(row["topics"] or ())))
    return made
