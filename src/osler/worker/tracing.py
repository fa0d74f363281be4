"""What was known before each answer, of everybody or of a sample of learners, by the fold that serves.

Whoever has answered a question is in the sample while there is room, in the order of a hash of the pseudonym: the same
learners each week, and no matter who came first. Only numbers are kept, learner by learner; of a learner of very many
answers an even part, as many as such a learner weighs in the fit.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import numpy as np
import numpy.typing as npt

from osler.analytics.contract import Analytic, Traced
from osler.db.session import ReadSession, WriteSession
from osler.evaluate.next_answer_trial import is_held_back
from osler.forecasts.parameters import Parameters
from osler.jobs.run import Run
from osler.live.catch_up import Live
from osler.live.shadow import cast_shadow
from osler.live.together import Together
from osler.science.next_answer_fit import MOST_ANSWERS, Collected, collected, joined
from osler.worker.catching_up import parking
from osler.worker.teachers import TEACHERS

LEARNERS_A_SHADOW = 50
SECONDS_A_SHADOW = 30.0
"""A shadow costs as much as tracing ten learners of a few answers. It holds nobody's lock, so it may last."""

_KNOWN = f"""
select a.user_id, least(count(*), {MOST_ANSWERS}) as answers
  from question_attempts a join {TEACHERS} t on t.user_id = a.user_id
 where a.question_id is not null and a.event_ts < $1
 group by 1 order by md5('osler:sample:' || a.user_id), 1
"""


@dataclass(frozen=True, slots=True)
class Sample:
    """Learners to be traced, out of all `known` who have answered a question before `until`."""

    user_ids: Sequence[UUID]
    known: int
    until: datetime

    def __str__(self) -> str:
        """In words, for the job's progress."""
        drawn = len(self.user_ids)
        return f"all {drawn} learners" if drawn == self.known else f"a sample of {drawn} of {self.known} learners"


@dataclass(frozen=True, slots=True)
class Traces:
    """Answers for a fit. Shapes: `learner` (n,) codes of the rows, `held_back` (n,) whether the row's learner is."""

    rows: Collected
    learner: npt.NDArray[np.int64]
    held_back: npt.NDArray[np.bool_]
    newest: datetime


async def sampled(session: ReadSession, until: datetime, most_answers: int) -> Sample:
    """As many of the learners with answers before `until` as have `most_answers` together, and one at least."""
    rows: Any = await session.driver().fetch(_KNOWN, until)
    before = np.cumsum([0, *(row["answers"] for row in rows)])[:-1]
    drawn = [row["user_id"] for row, others in zip(rows, before, strict=True) if others < most_answers]
    return Sample(drawn, len(rows), until)


async def traced(
    run: Run, live: Live, analytics: Sequence[Analytic], parameters: Parameters, sample: Sample
) -> Traces | None:
    """The answers of the sample, as if all were folded under `parameters`; None where there is none.

    Who cannot be traced is parked. Memory: about 600 bytes an answer at most.
    """
    kept: dict[UUID, tuple[Collected, datetime]] = {}
    tables = [found.table for analytic in analytics for found in analytic.tables]

    @asynccontextmanager
    async def shadowed() -> AsyncGenerator[WriteSession]:
        async with run.write(keeps_plans=True) as session:
            await cast_shadow(session, tables)
            yield session

    async def trace(session: WriteSession, user_id: UUID) -> int:
        rows = [one for one in await live.trace_in(session, user_id, parameters) if one.event_ts < sample.until]
        if rows:
            kept[user_id] = _compact(rows), rows[-1].event_ts
        return len(rows)

    told = run.counting(f"tracing answers of {sample}", len(sample.user_ids))
    together = Together(shadowed, trace, parking(run), told, LEARNERS_A_SHADOW, SECONDS_A_SHADOW)
    await together.fold(sample.user_ids)
    return _together([(user_id, *kept[user_id]) for user_id in sample.user_ids if user_id in kept])


def _compact(rows: list[Traced]) -> Collected:
    """Numbers instead of values; spread evenly where there are more than count."""
    if len(rows) > MOST_ANSWERS:
        rows = [rows[place] for place in np.linspace(0, len(rows) - 1, MOST_ANSWERS).astype(int)]
    return collected([one.asked for one in rows], [one.correct for one in rows])


def _together(kept: list[tuple[UUID, Collected, datetime]]) -> Traces | None:
    if not kept:
        return None
    sizes = [part.rows.item.size for _, part, _ in kept]
    return Traces(
        joined([part for _, part, _ in kept]),
        np.repeat(np.arange(len(kept), dtype=np.int64), sizes),
        np.repeat([is_held_back(user_id) for user_id, _, _ in kept], sizes),
        max(newest for _, _, newest in kept),
    )
