"""How easy are questions and topics, by everybody's first attempts? Counted once a week, straight from the log.

Nobody makes up more than a tenth of what is counted of a topic, its prior included, whatever they send. The counts
serve from the refold on where ten learners or more are forecast better than by taking all questions to be equally easy.
"""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Any

import msgspec

from osler.db.session import WriteSession
from osler.evaluate.easiness_trial import EasinessTrial, tried
from osler.forecasts.easiness import FOLD_NAME, Counts, Easiness
from osler.forecasts.parameters import EASINESS, Fitted, store
from osler.jobs.periods import Cadence
from osler.jobs.run import Job, Run
from osler.rollups.nightly import as_of_night
from osler.science.item_easiness import FOLDS, TOPIC_PRIOR
from osler.science.voices import GRAINS, most_of_one
from osler.worker.told import ANSWERS, FIRST_ANSWERS, none_before, taught

NAME = "fit_item_easiness"

# The fold is `osler.science.item_easiness.fold_of`: the first 32 bits of SHA-256.
_FIRSTS = f"""
create temporary table first_attempts on commit drop as
select distinct on (user_id, question_id) user_id, question_id, event_ts, is_correct, topic_ids,
       ('x' || substr(encode(sha256(convert_to('{FOLD_NAME}' || user_id, 'UTF8')), 'hex'), 1, 8))::bit(32)::bigint
       % {FOLDS} as fold
  from ({ANSWERS}) answers order by user_id, question_id, event_ts, event_id
"""
_ON_TOPICS = """
create temporary table on_topics on commit drop as
select coalesce(topic, '') as topic_id, user_id, count(*) as answers
  from first_attempts f left join unnest(f.topic_ids) as topic on true group by 1, 2
"""
_OF_EACH = "select topic_id, array_agg(answers) as of_each from on_topics group by 1"
# On several topics the least weight holds, as in `osler.science.voices.weights`.
_COUNTS = f"""
with told as (
  select t.user_id, t.topic_id, floor(least(1.0::float8, m.most / t.answers) * {GRAINS}) / {GRAINS} as weight
    from on_topics t join unnest($1::text[], $2::float8[]) as m (topic_id, most) using (topic_id)),
weighed as (
  select f.question_id, f.fold, f.is_correct, min(told.weight) as weight
    from first_attempts f left join unnest(f.topic_ids) as topic on true
    join told on told.user_id = f.user_id and told.topic_id = coalesce(topic, '')
   group by f.user_id, f.question_id, f.fold, f.is_correct)
select question_id, fold, sum(weight * is_correct::int)::float8 as correct, sum(weight)::float8 as answers
  from weighed where weight > 0 group by 1, 2 order by 1, 2
"""
_TOPICS = """
select distinct question_id, unnest(topic_ids) as topic_id from first_attempts
 where question_id = any($1::text[]) order by 1, 2
"""
_SIZE = "select count(*) as rows, count(distinct user_id) as learners, max(event_ts) as newest from first_attempts"


def item_easiness_job() -> Job:
    """The weekly job."""
    return Job(NAME, "counts how easy questions and topics are", _fit, cadence=Cadence.WEEKLY)


async def _fit(run: Run) -> None:
    await run.progress("counting first attempts")
    until = as_of_night(run.day)
    async with run.write() as session:
        size: Any = await _gathered(session, until)
        if not size["rows"]:
            await run.progress(f"{none_before(run)}: every question is as easy as the start value")
            return
        counts = await _counted(session)
    async with run.read() as session:
        rows: Any = await session.driver().fetch(FIRST_ANSWERS, until)
    # In a thread: the lease of the job is renewed meanwhile.
    trial = await asyncio.to_thread(_tried, counts, rows)
    metrics: dict[str, Any] = {**(trial.metrics or {}), "reason": trial.reason}
    content = {**msgspec.to_builtins(counts), "accepted": trial.accepted}
    async with run.write() as session:
        fit = Fitted(EASINESS, content, size["newest"], size["learners"], size["rows"], metrics)
        await store(session, fit, promote=trial.accepted)
    await run.progress(f"questions; {trial.reason}", len(counts.items), len(counts.items))


def _tried(counts: Counts, rows: list[Any]) -> EasinessTrial:
    return tried(taught(rows, Easiness(counts).of))


async def _gathered(session: WriteSession, until: datetime) -> Any:
    driver = session.driver()
    # A statement with parameters makes no table, so the instant, which is our own, is written out.
    await driver.execute(_FIRSTS.replace("$1", f"'{until.isoformat()}'::timestamptz"))
    await driver.execute(_ON_TOPICS)
    return await driver.fetchrow(_SIZE)


async def _counted(session: WriteSession) -> Counts:
    driver = session.driver()
    of_each: Any = await driver.fetch(_OF_EACH)
    most = [most_of_one(row["of_each"], TOPIC_PRIOR) for row in of_each]
    counted: Any = await driver.fetch(_COUNTS, [row["topic_id"] for row in of_each], most)
    items = {name: place for place, name in enumerate(sorted({row["question_id"] for row in counted}))}
    pairs: Any = await driver.fetch(_TOPICS, list(items))
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
