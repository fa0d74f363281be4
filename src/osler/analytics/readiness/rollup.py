"""Rolling measures of each learner as of an instant: 30 days, 90 days, all time, and the brief's eight features."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from osler.analytics.contract import Moments
from osler.analytics.readiness.features import exam_features
from osler.analytics.readiness.gather import Ground, TopicRows, ground_now, learner_state, replace_rows, topics_of
from osler.analytics.readiness.tables import user_learning_metrics
from osler.catalog.learners import LearnerSetup, setups
from osler.db.engine import WriteSession
from osler.science.study_habits import focus_score

VERSION = "readiness-1"
SUMMED = (
    "active_seconds", "total_seconds", "sessions", "questions", "correct", "reviews", "reviews_passed",
    "first_attempts", "first_correct", "materials", "interruptions",
)  # fmt: skip
WINDOWS = {"30d": 30, "90d": 90, "all": 36_500}


def _sums() -> str:
    """Each sum over each window, as SQL; names are ours. Seconds are summed in order, so that a replay is equal."""
    return ",\n       ".join(
        f"coalesce(sum(d.{name}{' order by d.local_date' if name.endswith('seconds') else ''}) "
        f"filter (where d.local_date > m.today - {days}), 0) as {name}_{window}"
        for window, days in WINDOWS.items()
        for name in SUMMED
    )


# Days are read once for each learner; the streak is the first island of study days, if it reaches today or yesterday.
ROLLING = f"""
with m as (select * from unnest(cast(:users as uuid[]), cast(:today as date[])) as m(user_id, today)),
days as (
  select m.user_id, m.today, d.local_date,
         d.active_seconds >= 600 or d.questions + d.reviews >= 10 as is_study_day
    from m join daily_user_stats d on d.user_id = m.user_id and d.local_date <= m.today),
islands as (
  select user_id, today, local_date, max(local_date) over (partition by user_id) as newest,
         local_date + (row_number() over (partition by user_id order by local_date desc))::int as island
    from days where is_study_day),
streaks as (
  select user_id, count(*) filter (where island = newest + 1 and newest >= today - 1) as streak_days,
         count(*) filter (where local_date > today - 28) as active_days_28d
    from islands group by 1)
select m.user_id, {_sums()},
       min(d.local_date) as began_on, max(s.streak_days) as streak_days, max(s.active_days_28d) as active_days_28d,
       sum(d.answer_seconds order by d.local_date) filter (where d.local_date > m.today - 90) as answer_seconds_90d,
       percentile_cont(0.5) within group (order by d.active_seconds / 60)
         filter (where d.local_date > m.today - 28 and d.active_seconds >= 60) as median_active_minutes
  from m
  left join daily_user_stats d on d.user_id = m.user_id and d.local_date <= m.today
  left join streaks s on s.user_id = m.user_id
 group by m.user_id
"""

SESSIONS = """
with m as (
  select * from unnest(cast(:users as uuid[]), cast(:today as date[]), cast(:as_of as timestamptz[]))
      as m(user_id, today, as_of))
select m.user_id,
       percentile_cont(array[0.25, 0.5, 0.75]) within group (order by s.active_seconds / 60)
         filter (where s.active_seconds >= 60) as session_minutes,
       avg(s.active_seconds / 60 order by s.first_event_ts, s.first_event_id) filter (where s.active_seconds >= 60)
         as mean_session_minutes,
       sum(s.active_seconds order by s.first_event_ts, s.first_event_id)
         filter (where s.local_date > m.today - 28) as active_seconds,
       sum(s.total_seconds order by s.first_event_ts, s.first_event_id)
         filter (where s.local_date > m.today - 28) as total_seconds,
       coalesce(sum(s.interruptions) filter (where s.local_date > m.today - 28), 0) as interruptions,
       coalesce(bool_or(s.has_signals) filter (where s.local_date > m.today - 28), false) as has_signals
  from m join study_sessions s on s.user_id = m.user_id and s.local_date > m.today - 90 and s.first_event_ts <= m.as_of
 group by 1
"""

# The learner's own pace at cards; whole milliseconds, so that the sum is the same in whatever order.
REVIEWS = """
with m as (select * from unnest(cast(:users as uuid[]), cast(:as_of as timestamptz[])) as m(user_id, as_of))
select m.user_id, avg(round(least(a.time_to_answer_seconds, 120) * 1000)::bigint)::float8 / 1000 as seconds
  from m join question_attempts a on a.user_id = m.user_id and a.card_id is not null and a.event_ts <= m.as_of
   and a.event_ts > m.as_of - interval '90 days' and a.time_to_answer_seconds is not null
 group by 1 having count(*) >= :least
