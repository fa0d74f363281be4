"""Every error that Osler raises on purpose, as one tree.

OslerError
├── InvalidInput            422   a value cannot be used; says which and why
│   ├── InvalidModelInput         an argument of a formula lies outside its domain
│   └── UnreadableSource    400   a file, a body or a row cannot be read
├── Unauthenticated         401   no token, or one that does not verify
├── Forbidden               403   verified, but not allowed
├── NotFound                404   unknown, or not for the caller to know
├── Conflict                409   another state is in the way
├── TooLarge                413   over a stated limit
├── UnsupportedMedia        415   media type or encoding that is not spoken
├── Busy                          carries `retry_after_seconds`
│   ├── TooMany             429   a rate limit is used up
│   └── Unavailable         503   a part is down or busy
├── Misconfigured           500   settings that cannot work; says which to set
└── IntegrityBroken         500   an invariant does not hold; nothing was written

`code` is stable and machine-readable (`area.reason`), `params` fills the sentence in other languages, `status` is
the HTTP status that the API answers with. Messages name the value that was refused only where it cannot be personal.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

Param = str | int | float | bool | None


class OslerError(Exception):
    """Base of all errors: a stable code, a status, and a sentence that says what to do."""

    status: ClassVar[int] = 500
    default_code: ClassVar[str] = "osler.error"

    def __init__(self, text: str, *, code: str | None = None, params: Mapping[str, Param] | None = None) -> None:
        super().__init__(text)
        self.text = text
        self.code = code or self.default_code
        self.params: dict[str, Param] = dict(params or {})


class InvalidInput(OslerError):
    """A value cannot be used."""

    status = 422
    default_code = "input.invalid"


class InvalidModelInput(InvalidInput, ValueError):
    """An argument of a formula lies outside the formula's domain. Also a `ValueError`, as the brief expects."""

    default_code = "model.domain"


class UnreadableSource(InvalidInput):
    """A file, a body or a row cannot be read at all."""

    status = 400
    default_code = "source.unreadable"


class Unauthenticated(OslerError):
    """No token, or one that does not verify."""

    status = 401
    default_code = "auth.token"


class Forbidden(OslerError):
    """The caller is known and not allowed."""

    status = 403
    default_code = "auth.forbidden"


class NotFound(OslerError):
    """Unknown, or not for the caller to know."""

    status = 404
    default_code = "not_found"


class Conflict(OslerError):
    """Another state is in the way."""

    status = 409
    default_code = "conflict"


class TooLarge(OslerError):
    """Over a stated limit."""

    status = 413
    default_code = "too_large"


class NotAcceptable(OslerError):
    """None of the media types that were asked for is spoken here."""

    status = 406
    default_code = "media.not_acceptable"


class UnsupportedMedia(OslerError):
    """A media type or a content encoding that is not spoken here."""

    status = 415
    default_code = "media.unsupported"


class Busy(OslerError):
    """Come back later: carries the seconds to wait."""

    status = 503
    default_code = "busy"

    def __init__(
        self,
        text: str,
        *,
        retry_after_seconds: int = 1,
        code: str | None = None,
        params: Mapping[str, Param] | None = None,
    ) -> None:
        super().__init__(text, code=code, params=params)
        self.retry_after_seconds = retry_after_seconds


class TooMany(Busy):
    """A rate limit is used up."""

    status = 429
    default_code = "rate.limited"


class Unavailable(Busy):
    """A part that the answer needs is down or busy."""

    default_code = "unavailable"


class Misconfigured(OslerError):
    """Settings that cannot work; the text says which setting to change."""

    default_code = "settings.invalid"


class IntegrityBroken(OslerError):
    """An invariant does not hold; nothing was written."""

    default_code = "integrity.broken"
