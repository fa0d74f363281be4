"""Who is calling: one function from a bearer token to a principal, and no switch that turns it off."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from hashlib import sha256

from cachetools import TTLCache

from osler import clock
from osler.db.engine import Database
from osler.errors import Misconfigured
from osler.http.identities import Identities
from osler.http.keysets import RemoteKeys
from osler.http.local_issuer import LocalIssuer
from osler.http.policy import Role
from osler.http.tokens import LEEWAY_SECONDS, Issuer, verify_token
from osler.observe.keys import secret_key
from osler.settings import Profile, Settings

IDENTITY_KEY = "identity"
VERIFIED_TOKENS = 50_000
VERIFIED_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Principal:
    """A verified caller: nothing here was said by the request itself."""

    issuer: str
    user_id: uuid.UUID
    roles: frozenset[Role]
    scopes: frozenset[str]
    token_id: str
    auth_time: float | None = None


class Verifier:
    """Turns tokens into principals; keeps the answer for a minute, never beyond the token's own end."""

    def __init__(self, issuers: Mapping[str, Issuer], identities: Identities) -> None:
        self.issuers = issuers
        self.identities = identities
        self._verified: MutableMapping[bytes, tuple[float, Principal]] = TTLCache(VERIFIED_TOKENS, VERIFIED_SECONDS)

    async def verify(self, token: str) -> Principal:
        """The caller that the token stands for.

        Errors: Unauthenticated when it does not verify; Forbidden when the person was erased.
        """
        digest = _digest(token)
        known = self._known(digest)
        if known is not None:
            return known
        claims = await verify_token(token, self.issuers)
        user_id = await self.identities.user_of(claims)
        principal = Principal(
            claims.issuer.name, user_id, claims.roles, claims.scopes, claims.token_id, claims.auth_time
        )
        self._verified[digest] = (claims.expires_at, principal)
        return principal

    def remembered(self, token: str) -> Principal | None:
        """The caller of a token that was verified within the last minute and still holds; asks nobody."""
        return self._known(_digest(token))

    def forget(self, user_id: uuid.UUID | None) -> None:
        """Drop what is remembered of a learner who was erased; of everybody for None, as after news were missed."""
        self.identities.forget(user_id)
        for digest in [key for key, value in self._verified.items() if user_id in {None, value[1].user_id}]:
            del self._verified[digest]

    async def close(self) -> None:
        """Close connections to issuers."""
        for issuer in self.issuers.values():
            if isinstance(issuer.keys, RemoteKeys):
                await issuer.keys.close()

    def _known(self, digest: bytes) -> Principal | None:
        found = self._verified.get(digest)
        return found[1] if found is not None and clock.now().timestamp() < found[0] + LEEWAY_SECONDS else None


def _digest(token: str) -> bytes:
    return sha256(token.encode("utf-8", "surrogateescape")).digest()


def open_verifier(settings: Settings, db: Database) -> Verifier:
    """The verifier that the settings ask for. Errors: Misconfigured when no issuer is left to believe."""
    key = secret_key(settings.home, IDENTITY_KEY)
    return Verifier({issuer.name: issuer for issuer in pinned_issuers(settings)}, Identities(db, key))


def pinned_issuers(settings: Settings) -> list[Issuer]:
    """Whom this installation believes: the identity provider, else the local issuer outside production."""
    if settings.issuer is not None:
        if settings.jwks_url is None:
            raise Misconfigured("OSLER_ISSUER needs OSLER_JWKS_URL, the address of its keys.")
        keys = RemoteKeys(settings.jwks_url, ca_file=settings.issuer_ca_file)
        return [Issuer(settings.issuer, settings.audience, keys, settings.role_claim)]
    if not settings.uses_local_issuer:
        raise Misconfigured("No issuer is set, and the local one is off: set OSLER_ISSUER and OSLER_JWKS_URL.")
    return [open_local_issuer(settings).issuer()]


def open_local_issuer(settings: Settings) -> LocalIssuer:
    """The installation's own issuer. Errors: Misconfigured in production."""
    return LocalIssuer.open(settings.home, settings.audience, production=settings.profile is Profile.PRODUCTION)