"""
LEAST_REVIEWS = 10


async def refresh(s: WriteSession, moments: Moments) -> None:
    """Replace the rolling measures of these learners. The same moments twice write the same rows."""
    if not moments.user_ids:
        return
    on = await ground_now(s)
    known = await setups(s, moments.user_ids)
    as_ofs = dict(zip(moments.user_ids, moments.as_of, strict=True))
    today = [known[user_id].today(as_ofs[user_id]) for user_id in moments.user_ids]
    given = {"users": list(moments.user_ids), "today": today}
    sums = {row["user_id"]: row for row in await s.rows(sa.text(ROLLING), given, name="jobs.rolling")}
    timed = {row["user_id"]: row for row in await s.rows(sa.text(SESSIONS), {**given, "as_of": list(moments.as_of)})}
    paces = {"users": list(moments.user_ids), "as_of": list(moments.as_of), "least": LEAST_REVIEWS}
    reviews = {row["user_id"]: row["seconds"] for row in await s.rows(sa.text(REVIEWS), paces)}
    topics = await topics_of(s, moments.user_ids)
    rows = [
        {
            "user_id": user_id,
            "as_of": as_ofs[user_id],
            "as_of_on": known[user_id].today(as_ofs[user_id]),
            "model_version": f"{VERSION}+{on.parameters.version}",
            **_habits(sums[user_id], known[user_id].today(as_ofs[user_id])),
            **_sessions(timed.get(user_id)),
            "seconds_per_review": reviews.get(user_id),
            **_features(sums[user_id], topics[user_id], known[user_id], as_ofs[user_id], on),
        }
        for user_id in moments.user_ids
    ]
    await replace_rows(s, user_learning_metrics, moments.user_ids, rows)


def _habits(row: sa.RowMapping, today: date) -> dict[str, Any]:
    """Sums by window, and what the days say of habits."""
    sums = {f"{name}_{window}": row[f"{name}_{window}"] for window in WINDOWS for name in SUMMED}
    answers = row["questions_90d"] + row["reviews_90d"]
    return {
        **sums,
        "days_since_start": 0 if row["began_on"] is None else max(0, (today - row["began_on"]).days),
        "active_days_28d": row["active_days_28d"] or 0,
        "streak_days": row["streak_days"] or 0,
        "median_active_minutes": row["median_active_minutes"],
        "seconds_per_answer": float(row["answer_seconds_90d"]) / answers if answers else None,
    }


def _sessions(row: sa.RowMapping | None) -> dict[str, Any]:
    """Lengths of sessions and focus; nothing where there was no session in 90 days."""
    if row is None:
        return {"session_minutes": None, "mean_session_minutes": None, "focus_score": None}
    active, total = float(row["active_seconds"] or 0), float(row["total_seconds"] or 0)
    share = min(1.0, active / total) if total > 0 else None
    return {
        "session_minutes": row["session_minutes"],
        "mean_session_minutes": row["mean_session_minutes"],
        "focus_score": focus_score(share, row["interruptions"], active / 3600, signals=row["has_signals"]),
    }


def _features(
    row: sa.RowMapping, topics: TopicRows, known: LearnerSetup, as_of: datetime, on: Ground
) -> dict[str, Any]:
    """The brief's eight features; the counts of topics are over the blueprint, or 0 where there is none."""
    exam = on.catalogue.exam_or_default(known.exam_id)
    states = () if exam is None else learner_state(topics, exam, as_of, on).topics
    features = exam_features(
        states,
        accuracy_30d=_share(row["first_correct_30d"], row["first_attempts_30d"]),
        study_minutes_total=float(row["active_seconds_all"]) / 60,
        first_attempt_accuracy=_share(row["first_correct_all"], row["first_attempts_all"]),
        questions_attempted_total=int(row["questions_all"]),
        days_since_start=None,
    )
    whole = ("topics_mastered", "topics_weak", "questions_attempted_total")
    kept = {name: value for name, value in features.items() if name != "days_since_start"}
    return kept | {name: int(features[name] or 0) for name in whole}


def _share(part: int, whole: int) -> float | None:
    return float(part) / float(whole) if whole else None
