"""What do the results that came in teach about the forecasts of exams? Fitted once a week, for each exam.

Forecasts that were written before their result was known are held against it: recalibration, widths of intervals, and
the trained models under their rule (`osler.evaluate.exam_fitting`). The same results again make the same model.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from math import fsum
from typing import Any

import msgspec

from osler.analytics.readiness.features import FEATURES
from osler.analytics.readiness.model import MIN_COVERAGE
from osler.evaluate.exam_fitting import fit_exam, from_columns
from osler.forecasts import exam_models
from osler.jobs.periods import Cadence
from osler.jobs.run import Job, Run
from osler.science.calibration import MIN_LOGISTIC
from osler.science.exam_learned import ExamModel

NAME = "exam_models"
SEED = 0

# Simulated learners teach only where there is nobody else. A result that was known before the snapshot teaches nothing.
_RESULTS = f"""
with found as (
  select s.*, o.score, coalesce(o.passed, o.score >= e.cut) as passed, e.cut, e.cut_sd, u.is_sample,
         bool_or(not u.is_sample) over (partition by s.exam_id) as has_real
    from exam_snapshots s
    join exam_outcomes o using (user_id, exam_id, exam_on)
    join exams e using (exam_id)
    join users u using (user_id)
   where s.coverage >= $1 and s.made_at < o.recorded_at)
select user_id as learner, exam_id, exam_on, milestone, {", ".join(FEATURES)}, expected, score_sd, closed_form,
       cohort_id, score, passed, cut, cut_sd
  from found where not (is_sample and has_real)
 order by exam_id, exam_on, user_id, milestone
"""
# The forecast that was served a week before each exam, or the last one before that, beside what came. Of several of one
# instant the first stands.
_SERVED = """
select o.exam_id, p.probability, p.low, p.high, o.score, coalesce(o.passed, o.score >= e.cut) as passed, u.is_sample,
       bool_or(not u.is_sample) over (partition by o.exam_id) as has_real
  from exam_outcomes o
  join exams e using (exam_id)
  join users u using (user_id)
 cross join lateral (
   select p.probability, p.low, p.high from predictions p
    where p.user_id = o.user_id and p.task = 'exam' and p.about = o.exam_id || '/' || o.exam_on
      and p.as_of < o.exam_on - 6 and p.made_at < o.recorded_at
    order by p.as_of desc, p.made_at, p.model_version limit 1) p
"""
_COLUMNS = ("learner", *FEATURES, "expected", "score_sd", "closed_form", "cohort_id", "score", "passed")


def exam_fits_job() -> Job:
    """The weekly job."""
    return Job(NAME, "learns from the results of exams", _fit_all, cadence=Cadence.WEEKLY)


async def _fit_all(run: Run) -> None:
    async with run.write() as session:
        emptied = await exam_models.take_out_of_use(session)
    for version in emptied:
        exam_models.remove(run.database.settings.home, version)
    async with run.read() as session:
        rows: Any = await session.driver().fetch(_RESULTS, MIN_COVERAGE)
        served: Any = await session.driver().fetch(_SERVED)
    exams = list(dict.fromkeys(row["exam_id"] for row in rows))
    for done, exam_id in enumerate(exams, start=1):
        mine = [row for row in rows if row["exam_id"] == exam_id]
        # In a thread: the lease of the job is renewed meanwhile.
        told = [row for row in served if row["exam_id"] == exam_id and not (row["is_sample"] and row["has_real"])]
        model = scored(await asyncio.to_thread(_fit, exam_id, mine), told)
        async with run.write() as session:
            learners = len({row["learner"] for row in mine})
            home = run.database.settings.home
            await exam_models.store(session, home, model, learners=learners, rows=len(mine))
        await run.progress("fitted", done, len(exams))


def _fit(exam_id: str, rows: Sequence[Any]) -> ExamModel:
    columns: dict[str, list[object]] = {name: [row[name] for row in rows] for name in _COLUMNS}
    columns["exam_on"] = [row["exam_on"].toordinal() for row in rows]
    return fit_exam(
        from_columns(columns, FEATURES),
        exam_id,
        cut=rows[0]["cut"],
        cut_sd=rows[0]["cut_sd"] or 0.0,
        seed=SEED,
        trained_until=max(row["exam_on"] for row in rows).isoformat(),
    )


def scored(model: ExamModel, told: Sequence[Mapping[str, Any]]) -> ExamModel:
    """The model with what the forecasts that were served were worth; nothing under 30 results, where one could be told.

    `told` has probability, low and high of the score, and what came: score and passed, null where it is not known.
    """
    known = [row for row in told if row["score"] is not None]
    if model.outcomes < MIN_LOGISTIC:
        return model
    held = sum(row["low"] <= row["score"] <= row["high"] for row in known)
    judged = [(row["probability"] - row["passed"]) ** 2 for row in told if row["passed"] is not None]
    # An exact sum: no order of rows makes another model of the same results.
    brier = {**model.brier, "served": fsum(judged) / len(judged)} if judged else model.brier
    return msgspec.structs.replace(model, forecasts=len(known), held=held, brier=brier)
