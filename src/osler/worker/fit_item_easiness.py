"""How easy are questions and topics, by everybody's first attempts? Counted once a week, straight from the log.

A learner's answers count as at most 2,000 in all, whatever they send. Nothing is decided here: the next fits and the
refold say which counts are served.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from osler.db.session import WriteSession
from osler.forecasts.easiness import FOLD_NAME, Counts
from osler.forecasts.parameters import EASINESS, Fitted, store
from osler.jobs.periods import Cadence
from osler.jobs.run import Job, Run
from osler.rollups.nightly import as_of_night
from osler.science.item_easiness import FOLDS
from osler.science.next_answer_fit import MOST_ANSWERS
from osler.worker.teachers import TEACHERS

NAME = "fit_item_easiness"

# What was asked of a question that left the catalogue is told by the event. A regraded answer counts as regraded. The
# fold is `osler.science.item_easiness.fold_of`: the first 32 bits of SHA-256.
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

_FIRSTS = f"""
create temporary table first_attempts on commit drop as
select f.*, least(1.0, {MOST_ANSWERS}.0 / count(*) over (partition by user_id)) as weight,
       ('x' || substr(encode(sha256(convert_to('{FOLD_NAME}' || user_id, 'UTF8')), 'hex'), 1, 8))::bit(32)::bigint
       % {FOLDS} as fold
  from (select distinct on (user_id, question_id) * from ({ANSWERS}) answers
         order by user_id, question_id, event_ts, event_id) f
"""
_COUNTS = """
select question_id, fold, sum(weight * is_correct::int)::float8 as correct, sum(weight)::float8 as answers
  from first_attempts group by 1, 2 order by 1, 2
"""
_TOPICS = "select distinct question_id, unnest(topic_ids) as topic_id from first_attempts order by 1, 2"
_SIZE = "select count(*) as rows, count(distinct user_id) as learners, max(event_ts) as newest from first_attempts"


def item_easiness_job() -> Job:
    """The weekly job."""
    return Job(NAME, "counts how easy questions and topics are", _fit, cadence=Cadence.WEEKLY)


async def _fit(run: Run) -> None:
    await run.progress("counting first attempts")
    async with run.write() as session:
        size: Any = await _gathered(session, as_of_night(run.day))
        if not size["rows"]:
            await run.progress(f"{none_before(run)}: every question is as easy as the start value")
            return
        counts = await _counted(session)
        content = msgspec.to_builtins(counts)
        fit = Fitted(EASINESS, content, size["newest"], size["learners"], size["rows"])
        await store(session, fit, promote=False)
    await run.progress("questions", len(counts.items), len(counts.items))


def none_before(run: Run) -> str:
    """What a fit says that found nothing: reviews of cards are no answers to questions, and newer ones come later."""
    return f"no answers to questions before {as_of_night(run.day):%Y-%m-%d %H:%M} UTC"


async def _gathered(session: WriteSession, until: datetime) -> Any:
    driver = session.driver()
    # A statement with parameters makes no table, so the instant, which is our own, is written out.
    await driver.execute(_FIRSTS.replace("$1", f"'{until.isoformat()}'::timestamptz"))
    return await driver.fetchrow(_SIZE)


async def _counted(session: WriteSession) -> Counts:
    driver = session.driver()
    counted: Any = await driver.fetch(_COUNTS)
    pairs: Any = await driver.fetch(_TOPICS)
    items = {name: place for place, name in enumerate(sorted({row["question_id"] for row in counted}))}
    topics = {name: place for place, name in enumerate(sorted({row["topic_id"] for row in pairs}))}
    right, answers = ([[0.0] * len(items) for _ in range(FOLDS)] for _ in range(2))
    for row in counted:
        right[row["fold"]][items[row["question_id"]]] = row["correct"]
        answers[row["fold"]][items[row["question_id"]]] = row["answers"]
    return Counts(
        items=tuple(items),
        topics=tuple(topics),
        item_topics=tuple((items[row["question_id"]], topics[row["topic_id"]]) for row in pairs),
        right=tuple(map(tuple, right)),
        answers=tuple(map(tuple, answers)),
    )
