"""Endpoints that stand for one event type each. Thin: they build the event and call the same pipeline."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path, Request
from starlette.responses import Response

from osler.domain.identity import new_event_id
from osler.errors import InvalidInput
from osler.http.deps import Here
from osler.http.platform import Platform
from osler.http.scope import Scope
from osler.http.strict import api_router
from osler.ingest.pipeline import Taken, ingestion_of
from osler.ingest.routes import documents as doc
from osler.ingest.routes.answers import refusal, single_answer
from osler.ingest.routes.batches import FAILURES, Writer, read, wake
from osler.ingest.routes.bodies import object_of, sender_of
from osler.ingest.routes.building import build
from osler.ingest.routes.hooks import Hooks
from osler.ingest.wire import Envelope

ITEM_PATTERN = r"^[A-Za-z0-9_.:\-]{1,64}$"
QuestionId = Annotated[str, Path(pattern=ITEM_PATTERN, examples=[doc.EXAMPLE_QUESTION])]
MaterialId = Annotated[str, Path(pattern=ITEM_PATTERN, examples=[doc.EXAMPLE_MATERIAL])]
ConversationId = Annotated[str, Path(pattern=ITEM_PATTERN, examples=["conversation-1"])]
PATH_FIELDS = {"question_id": QuestionId, "material_id": MaterialId, "conversation_id": ConversationId}
SessionId = Annotated[UUID, Path(examples=["0f8e4c3a-1b2d-4e5f-8a9b-0c1d2e3f4a5b"])]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A path and the type it stands for; `path_field` is where the id in the path goes, one of `PATH_FIELDS`."""

    path: str
    event_type: str
    path_field: str | None
    sentence: str
    example: Mapping[str, Any] = field(default_factory=dict[str, Any])


SESSIONS = (
    Endpoint("heartbeat", "session_heartbeat", None, "The session is open: sent every 30 s.",
             {"active_seconds": 28, "idle_seconds": 2, "visible": True}),
    Endpoint("pause", "session_pause", None, "The session pauses.", {"reason": "user"}),
    Endpoint("resume", "session_resume", None, "The session goes on."),
    Endpoint("focus", "session_focus", None, "The application was left or came back.", {"state": "hidden"}),
)  # fmt: skip

ITEMS = (
    Endpoint("questions/{item_id}/view", "question_view", "question_id", "A question is shown.", {"position": 3}),
    Endpoint("questions/{item_id}/skip", "question_skip", "question_id", "A question is passed over.", {"seconds": 12}),
    Endpoint("questions/{item_id}/flag", "question_flag", "question_id", "A question is marked for later.",
             {"flagged": True}),
    Endpoint("questions/{item_id}/hint", "question_hint", "question_id", "A hint is opened.", {"hint_index": 1}),
    Endpoint("questions/{item_id}/explanation", "question_explanation", "question_id", "An explanation was read.",
             {"seconds": 40}),
    Endpoint("materials/{item_id}/open", "material_open", "material_id", "A material is opened.", {"kind": "text"}),
    Endpoint("materials/{item_id}/progress", "material_progress", "material_id", "How far it has been followed.",
             {"progress": 0.4, "active_seconds": 90}),
    Endpoint("materials/{item_id}/complete", "material_complete", "material_id", "It was followed to its end."),
    Endpoint("materials/{item_id}/close", "material_close", "material_id", "It was left.", {"reason": "user"}),
    Endpoint("materials/{item_id}/bookmark", "bookmark", "material_id", "A bookmark is set or removed.", {"on": True}),
    Endpoint("materials/{item_id}/highlights", "highlight", "material_id", "A passage is marked; never its words.",
             {"highlight_id": "h-1", "action": "create", "length_chars": 80, "position": 0.3, "colour": "yellow"}),
    Endpoint("materials/{item_id}/notes", "note_taken", "material_id", "A note is written; never its text.",
             {"note_id": "n-1", "action": "create", "length_chars": 120}),
    Endpoint("coach/{item_id}/start", "coach_start", "conversation_id", "A conversation with the coach begins.",
             {"context": "question", "context_id": doc.EXAMPLE_QUESTION}),
    Endpoint("coach/{item_id}/messages", "coach_message", "conversation_id", "A message; never its text.",
             {"message_id": "m-1", "role": "learner", "intent": "explain", "length_chars": 64}),
    Endpoint("coach/{item_id}/feedback", "coach_feedback", "conversation_id", "Whether a message helped.",
             {"message_id": "m-1", "helpful": True}),
    Endpoint("coach/{item_id}/actions", "coach_action", "conversation_id", "Something to study was offered.",
             {"action": "accepted", "target": "question", "target_id": doc.EXAMPLE_QUESTION}),
    Endpoint("coach/{item_id}/end", "coach_end", "conversation_id", "A conversation ends.", {"reason": "user"}),
)  # fmt: skip

VIDEO = {"play": "video_play", "pause": "video_pause", "seek": "video_seek"}


def router(hooks: Hooks) -> APIRouter:
    """Routes of sessions, questions, materials and the coach."""
    routes = api_router("/api", "events by kind")
    _add_session_edges(routes, hooks)
    for endpoint in SESSIONS:
        _add_session(routes, hooks, endpoint)
    for endpoint in ITEMS:
        _add_item(routes, hooks, endpoint)
    _add_video(routes, hooks)
    return routes


