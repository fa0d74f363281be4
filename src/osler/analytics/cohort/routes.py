"""`/api/analytics/cohort`: a class as published, one topic in it, and an educator's list of their own learners."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request
from starlette.responses import Response

from osler.analytics.cohort.answer import answer, learners_answer, no_class, not_opted_in
from osler.analytics.cohort.queries import cohort_for, figures_of, learners_of
from osler.analytics.cohort.schemas import CohortAnswer, LearnersAnswer
from osler.catalog.snapshot import catalogue
from osler.db.engine import ReadSession
from osler.errors import NotFound
from osler.http.answers import encoded
from osler.http.audit import AuditEntry, record, stated_purpose
from osler.http.deps import AsOf, ReadDb, WriteDb
from osler.http.policy import Action, Reach
from osler.http.scope import Scope, require
from osler.http.strict import api_router

ReadCohort = Annotated[Scope, Depends(require(Action.READ_COHORT))]
ReadLearners = Annotated[Scope, Depends(require(Action.READ_COHORT_LEARNERS))]
CohortId = Annotated[
    str | None,
    Query(pattern=r"^[A-Za-z0-9_.:-]{1,64}$", description="which class; the caller's first one without it",
          examples=["sample-class.1"]),
]  # fmt: skip
TopicId = Annotated[str, Path(pattern=r"^[A-Za-z0-9_.:-]{1,128}$", examples=["renal.acid-base"])]
router: APIRouter = api_router("/api/analytics/cohort", "cohort")


@router.get("", response_model=CohortAnswer)
async def cohort(scope: ReadCohort, db: ReadDb, as_of: AsOf, cohort_id: CohortId = None) -> Response:
    """The newest published week of a class: distribution, hard topics, and the band that the learner lies in."""
    return _json(await _asked(scope, db, as_of, cohort_id, None))


@router.get("/learners", response_model=LearnersAnswer)
async def cohort_learners(request: Request, scope: ReadLearners, db: WriteDb, cohort_id: CohortId = None) -> Response:
    """An educator's own learners with those first who need a look; each learner in it is audited."""
    mine = await cohort_for(db, scope.user_id, scope.reach, cohort_id)
    if mine is None or scope.reach < Reach.COHORT or (scope.reach is not Reach.ALL and mine["role"] != "educator"):
        return _json(no_class())
    async with scope.db.read() as whole:  # the row-level policy of `db` would hide every learner but the caller
        rows = await learners_of(whole, mine["cohort_id"])
    for row in rows:
        await record(
            db,
            AuditEntry(
                actor_id=scope.principal.user_id,
                role="+".join(sorted(scope.principal.roles)),
                action=scope.action,
                purpose=stated_purpose(request.headers.get("osler-purpose")),
                subject_id=row["user_id"],
                fields=("cohort_learners",),
                is_allowed=True,
                request_id=scope.request_id,
            ),
        )
    return _json(learners_answer(mine["cohort_id"], rows))


@router.get("/{topic_id}", response_model=CohortAnswer)
async def cohort_topic(
    topic_id: TopicId, scope: ReadCohort, db: ReadDb, as_of: AsOf, cohort_id: CohortId = None
) -> Response:
    """One topic in the class: how many struggle, how hard it is, how long mastery takes."""
    return _json(await _asked(scope, db, as_of, cohort_id, topic_id))


async def _asked(
    scope: Scope, s: ReadSession, as_of: Any, cohort_id: str | None, topic_id: str | None
) -> dict[str, Any]:
    known = await catalogue(s)
    if topic_id is not None and topic_id not in known.topics:
        raise NotFound("There is no such topic.", code="topic.unknown")
    mine = await cohort_for(s, scope.user_id, scope.reach, cohort_id)
    if mine is None:
        return not_opted_in()
    return answer(await figures_of(s, scope.user_id, as_of, mine["cohort_id"], topic_id), mine, known)


def _json(made: dict[str, Any]) -> Response:
    return Response(encoded(made), media_type="application/json")
