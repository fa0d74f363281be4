"""What refusals look like in the API's description: the shape of a problem, and an example for each status.

The examples are made by the code that answers, out of the sentences that it answers with.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from osler.http.problems import CODES, DETAILS, MEDIA_TYPE, problem

NAME = "Problem"
_REQUEST = "6f1d6c1f0b0e4f7c9a1d2e3f4a5b6c7d"

SCHEMA: Mapping[str, Any] = {
    "title": NAME,
    "type": "object",
    "description": "why a request was refused (RFC 9457); some codes bring further members, which their page names",
    "required": ["type", "title", "status", "code", "request_id"],
    "properties": {
        "type": {"type": "string", "const": "about:blank", "description": "no page of its own: `code` is the name"},
        "title": {"type": "string", "description": "the phrase of the status", "examples": ["Unprocessable Entity"]},
        "status": {"type": "integer", "description": "the status of the answer again", "examples": [422]},
        "code": {
            "type": "string",
            "description": "stable, area.reason; listed in docs/reference/errors.md",
            "examples": ["schema.invalid"],
        },
        "detail": {
            "type": "string",
            "description": "what was wrong and what to do, in a sentence; never the input",
            "examples": ["/body/exam_on is missing."],
        },
        "params": {
            "type": "object",
            "description": "the values in `detail`, for other languages",
            "examples": [{"per_minute": 600}],
        },
        "errors": {
            "type": "array",
            "description": "of a 422: each place that does not fit, twenty at most",
            "items": {
                "type": "object",
                "required": ["code", "path"],
                "properties": {"code": {"type": "string"}, "path": {"type": "string"}},
            },
            "examples": [[{"code": "schema.missing_field", "path": "/body/exam_on"}]],
        },
        "request_id": {"type": "string", "description": "to quote; it stands in the log too", "examples": [_REQUEST]},
    },
}

_CODES = {**CODES, 401: "auth.missing", 403: "auth.role", 503: "db.away"}
_DETAILS = {
    400: DETAILS[400],
    401: "A bearer token is needed.",
    403: "The caller's role does not allow this.",
    404: DETAILS[404],
    406: "Only JSON is served here.",
    408: "The body did not arrive within 30 seconds.",
    409: "Something else is stored under this id.",
    413: "The body is over the limit.",
    415: "The body has to be application/json.",
    422: "/body/exam_on is missing.",
    429: "Too many requests in this minute.",
    503: "the database is away; try again",
}
_MORE: Mapping[int, Mapping[str, Any]] = {
    413: {"params": {"bytes": 5_242_880}},
    422: {"errors": [{"code": "schema.missing_field", "path": "/body/exam_on"}]},
    429: {"params": {"per_minute": 600}},
}
_SECONDS = {"description": "seconds to wait", "schema": {"type": "integer", "examples": [2]}}
_HEADERS: Mapping[int, Mapping[str, Any]] = {
    401: {"WWW-Authenticate": {"description": "how to sign in", "schema": {"type": "string", "examples": ["Bearer"]}}},
    429: {"Retry-After": _SECONDS},
    503: {"Retry-After": _SECONDS},
}


def example(status: int) -> dict[str, Any]:
    """A problem of this status, as it is answered."""
    members = {"detail": _DETAILS[status], **_MORE.get(status, {})}
    return msgspec.json.decode(problem(status, _CODES[status], request_id=_REQUEST, members=members).body)


def components() -> dict[str, dict[str, Any]]:
    """What `refusals` refers to: the shape, and an example for each status, in the description's own place for each."""
    return {
        "schemas": {NAME: SCHEMA},
        "examples": {f"{NAME}{status}": {"value": example(status)} for status in _DETAILS},
    }


def refusals(said: Mapping[int, str]) -> dict[int | str, dict[str, Any]]:
    """`responses` of a route: by status what the refusal means, its shape, its headers and an example."""
    return {
        status: {
            "description": text,
            "content": {
                MEDIA_TYPE: {
                    "schema": {"$ref": f"#/components/schemas/{NAME}"},
                    "examples": {"problem": {"$ref": f"#/components/examples/{NAME}{status}"}},
                }
            },
            **({"headers": _HEADERS[status]} if status in _HEADERS else {}),
        }
        for status, text in said.items()
    }