def described(event_type: str, example: Mapping[str, Any], *without: str) -> dict[str, Any]:
    """`openapi_extra` of a typed body: the type's own fields but those of the path, and the common ones."""
    schema = doc.data_schema(event_type)
    properties = {name: each for name, each in schema.get("properties", {}).items() if name not in without}
    required = [name for name in schema.get("required", []) if name not in without]
    body = {
        "type": "object",
        "properties": {**properties, **doc.COMMON},
        "required": required,
        "additionalProperties": False,
    }
    return doc.body_of(body, dict(example), required=bool(required))


async def take(
    scope: Scope, here: Platform, event_type: str, body: dict[str, Any], fixed: Mapping[str, Any] | None = None
) -> Taken:
    """Build the event and send it through the pipeline; `fixed` is what the path says of its data."""
    event = build(body, event_type, fixed or {}, await here.db.now())
    sent_at = body.get("sent_at")
    envelope = Envelope(sent_at=sent_at if isinstance(sent_at, str) else "", events=[])
    return await ingestion_of(here.db).take([read(event)], envelope, sender_of(scope))


def _options(event_type: str, example: Mapping[str, Any], *without: str, ok: int = 201) -> Any:
    """Keyword arguments of a route; `Any`, because the framework gives each of them a type of its own."""
    return {
        "openapi_extra": described(event_type, example, *without),
        "responses": doc.answers(doc.EXAMPLE_ANSWER, 200, 409, 422, *FAILURES, ok=ok),
        "status_code": ok,
    }


def _add_session_edges(routes: APIRouter, hooks: Hooks) -> None:
    @routes.post("/sessions/start", **_options("session_start", {"mode": "practice", "platform": "web"}))
    async def start_session(request: Request, scope: Writer, here: Here) -> Response:
        """Begin a study session; the answer has the id that later events carry."""
        body = await object_of(request)
        body.setdefault("platform", "other")
        now = await here.db.now()
        session_id = body.get("session_id") or str(new_event_id(int(now.timestamp() * 1000)))
        taken = await take(scope, here, "session_start", {**body, "session_id": session_id})
        wake(hooks, taken)
        return single_answer(request, taken.outcomes[0], session_id=session_id)

    @routes.post("/sessions/{session_id}/end", **_options("session_end", {"reason": "user"}))
    async def end_session(request: Request, session_id: SessionId, scope: Writer, here: Here) -> Response:
        """End a study session; its figures are final before the answer, unless that takes over half a second."""
        body = await object_of(request)
        taken = await take(scope, here, "session_end", {**body, "session_id": str(session_id)})
        if refused := refusal(request, taken.outcomes[0]):
            return refused
        done = await hooks.caught_up(scope.principal.user_id)
        return single_answer(request, taken.outcomes[0], session_pending=not done)


def _add_session(routes: APIRouter, hooks: Hooks, endpoint: Endpoint) -> None:
    async def in_session(request: Request, session_id: SessionId, scope: Writer, here: Here) -> Response:
        body = await object_of(request)
        taken = await take(scope, here, endpoint.event_type, {**body, "session_id": str(session_id)})
        wake(hooks, taken)
        return single_answer(request, taken.outcomes[0])

    _add(routes, f"/sessions/{{session_id}}/{endpoint.path}", in_session, endpoint)


def _add_item(routes: APIRouter, hooks: Hooks, endpoint: Endpoint) -> None:
    async def on_item(request: Request, item_id: str, scope: Writer, here: Here) -> Response:
        fixed = {endpoint.path_field: item_id} if endpoint.path_field else {}
        body = await object_of(request)
        taken = await take(scope, here, endpoint.event_type, body, fixed)
        wake(hooks, taken)
        return single_answer(request, taken.outcomes[0])

    on_item.__annotations__["item_id"] = PATH_FIELDS[endpoint.path_field or ""]  # its example is one of its own kind

    _add(routes, f"/{endpoint.path}", on_item, endpoint)


def _add(routes: APIRouter, path: str, handler: Callable[..., Any], endpoint: Endpoint) -> None:
    without = (endpoint.path_field,) if endpoint.path_field else ()
    routes.add_api_route(
        path, handler, methods=["POST"], name=endpoint.event_type, summary=endpoint.sentence,
        description=endpoint.sentence, **_options(endpoint.event_type, endpoint.example, *without),
    )  # fmt: skip


def _add_video(routes: APIRouter, hooks: Hooks) -> None:
    example = {"action": "play", "position_seconds": 12.5}
    schema = {
        "oneOf": [
            {
                "type": "object",
                "properties": {
                    "action": {"const": action},
                    **{k: v for k, v in doc.data_schema(name)["properties"].items() if k != "material_id"},
                    **doc.COMMON,
                },
                "required": ["action", *(k for k in doc.data_schema(name)["required"] if k != "material_id")],
                "additionalProperties": False,
            }
            for action, name in VIDEO.items()
        ]
    }
    options = _options("video_play", example, "material_id") | {"openapi_extra": doc.body_of(schema, example)}

    @routes.post("/materials/{item_id}/video", **options)
    async def video(request: Request, item_id: MaterialId, scope: Writer, here: Here) -> Response:
        """A video plays, pauses or is moved: `action` play, pause or seek."""
        body = await object_of(request)
        action = body.pop("action", None)
        event_type = VIDEO.get(action) if isinstance(action, str) else None
        if event_type is None:
            raise InvalidInput("`action` has to be play, pause or seek.", code="schema.enum")
        taken = await take(scope, here, event_type, body, {"material_id": item_id})
        wake(hooks, taken)
        return single_answer(request, taken.outcomes[0])
