"""The learner's study sessions as rows, kept up live: only the last session is ever made anew."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec

from osler.analytics.contract import Batch, Moments, Reading
from osler.analytics.efficiency.model import StudySession, sessionise
from osler.analytics.efficiency.tables import study_sessions
from osler.analytics.efficiency.timeline import COLUMNS, EVENTS, NEW_EVENTS, Catalogue, Timeline, corrected
from osler.db.session import WriteSession
from osler.db.upsert import Upsert
from osler.domain.local_day import DEFAULT_DAY_START_MINUTES
from osler.forecasts.parameters import Parameters


class _Regrade(msgspec.Struct, frozen=True):
    attempt_event_id: UUID
    is_correct: bool
    key_version: int


class Since(msgspec.Struct, array_like=True, frozen=True):
    """The log from the start of the learner's last session on, or from its own: what may still change sessions."""

    timeline: Timeline | None
    regrades: list[_Regrade] | None
    topics: dict[str, tuple[str, ...]] | None
    kinds: dict[str, str] | None
    day_start_minutes: int | None

    @property
    def known(self) -> Catalogue:
        """What the catalogue has of the items in the timeline; it goes before what an import gave."""
        return Catalogue(self.topics or {}, self.kinds or {})

    def __len__(self) -> int:
        return 0 if self.timeline is None else len(self.timeline)

    def followed_by(self, later: Since) -> Since:
        """The same with what came later."""
        return Since(
            later.timeline if self.timeline is None else self.timeline.followed_by(later.timeline),
            [*(self.regrades or ()), *(later.regrades or ())],
            {**(self.topics or {}), **(later.topics or {})},
            {**(self.kinds or {}), **(later.kinds or {})},
            later.day_start_minutes,
        )

    def of_last(self, sessions: Sequence[StudySession]) -> Since:
        """The same from the first event of the last session on; all of it while there is none."""
        if self.timeline is None or not sessions:
            return self
        place = self.timeline.event_id.index(str(sessions[-1].first_event[1]))
        if not place:
            return self
        timeline = self.timeline.since(place)
        named = set(timeline.item)
        topics = {item: topics for item, topics in (self.topics or {}).items() if item in named}
        return msgspec.structs.replace(self, timeline=timeline, topics=topics)


_SINCE_LAST = f"""
last as materialized (
   select coalesce(max(ts), '-infinity') as ts, coalesce((max(id::text))::uuid, '{UUID(int=0)}') as id from (
     select first_event_ts as ts, first_event_id as id from study_sessions where user_id = $1
      order by first_event_ts desc, first_event_id desc limit 1) one),
 t as materialized (
   {EVENTS} and e.event_ts <= $2 and e.event_ts >= (select ts from last)
     and (e.event_ts, e.event_id) >= (select ts, id from last))
"""
_NEWLY = f"t as materialized ({NEW_EVENTS})"
_SINCE = f"""
(with %s,
 named as materialized (select distinct left(item, 1) as kind, substr(item, 2) as id from t where item is not null)
 select json_build_array(
   (select json_build_array({COLUMNS}) from t having count(*) filter (where event_type <> 'question_regrade') > 0),
   (select json_agg(data order by event_ts, event_id) from t where event_type = 'question_regrade'),
   (select json_object_agg(kind || id, topic_ids) from (
      select n.kind, n.id, q.topic_ids from named n join questions q on n.kind = 'q' and q.question_id = n.id union all
      select n.kind, n.id, c.topic_ids from named n
        join cards c on n.kind = 'c' and c.user_id = $1 and c.card_id = n.id union all
      select n.kind, n.id, m.topic_ids from named n join materials m on n.kind = 'm' and m.material_id = n.id) k),
   (select json_object_agg(n.kind || n.id, m.kind) from named n
      join materials m on n.kind = 'm' and m.material_id = n.id),
   (select day_start_minutes from users where user_id = $1)))
"""
# A session depends on no earlier one. What is read begins with the last session's first event, so that its row keeps
# its key and nothing has to be deleted.
SINCE = Reading(_SINCE % _SINCE_LAST, Since, _SINCE % _NEWLY)


class SessionFold:
    """Folds new events into `study_sessions`."""

    event_types = frozenset[str]()
    with_events: Sequence[Reading[Any]] = (SINCE,)
    of_items: Sequence[Reading[Any]] = ()

    async def fold(self, session: WriteSession, batch: Batch) -> None:
        """Write the sessions that the batch touches. The same batch twice writes the same rows."""
        if batch.is_fresh:
            await session.driver().execute(_FORGET, batch.user_id)
        found, before = batch.found(SINCE), batch.kept(SINCE)
        if found is None:
            return
        since = found if before is None else before.followed_by(found)
        made = sessions_of(batch, since)
        batch.writes.append((_SESSIONS, [_row(batch.user_id, one) for one in made]))
        batch.keep(SINCE, since.of_last(made))

    async def settle(self, session: WriteSession, moments: Moments, parameters: Parameters) -> None:
        """Sessions do not age."""


def sessions_of(batch: Batch, since: Since) -> list[StudySession]:
    """The sessions that the log since the start of the last one makes."""
    if since.timeline is None:
        return []
    minutes = DEFAULT_DAY_START_MINUTES if since.day_start_minutes is None else since.day_start_minutes
    timeline = corrected(since.timeline, {**_corrections(since), **batch.regraded})
    return sessionise(timeline, since.known, day_start_minutes=minutes)


def _corrections(since: Since) -> dict[UUID, bool]:
    """Grades that a corrected key changed, by attempt; a regrade of a session's answer comes after it in the log."""
    found = sorted(since.regrades or (), key=lambda regrade: regrade.key_version)
    return {regrade.attempt_event_id: regrade.is_correct for regrade in found}


def _row(user_id: UUID, session: StudySession) -> tuple[Any, ...]:
    """A session as its row; maps become JSON with ISO dates for keys."""
    active = session.active_by_day
    maps = (
        {k: [t.active_seconds, t.attempts, t.correct] for k, t in session.by_topic.items()},
        {day.isoformat(): [active.get(day, 0.0), total] for day, total in session.total_by_day.items()},
        dict(session.active_by_kind),
        {f"{day.isoformat()}T{hour:02d}": seconds for (day, hour), seconds in session.active_by_hour.items()},
    )
    return (
        user_id, *session.first_event, *session.last_event, session.ended_explicitly,
        [repr(seconds) for seconds in session.break_seconds], *(msgspec.json.encode(one).decode() for one in maps),
        *(getattr(session, name) for name in SAME_NAME),
    )  # fmt: skip


SAME_NAME = (
    "session_id", "started_at", "ended_at", "utc_offset_minutes", "local_date", "total_seconds", "active_seconds",
    "multitasked_seconds", "hidden_seconds", "questions", "correct", "reviews", "reviews_passed", "graded", "materials",
    "interruptions", "events", "topic_switches", "has_signals",
)  # fmt: skip

_SESSIONS = Upsert(
    study_sessions,
    (
        "user_id", "first_event_ts", "first_event_id", "last_event_ts", "last_event_id", "is_ended", "break_seconds",
        "topics", "days", "kinds", "hours", *SAME_NAME,
    ),
)  # fmt: skip

_FORGET = "delete from study_sessions where user_id = $1"
