"""Which fits serve from now on, and is everybody folded under them? The last of the weekly jobs of models.

The newest easiness and prior variances if they were accepted, the model of the next answer if it was and was trained
under both, and the learning rates make a version of the parameters, which is promoted. Then every learner is folded
anew under it; those whose memory was fitted in between are already. Forecasts that were made stay as they were. Fits
with an erased learner that nobody is served by any more are emptied.
"""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

import msgspec

from osler.db.session import ReadSession, WriteSession
from osler.forecasts.parameters import (
    EASINESS,
    LEARNING_RATE,
    NEXT_ANSWER,
    PRIOR_VARIANCES,
    TASK,
    Fitted,
    ParameterStore,
    Parts,
    accepted,
    newest,
    parts_of,
    store,
)
from osler.forecasts.shelf import Shelf
from osler.jobs.periods import Cadence
from osler.jobs.run import Job, Run
from osler.live.catch_up import Live
from osler.live.together import Together
from osler.worker.catching_up import catching_up, parking

PROMOTE, REFOLD = "promote_fits", "refold"
LEARNERS_A_LOOK = 10_000
_FITS = [EASINESS, NEXT_ANSWER, LEARNING_RATE, PRIOR_VARIANCES]

_BEHIND = """
select user_id, count(*) over () as n from learner_states where parameter_version <> $1 and user_id > $2
 order by user_id limit $3
"""
_SIZE = """
select max(trained_until) as until, max(learners) as learners, max(rows) as rows from models
 where version = any($1::text[]) or $1 = '{}' and task = any($2::text[])
"""

# Emptied are flagged fits that no version which a learner is folded under is made of, and which is not the newest.
_UNUSED = """
with used as (
  select content from models where task = 'parameters'
     and (version in (select parameter_version from learner_states) or version = $1))
update models m set content = '{}'
 where m.flagged_at is not null and m.task = any($2::text[]) and m.content <> '{}'
   and not exists (select from used u, jsonb_each_text(u.content) as part where part.value = m.version)
returning m.version, m.task
"""


def promote_job(live: Live) -> Job:
    """The weekly job that says what serves."""

    async def promote(run: Run) -> None:
        await catching_up(live)(run)  # what was answered so far is forecast by what served so far
        async with run.write() as session:
            version = await _promoted(session)
        await run.progress(f"served from now on: {version}")

    return Job(PROMOTE, "promotes what was fitted and accepted", promote, cadence=Cadence.WEEKLY)


def refold_job(live: Live) -> Job:
    """The weekly job that folds everybody under it."""

    async def refold(run: Run) -> None:
        async with run.read() as session:
            version = await ParameterStore().current_version(session)
        done = await _refold_all(run, live, version)
        async with run.write() as session:
            emptied: Any = await session.driver().fetch(_UNUSED, version, _FITS)
        shelf = Shelf(run.database.settings.home)
        for row in emptied:
            shelf.remove(row["version"])
        await run.progress(f"learners folded under {version}", done)

    return Job(REFOLD, "folds everybody under what was promoted", refold, cadence=Cadence.WEEKLY)


async def parts_to_serve(session: ReadSession) -> Parts:
    """The fits that belong together: a model serves only with the easiness and variances that it was trained under."""
    easiness, variances = await accepted(session, EASINESS), await accepted(session, PRIOR_VARIANCES)
    model, rates = await newest(session, NEXT_ANSWER), await newest(session, LEARNING_RATE)
    winning = rates[0] if rates is not None and rates[1]["wins"] else None
    serving = None
    if model is not None and model[1]["accepted"]:
        under = model[1].get("item_easiness"), model[1].get("prior_variances")
        serving = model[0] if under == (easiness, variances) else None
    return Parts(easiness, serving, winning, variances)


async def _promoted(session: WriteSession) -> str:
    """The version to serve: made and promoted where it is new."""
    parts, current = await parts_to_serve(session), await ParameterStore().current_version(session)
    if parts == await parts_of(session, current):
        return current
    names = [part for part in msgspec.structs.astuple(parts) if part is not None]
    size: Any = await session.driver().fetchrow(_SIZE, names, _FITS)
    until: datetime = size["until"]
    fit = Fitted(TASK, msgspec.to_builtins(parts), until, size["learners"], size["rows"])
    await store(session, fit, promote=True)
    return await ParameterStore().current_version(session)  # another, where somebody went back to it by hand


async def _refold_all(run: Run, live: Live, version: str) -> int:
    """Fold everybody under the version; gives how many were looked at."""

    async def fold_one(session: WriteSession, user_id: UUID) -> int:
        return await live.refold_under(session, user_id, version)

    after, done = UUID(int=0), 0
    while True:
        async with run.read() as session:
            rows: Any = await session.driver().fetch(_BEHIND, version, after, LEARNERS_A_LOOK)
        if not rows:
            return done
        # Not durable: what a crash undoes is still under another version. Fenced: nobody goes back to an old one.
        together = Together(
            partial(run.write, is_durable=False, keeps_plans=True), fold_one, parking(run),
            run.counting("folding anew", done + rows[0]["n"], done),
        )  # fmt: skip
        await together.fold([row["user_id"] for row in rows])
        after, done = rows[-1]["user_id"], done + len(rows)
