"""What OpenAPI says of the event endpoints: schemas from the declared types, an example on each."""

from __future__ import annotations

from typing import Any

import msgspec

from osler.domain.event_types import EVENT_TYPES
from osler.http.refusals import refusals
from osler.ingest.wire import CommonFields

EXAMPLE_ID = "01a200f9-a73c-75fe-b3ad-9bff21bce365"
EXAMPLE_QUESTION, EXAMPLE_MATERIAL = "sim.cardiovascular.failure.q3", "sim.cardiovascular.failure.m0"
"""Of the demo's bank, so that an example can be tried there."""
EXAMPLE_TIME = "2026-11-22T07:28:11.004+05:30"

EXAMPLE_EVENT: dict[str, Any] = {
    "id": EXAMPLE_ID,
    "type": "question_submit",
    "schema": 1,
    "occurred_at": EXAMPLE_TIME,
    "tz": "Asia/Kolkata",
    "data": {
        "question_id": EXAMPLE_QUESTION, "answer": ["A"], "time_to_answer_seconds": 45.0, "mode": "timed",
        "confidence": 4,
    },
}  # fmt: skip
EXAMPLE_BATCH: dict[str, Any] = {"sent_at": "2026-11-22T07:31:02.120+05:30", "events": [EXAMPLE_EVENT]}
EXAMPLE_BATCH_ANSWER: dict[str, Any] = {
    "received_at": "2026-11-22T02:01:02.240Z",
    "clock_skew_ms": 120,
    "counts": {"accepted": 1, "duplicate": 0, "conflict": 0, "rejected": 0, "refused": 0, "retry": 0},
    "results": [{"index": 0, "id": EXAMPLE_ID, "status": "accepted", "warnings": []}],
}
EXAMPLE_ANSWER: dict[str, Any] = {"event_id": EXAMPLE_ID, "status": "accepted", "warnings": []}

COMMON: dict[str, Any] = {
    "event_id": {"type": "string", "format": "uuid", "description": "UUIDv7 made once by the client. Without it the "
                 "server makes one, and then a retry is a second event."},
    "occurred_at": {"type": "string", "description": "when it happened, with offset; default: now"},
    "session_id": {"type": "string", "format": "uuid"},
    "tz": {"type": "string", "description": "IANA zone"},
    "sent_at": {"type": "string", "description": "the client's clock at this transmission"},
}  # fmt: skip
COMMON_NAMES = frozenset(COMMON)


def data_schema(event_type: str) -> dict[str, Any]:
    """JSON schema of a type's data."""
    declared = EVENT_TYPES[event_type].data
    _, components = msgspec.json.schema_components([declared], ref_template="#/{name}")
    return components[declared.__name__]


def event_schema() -> dict[str, Any]:
    """JSON schema of one event: the common fields, and `data` by type."""
    _, components = msgspec.json.schema_components([CommonFields], ref_template="#/{name}")
    common: dict[str, Any] = components[CommonFields.__name__]
    variants = [
        {
            "type": "object",
            "title": name,
            "properties": {**common["properties"], "type": {"const": name}, "data": data_schema(name)},
            "required": [*common["required"], "type", "data"],
            "additionalProperties": False,
        }
        for name in EVENT_TYPES
    ]
    return {"oneOf": variants}


def body_of(schema: dict[str, Any], example: Any, *, required: bool = True) -> dict[str, Any]:
    """`openapi_extra` for a route that reads its body itself."""
    return {
        "requestBody": {"required": required, "content": {"application/json": {"schema": schema, "example": example}}}
    }


def batch_body() -> dict[str, Any]:
    """`openapi_extra` of the batch endpoint."""
    schema = {
        "type": "object",
        "properties": {
            "sent_at": {"type": "string"},
            "device_id": {"type": "string"},
            "attempt": {"type": "integer"},
            "sdk": {"type": "string"},
            "boot_id": {"type": "string", "format": "uuid"},
            "sent_monotonic_ms": {"type": "integer"},
            "dropped": {"type": "object", "additionalProperties": {"type": "integer"}},
            "events": {
                "type": "array",
                "minItems": 1,
                "maxItems": 1000,
                "items": {"type": "object", "description": "an event as in POST /api/events"},
            },
        },
        "required": ["sent_at", "events"],
        "additionalProperties": False,
    }
    return body_of(schema, EXAMPLE_BATCH)


def answers(example: Any, *statuses: int, ok: int = 200) -> dict[int | str, dict[str, Any]]:
    """`responses` of a route: an example of success, problems for the rest."""
    found: dict[int | str, dict[str, Any]] = {
        ok: {"description": "what became of it", "content": {"application/json": {"example": example}}}
    }
    known = {"description": "known already", "content": {"application/json": {"example": example}}}
    found.update({status: known for status in statuses if status < 300})
    return found | refusals({status: _MEANING[status] for status in statuses if status >= 300})


_MEANING = {
    400: "cannot be read",
    403: "not allowed, or refused",
    404: "not known",
    408: "too slow",
    409: "another event has this id",
    413: "too much",
    415: "media type or encoding not spoken",
    422: "rejected",
    429: "too often",
    503: "try again",
}
