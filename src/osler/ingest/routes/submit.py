"""An answer to a question: graded, committed, and the new mastery in the same reply."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from osler.errors import NotFound
from osler.http.deps import Here
from osler.http.straight import straight
from osler.http.strict import api_router
from osler.ingest.pipeline import Ingestion, Taken, ingestion_of
from osler.ingest.routes import documents as doc
from osler.ingest.routes.answers import json_answer, refusal
from osler.ingest.routes.batches import FAILURES, Writer
from osler.ingest.routes.bodies import object_of
from osler.ingest.routes.hooks import Hooks
from osler.ingest.routes.typed import QuestionId, take

EXAMPLE: dict[str, Any] = {"answer": "A", "time_spent": 45}
EXAMPLE_ANSWER: dict[str, Any] = {
    **doc.EXAMPLE_ANSWER,
    "is_correct": True,
    "mastery": [{"topic_id": "cardiovascular.failure", "mastery_score": 0.62}],
    "mastery_pending": False,
}
_KEY = {"type": "string", "pattern": "^[A-Za-z0-9]{1,8}$"}
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "answer": {"oneOf": [_KEY, {"type": "array", "items": _KEY, "maxItems": 10}]},
        "time_spent": {"type": "number", "minimum": 0, "maximum": 14_400, "description": "seconds"},
        "mode": {"enum": ["tutor", "timed", "exam", "untimed"], "default": "untimed"},
        "confidence": {"type": "integer", "minimum": 1, "maximum": 5},
        "hints_used": {"type": "integer", "minimum": 0, "maximum": 20},
        "block_id": {"type": "string", "pattern": "^[A-Za-z0-9_.:-]{1,64}$"},
        "position": {"type": "integer", "minimum": 1, "maximum": 2000},
        **doc.COMMON,
    },
    "required": ["answer", "time_spent"],
    "additionalProperties": False,
}


def router(hooks: Hooks) -> APIRouter:
    """The route of an answer."""
    routes = api_router("/api/questions", "events by kind")

    @routes.post(
        "/{item_id}/submit", openapi_extra=doc.body_of(SCHEMA, EXAMPLE),
        responses=doc.answers(EXAMPLE_ANSWER, 404, 409, 422, *FAILURES),
    )  # fmt: skip
    @straight
    async def submit(request: Request, item_id: QuestionId, scope: Writer, here: Here) -> Response:
        """Answer a question. The reply has the grade and the new mastery of its topics.

        `mastery_pending` says that the fold took over half a second: the mastery shown is the one before. Without
        `event_id` a retry is a second answer; our own clients always send one.
        """
        ingestion = ingestion_of(here.db)
        await _known(ingestion, item_id)
        body = await object_of(request)
        taken = await take(scope, here, "question_submit", _renamed(body), {"question_id": item_id})
        outcome = taken.outcomes[0]
        if refused := refusal(request, outcome):
            return refused
        mastery, done = await hooks.answered(scope.principal.user_id, item_id)
        answer = {
            "event_id": outcome.id,
            "status": outcome.status,
            "warnings": outcome.warnings,
            "is_correct": _verdict(ingestion, item_id, body, taken),
            "mastery": mastery,
            "mastery_pending": not done,
        }
        return json_answer(answer)

    return routes


def _renamed(body: dict[str, Any]) -> dict[str, Any]:
    """The endpoint's own words in those of the event: a single key is a list of one, time is time to answer."""
    made = {**body}
    made.setdefault("mode", "untimed")
    if isinstance(made.get("answer"), str):
        made["answer"] = [made["answer"]]
    if "time_spent" in made:
        made["time_to_answer_seconds"] = made.pop("time_spent")
    return made


async def _known(ingestion: Ingestion, question_id: str) -> None:
    """Errors: NotFound for a question that cannot be graded here because nobody knows it."""
    if ingestion.catalog.grades.get(question_id) is None:
        async with ingestion.db.ingest_pool.acquire() as connection:
            ingestion.catalog.grades.pop(question_id, None)
            await ingestion.catalog.look_up(connection, [question_id], ())
    if ingestion.catalog.grades.get(question_id) is None:
        raise NotFound("There is no such question.", code="question.unknown")


def _verdict(ingestion: Ingestion, question_id: str, body: dict[str, Any], taken: Taken) -> bool | None:
    """The stored grade; for a resend the same, as content and key are the same."""
    if len(taken.accepted):
        return taken.accepted.rows.is_correct[0]
    grade = ingestion.catalog.grades.get(question_id)
    if grade is None or grade.key is None:
        return None
    answer = body.get("answer")
    chosen = [answer] if isinstance(answer, str) else list(answer or ())
    return tuple(sorted(set(chosen))) == grade.key
