"""What a failure looks like on the wire: RFC 9457, a stable code, a request id, and never the input."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, cast

import msgspec
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import Scope as AsgiScope

from osler.db.faults import as_unavailable
from osler.errors import Busy, Forbidden, OslerError, Unauthenticated
from osler.http.methods import methods_at
from osler.observe import metrics

MEDIA_TYPE = "application/problem+json"

CODES = {
    400: "request.malformed", 401: "auth.token", 403: "auth.forbidden", 404: "not_found", 405: "method.not_allowed",
    406: "media.not_acceptable", 408: "request.timeout", 409: "conflict", 413: "too_large", 415: "media.unsupported",
    422: "schema.invalid", 429: "rate.limited", 500: "internal", 503: "unavailable",
}  # fmt: skip

# What to do about an answer of the framework's own; a 500 says nothing but its id.
DETAILS = {
    400: "The request cannot be read: its body has to be JSON in UTF-8.",
    404: "There is nothing here.",
    405: "This address takes other methods; the header Allow names them.",
}

# What pydantic calls a failure → what our senders read (the codes of the ingestion contract).
VALIDATION_CODES = {
    "missing": "schema.missing_field",
    "extra_forbidden": "schema.unknown_field",
    "enum": "schema.enum",
    "literal_error": "schema.enum",
    "string_pattern_mismatch": "schema.pattern",
    "string_too_long": "schema.length",
    "string_too_short": "schema.length",
    "too_long": "schema.length",
    "too_short": "schema.length",
    "greater_than": "schema.range",
    "greater_than_equal": "schema.range",
    "less_than": "schema.range",
    "less_than_equal": "schema.range",
    "finite_number": "schema.range",
}

IN_WORDS = {
    "schema.missing_field": "is missing",
    "schema.unknown_field": "has a field that is not known",
    "schema.enum": "is none of the values that may stand there",
    "schema.pattern": "is not written as it has to be",
    "schema.length": "is too long or too short",
    "schema.range": "lies outside of what may stand there",
    "schema.type": "is not of the kind that has to stand there",
}
MOST_IN_WORDS = 3


class ProblemResponse(Response):
    """An answer of `application/problem+json`."""

    media_type = MEDIA_TYPE


def request_id_of(scope: AsgiScope) -> str:
    """The id that the edge gave this request; it stands in the answer and in the log."""
    return str(scope.get("state", {}).get("request_id", ""))


def problem(
    status: int,
    code: str,
    *,
    request_id: str,
    members: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> ProblemResponse:
    """One problem. `members` are further fields that the code's documentation names."""
    body = {
        "type": "about:blank",  # no page of its own: `code` is the name, and the title the status's, as RFC 9457 asks
        "title": HTTPStatus(status).phrase,
        "status": status,
        "code": code,
        **(members or {}),
        "request_id": request_id,
    }
    return ProblemResponse(msgspec.json.encode(body), status_code=status, headers=dict(headers or {}))


def problem_of(error: Exception, request_id: str) -> ProblemResponse:
    """The problem of any exception: ours with its sentence, a part that is down as 503, anything else a bare 500."""
    if isinstance(error, OslerError):
        return _of_osler(error, request_id)
    if isinstance(error, HTTPException):
        code = CODES.get(error.status_code, "request.malformed")
        detail = DETAILS.get(error.status_code)
        members = {"detail": detail} if detail else None
        return problem(error.status_code, code, request_id=request_id, members=members, headers=error.headers)
    if isinstance(error, RequestValidationError):
        return _of_validation(error, request_id)
    away = as_unavailable(error)
    return _of_osler(away, request_id) if away else problem(500, "internal", request_id=request_id)


def _of_osler(error: OslerError, request_id: str) -> ProblemResponse:
    _count_refusal(error)
    if error.status >= 500 and not isinstance(error, Busy):
        return problem(error.status, "internal", request_id=request_id)
    members: dict[str, Any] = {"detail": error.text}
    if error.params:
        members["params"] = error.params
    # An error may bring members of its own, such as the limits that a batch broke.
    members.update(cast("Mapping[str, Any]", getattr(error, "problem_members", {})))
    return problem(error.status, error.code, request_id=request_id, members=members, headers=_headers_of(error))


def _count_refusal(error: OslerError) -> None:
    if isinstance(error, Unauthenticated):
        metrics.security_events.labels("auth_failed").inc()
    elif isinstance(error, Forbidden):
        metrics.security_events.labels("denied").inc()


def _headers_of(error: OslerError) -> dict[str, str]:
    if isinstance(error, Busy):
        return {"Retry-After": str(error.retry_after_seconds)}
    if isinstance(error, Unauthenticated):
        challenge = 'Bearer error="invalid_token"' if error.code == "auth.token" else "Bearer"
        return {"WWW-Authenticate": challenge}
    return {}


def _of_validation(error: RequestValidationError, request_id: str) -> ProblemResponse:
    found = [_validation_entry(one) for one in cast("Sequence[Mapping[str, Any]]", error.errors())[:20]]
    if any(entry["path"].startswith("/path/") for entry in found):
        return problem(404, CODES[404], request_id=request_id, members={"detail": DETAILS[404]})
    return problem(422, CODES[422], request_id=request_id, members={"detail": _in_words(found), "errors": found})


def _in_words(found: Sequence[Mapping[str, str]]) -> str:
    told = [f"{one['path']} {IN_WORDS[one['code']]}" for one in found[:MOST_IN_WORDS]]
    others = len(found) - len(told)
    return "; ".join([*told, *([f"and {others} more in errors"] if others else [])]) + "."


def _validation_entry(one: Mapping[str, Any]) -> dict[str, str]:
    kind = str(one["type"])
    where = [str(part) for part in one["loc"]]
    # The name of a field that we do not know is the sender's text: it is not repeated.
    named = where[:-1] if kind == "extra_forbidden" else where
    return {"code": VALIDATION_CODES.get(kind, "schema.type"), "path": "/" + "/".join(named)}


async def _answer(request: Request, error: Exception) -> Response:
    if isinstance(error, HTTPException) and error.status_code == 405:
        error = HTTPException(405, headers={"Allow": ", ".join(methods_at(request))})
    return problem_of(error, request_id_of(request.scope))


def install_problems(app: FastAPI) -> None:
    """Answer our errors, the framework's and its validation's in the same shape."""
    for kind in (OslerError, HTTPException, RequestValidationError):
        app.add_exception_handler(kind, _answer)
