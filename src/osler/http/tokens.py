"""Is this token real: signature, issuer, audience, times and kind, checked before anything in it is believed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

import jwt

from osler.errors import Unauthenticated
from osler.http.keysets import KeySet, VerifyingKey
from osler.http.policy import Role

LEEWAY_SECONDS = 60
REQUIRED_CLAIMS = ("exp", "iat", "iss", "aud", "sub")
TOKEN_TYPES = frozenset({"at+jwt", "application/at+jwt"})
# Headers that let a token bring or name its own key.
FOREIGN_KEY_HEADERS = frozenset({"jku", "jwk", "x5u", "x5c", "x5t", "x5t#S256", "crit"})
MAX_TOKEN_CHARACTERS = 8_192
MAX_SUBJECT_CHARACTERS = 255


@dataclass(frozen=True, slots=True)
class Issuer:
    """Somebody whose tokens are believed: name, audience, keys, and the one claim that carries roles.

    `subject_is_user_id` is true for the local issuer alone, whose subjects are pseudonyms already.
    """

    name: str
    audience: str
    keys: KeySet
    roles_claim: str = "roles"
    subject_is_user_id: bool = False


@dataclass(frozen=True, slots=True)
class Claims:
    """What a verified token says, and nothing of what it merely carries."""

    issuer: Issuer
    subject: str
    roles: frozenset[Role]
    scopes: frozenset[str]
    token_id: str
    expires_at: float
    auth_time: float | None


async def verify_token(token: str, issuers: Mapping[str, Issuer]) -> Claims:
    """The claims of a token that verifies.

    Errors: Unauthenticated, with a fixed text that says nothing of the token, for every way in which it does not.
    Source: RFC 9068 (access tokens), RFC 8725 (best practice).
    """
    try:
        return await _verify(token, issuers)
    except (jwt.PyJWTError, ValueError, TypeError, KeyError, RecursionError, OverflowError) as error:
        raise Unauthenticated("The token does not verify.") from error


async def _verify(token: str, issuers: Mapping[str, Issuer]) -> Claims:
    if len(token) > MAX_TOKEN_CHARACTERS or token.count(".") != 2:
        raise jwt.InvalidTokenError
    kid = _checked_header(jwt.get_unverified_header(token))
    # Unverified: only to choose whose keys to try. The name is checked again with the signature below.
    named: object = jwt.decode(token, options={"verify_signature": False}).get("iss")
    issuer = issuers.get(named) if isinstance(named, str) else None
    key = await issuer.keys.find(kid) if issuer else None
    if issuer is None or key is None:
        raise jwt.InvalidTokenError
    return _claims(issuer, _decoded(token, issuer, key))


def _checked_header(header: Mapping[str, Any]) -> str:
    kid, kind = header.get("kid"), header.get("typ")
    if FOREIGN_KEY_HEADERS & header.keys() or not isinstance(kid, str):
        raise jwt.InvalidTokenError
    if not isinstance(kind, str) or kind.lower() not in TOKEN_TYPES:
        raise jwt.InvalidTokenError
    return kid


def _decoded(token: str, issuer: Issuer, key: VerifyingKey) -> dict[str, Any]:
    return jwt.decode(
        token,
        key.key,
        algorithms=[key.algorithm],
        audience=issuer.audience,
        issuer=issuer.name,
        leeway=LEEWAY_SECONDS,
        options={"require": list(REQUIRED_CLAIMS)},
    )


def _claims(issuer: Issuer, decoded: Mapping[str, Any]) -> Claims:
    subject = decoded["sub"]
    if not isinstance(subject, str) or not 0 < len(subject) <= MAX_SUBJECT_CHARACTERS:
        raise jwt.InvalidTokenError
    auth_time = decoded.get("auth_time")
    return Claims(
        issuer=issuer,
        subject=subject,
        roles=_roles(decoded.get(issuer.roles_claim)),
        scopes=frozenset(str(decoded.get("scope", "")).split()),
        token_id=str(decoded.get("jti", ""))[:64],
        expires_at=float(decoded["exp"]),
        auth_time=float(auth_time) if isinstance(auth_time, int | float) else None,
    )


def _roles(named: object) -> frozenset[Role]:
    """The known roles of the mapped claim; who has none may do nothing, not even what a learner may."""
    listed = cast("list[object]", named) if isinstance(named, list) else []
    return frozenset(Role(name) for name in listed if isinstance(name, str) and name in set(Role))
