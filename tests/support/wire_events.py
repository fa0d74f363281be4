"""Events in the wire's form for tests: valid unless a test makes them otherwise."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from osler.domain.identity import new_event_id

_REQUIRED: dict[str, dict[str, Any]] = {
    "session_start": {"mode": "practice", "platform": "web"},
    "session_end": {"reason": "user"},
    "session_heartbeat": {"active_seconds": 30, "idle_seconds": 0, "visible": True},
    "question_submit": {"question_id": "q-4711", "answer": ["A"], "time_to_answer_seconds": 45.0, "mode": "timed"},
    "question_skip": {"question_id": "q-4711", "seconds": 12.5},
    "flashcard_review": {
        "card_id": "c-1", "rating": 3, "kind": "review", "time_to_answer_seconds": 4.2, "affects_schedule": True
    },
    "material_open": {"material_id": "m-1", "kind": "text"},
    "material_progress": {"material_id": "m-1", "progress": 0.4, "active_seconds": 90},
    "note_taken": {"material_id": "m-1", "note_id": "n-1", "action": "create", "length_chars": 120},
    "highlight": {
        "material_id": "m-1", "highlight_id": "h-1", "action": "create", "length_chars": 9, "position": 0.5,
        "colour": "yellow",
    },
    "bookmark": {"material_id": "m-1", "on": True},
    "day_report": {"sleep_minutes": 420, "energy": 4},
    "api_request": {"route": "/q/{id}", "method": "GET", "status": 200, "duration_ms": 12, "client": "Other"},
    "question_regrade": {
        "attempt_event_id": "01a200f9-a73c-75fe-b3ad-9bff21bce365", "key_version": 2, "is_correct": True
    },
}  # fmt: skip


def now_ms() -> int:
    return int(datetime.now(UTC).timestamp() * 1000)


def iso(ms: int, offset: str = "+00:00") -> str:
    """An instant on the wire, written at the given offset (`Z` or ±hh:mm)."""
    if offset == "Z":
        return (datetime(1970, 1, 1) + timedelta(milliseconds=ms)).isoformat(timespec="milliseconds") + "Z"
    minutes = int(offset[1:3]) * 60 + int(offset[4:6])
    wall = datetime(1970, 1, 1) + timedelta(milliseconds=ms, minutes=-minutes if offset[0] == "-" else minutes)
    return wall.isoformat(timespec="milliseconds") + offset


def event(
    type_: str = "question_submit", *, ms: int | None = None, offset: str = "+00:00", data: Any = None, **fields: Any
) -> dict[str, Any]:
    """One valid event; `data` is laid over what the type requires, `fields` over the common fields."""
    ms = now_ms() if ms is None else ms
    made: dict[str, Any] = {
        "id": str(new_event_id(ms)),
        "type": type_,
        "schema": 1,
        "occurred_at": iso(ms, offset),
        "data": {**_REQUIRED.get(type_, {}), **(data or {})},
    }
    made.update(fields)
    return made


def batch(events: list[Any], *, sent_ms: int | None = None, **fields: Any) -> bytes:
    """A batch body, written as a client would."""
    sent = iso(now_ms() if sent_ms is None else sent_ms)
    return json.dumps({"sent_at": sent, **fields, "events": events}).encode()


def raw_batch(events: list[bytes]) -> bytes:
    """A batch of events that are bytes already, well-formed or not."""
    return b'{"sent_at":"' + iso(now_ms()).encode() + b'","events":[' + b",".join(events) + b"]}"


def learner() -> UUID:
    return uuid4()
