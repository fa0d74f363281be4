"""What do the results that came in teach about the forecasts of exams? Fitted once a week, for each exam.

Forecasts that were written before their result was known are held against it: recalibration, widths of intervals, and
the trained models under their rule (`osler.evaluate.exam_fitting`). The same results again make the same model.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from osler.analytics.readiness.features import FEATURES
from osler.analytics.readiness.model import MIN_COVERAGE
from osler.evaluate.exam_fitting import fit_exam, from_columns
from osler.forecasts import exam_models
from osler.jobs.periods import Cadence
from osler.jobs.run import Job, Run
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
_COLUMNS = ("learner", *FEATURES, "expected", "score_sd", "closed_form", "cohort_id", "score", "passed")


def exam_fits_job() -> Job:
    """The weekly job."""
    return Job(NAME, "learns from the results of exams", _fit_all, cadence=Cadence.WEEKLY)


async def _fit_all(run: Run) -> None:
    async with run.read() as session:
        rows: Any = await session.driver().fetch(_RESULTS, MIN_COVERAGE)
    exams = list(dict.fromkeys(row["exam_id"] for row in rows))
    for done, exam_id in enumerate(exams, start=1):
        mine = [row for row in rows if row["exam_id"] == exam_id]
        # In a thread: the lease of the job is renewed meanwhile.
        model = await asyncio.to_thread(_fit, exam_id, mine)
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
