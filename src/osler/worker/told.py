"""What did learners answer, as fits read it: regraded where it was, the first answers of each, with their easiness."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import groupby
from typing import Any
from uuid import UUID

from osler.evaluate.prior_variances_trial import MOST_OF_ONE, Taught
from osler.jobs.run import Run
from osler.rollups.nightly import as_of_night
from osler.science.features import Answer
from osler.science.item_easiness import Encoding
from osler.worker.teachers import TEACHERS

MOST_ROWS = 300_000

# What was asked of a question that left the catalogue is told by the event. A regraded answer counts as regraded.
ANSWERS = f"""
select a.user_id, a.question_id, a.event_ts, a.event_id, a.effective_at,
       coalesce(g.is_correct, a.is_correct) as is_correct,
       coalesce(nullif(q.topic_ids, '{{}}'), e.topic_ids, '{{}}') as topic_ids
  from question_attempts a
  join {TEACHERS} t on t.user_id = a.user_id
  left join questions q on q.question_id = a.question_id
  left join study_events e on coalesce(q.topic_ids, '{{}}') = '{{}}' and e.user_id = a.user_id
                          and e.event_ts = a.event_ts and e.event_id = a.event_id
  left join (select distinct on (user_id, data ->> 'attempt_event_id') user_id,
                    (data ->> 'attempt_event_id')::uuid as attempt, (data ->> 'is_correct')::boolean as is_correct
               from study_events where event_type = 'question_regrade'
              order by user_id, data ->> 'attempt_event_id', (data ->> 'key_version')::int desc, event_ts desc,
                       event_id desc) g on g.user_id = a.user_id and g.attempt = a.event_id
 where a.question_id is not null and a.event_ts < $1 and coalesce(g.is_correct, a.is_correct) is not null
"""

# Whole learners in an order of their own, so that a cut takes none apart but the last.
FIRST_ANSWERS = f"""
select user_id, question_id, topic_ids, is_correct, effective_at, event_ts from (
  select a.*, row_number() over (partition by user_id order by event_ts, event_id) as place from ({ANSWERS}) a) numbered
 where place <= {MOST_OF_ONE} order by md5(user_id::text), user_id, place limit {MOST_ROWS}
"""


def taught(rows: Iterable[Any], encoding: Callable[[UUID], Encoding]) -> list[Taught]:
    """The rows of `FIRST_ANSWERS` learner by learner, with the easiness that each is folded under."""
    return [
        Taught(str(user_id), [_answer(row) for row in own], encoding(user_id))
        for user_id, own in groupby(rows, key=lambda row: row["user_id"])
    ]


def _answer(row: Any) -> Answer:
    at = row["effective_at"].timestamp()
    return Answer(row["question_id"], tuple(row["topic_ids"]), bool(row["is_correct"]), at)


def none_before(run: Run) -> str:
    """What a fit says that found nothing: reviews of cards are no answers to questions, and newer ones come later."""
    return f"no answers to questions before {as_of_night(run.day):%Y-%m-%d %H:%M} UTC"
