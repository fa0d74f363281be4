"""How one outcome is said over HTTP: a status of its own, a problem where it was not taken."""

from __future__ import annotations

from collections.abc import Sequence
from operator import lt
from typing import Any

import msgspec
from fastapi import Request
from starlette.responses import Response

from osler.domain.outcomes import Status, Warn
from osler.http.problems import problem, request_id_of
from osler.ingest.limits import MAX_EVENTS
from osler.ingest.pipeline import Taken
from osler.ingest.work import Outcome

HTTP_STATUS = {
    Status.ACCEPTED: 201,
    Status.DUPLICATE: 200,
    Status.CONFLICT: 409,
    Status.REJECTED: 422,
    Status.REFUSED: 403,
    Status.RETRY: 503,
}
_encode = msgspec.json.Encoder().encode
_HEADS = [f'{{"index":{place},"id":"' for place in range(MAX_EVENTS)]


def json_answer(value: Any, status: int = 200) -> Response:
    """A JSON answer."""
    return Response(_encode(value), status_code=status, media_type="application/json")


def batch_answer(taken: Taken) -> Response:
    """The answer to a batch: always 200, a result for each event."""
    body = {
        "received_at": wire_time(taken),
        "clock_skew_ms": taken.clock_skew_ms,
        "counts": taken.counts(),
        "results": msgspec.Raw(results(taken)),
    }
    return json_answer(body)


def results(taken: Taken) -> bytes:
    """The outcomes of a batch as JSON: those of stored events are written without being made."""
    stored = taken.accepted
    tails = {each: _tail(each) for each in set(stored.warnings)}
    lines = [
        f"{_HEADS[place]}{event_id}{tails[warnings]}"
        for place, event_id, warnings in zip(stored.places, stored.rows.event_id, stored.warnings, strict=True)
    ]
    if taken.others or not _is_in_order(stored.places):
        by_place = dict(zip(stored.places, lines, strict=True))
        by_place |= {place: _encode(other).decode() for place, other in taken.others.items()}
        lines = [by_place[place] for place in range(len(by_place))]
    return f"[{','.join(lines)}]".encode()


def _is_in_order(places: Sequence[int]) -> bool:
    return isinstance(places, range) or all(map(lt, places, places[1:]))


def _tail(warnings: tuple[Warn, ...]) -> str:
    """What follows the id of an event that was stored."""
    return _encode(Outcome(0, "", Status.ACCEPTED, list(warnings))).decode().removeprefix(_HEADS[0])


def wire_time(taken: Taken) -> str:
    """When the request was received, in UTC to the millisecond."""
    return taken.received_at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def refusal(request: Request, outcome: Outcome) -> Response | None:
    """The problem that an outcome means; None when the event is stored, now or before."""
    if outcome.status in {Status.ACCEPTED, Status.DUPLICATE} or outcome.code is None:
        return None
    members: dict[str, Any] = {"detail": outcome.detail, "event_status": outcome.status.value}
    if outcome.id is not None:
        members["event_id"] = outcome.id
    if outcome.path is not None:
        members["path"] = outcome.path
    headers = {"Retry-After": str(outcome.retry_after_seconds)} if outcome.retry_after_seconds else {}
    return problem(
        HTTP_STATUS[outcome.status],
        outcome.code.value,
        request_id=request_id_of(request.scope),
        members=members,
        headers=headers,
    )


def single_answer(request: Request, outcome: Outcome, **more: Any) -> Response:
    """The answer to one event: 201 new, 200 known, else a problem."""
    refused = refusal(request, outcome)
    if refused is not None:
        return refused
    body = {"event_id": outcome.id, "status": outcome.status, "warnings": outcome.warnings, **more}
    if outcome.code is not None:
        body["code"] = outcome.code
    return json_answer(body, HTTP_STATUS[outcome.status])
