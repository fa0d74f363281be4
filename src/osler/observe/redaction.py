"""What may stand in a log line or an error report: keys from a list, values that name nobody. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, MutableMapping
from typing import Any
from uuid import UUID

from osler.observe.keys import mac

ALLOWED_KEYS = frozenset(
    {
        "event", "level", "timestamp", "logger", "code", "status", "route", "method", "seconds", "request_id", "error",
        "where", "learner", "job_name", "period", "stage", "done", "total", "n", "outcome", "consumer", "backlog",
        "query", "version", "profile", "port", "reason", "kind", "table", "partition", "attempt", "table_name",
    }
)  # fmt: skip

MAX_CHARACTERS = 500
REDACTED = "[redacted]"

_SECRETS = re.compile(
    r"eyJ[\w-]{5,}(?:\.[\w-]*)+"  # a token
    r"|[\w.+-]{1,64}@[\w-]{1,64}(?:\.[\w-]{1,64})+"  # an e-mail address
    r"|\b\w{1,20}://[^\s/@:]{0,64}:[^\s/@]{1,128}@"  # a URL with a password
    r"|(?:password|secret|token|authorization|api_key)[\"']?\s*[=:]\s*\S{1,200}"
    r"|\b(?:\d{1,3}\.){3}\d{1,3}\b"  # an IPv4 address
    r"|\b(?:[0-9a-f]{1,4}:){3,7}[0-9a-f]{0,4}\b"  # an IPv6 address
    r"|\b[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}\b",  # a pseudonym, in full
    re.IGNORECASE,
)


def redacted(text: str) -> str:
    """The text without what looks like a token, an address, a password or a pseudonym; cut at 500 characters."""
    return _SECRETS.sub(REDACTED, text[: MAX_CHARACTERS * 2])[:MAX_CHARACTERS]


def short_pseudonym(key: bytes, user_id: UUID) -> str:
    """Eight characters that stand for a learner in logs: the same over a day's lines, nothing without the key."""
    return mac(key, "log", user_id.bytes).hex()[:8]


def allowed(fields: Mapping[str, Any], key: bytes) -> dict[str, Any]:
    """The fields that may be logged. A learner becomes a short pseudonym; text is redacted; the rest is dropped."""
    kept: dict[str, Any] = {}
    for name, value in fields.items():
        if name == "user_id" and isinstance(value, UUID):
            kept["learner"] = short_pseudonym(key, value)
        elif name in ALLOWED_KEYS:
            kept[name] = _plain(name, value)
    return kept


def _plain(name: str, value: Any) -> Any:
    # The two ids that we make ourselves are shown whole: they lead from an answer to its line.
    if value is None or isinstance(value, bool | int | float) or name in {"request_id", "timestamp", "learner"}:
        return value
    return redacted(str(value))


def processor(key: bytes) -> Any:
    """The last step before a line is written, whatever came before it."""

    def redact(_logger: Any, _method: str, fields: MutableMapping[str, Any]) -> dict[str, Any]:
        return allowed(fields, key)

    return redact
