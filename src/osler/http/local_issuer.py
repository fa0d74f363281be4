"""The installation's own issuer: real ES256 tokens for a laptop, a demo and tests; never in production."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, generate_private_key

from osler.errors import Misconfigured
from osler.http.keysets import FixedKeys, VerifyingKey
from osler.http.policy import Role
from osler.http.tokens import Issuer
from osler.observe.keys import write_once

LOCAL_ISSUER = "urn:osler:local"
KEY_FILE = "local-issuer.pem"
DEFAULT_SCOPES = {
    Role.LEARNER: ("events:write",),
    Role.PROGRAM_ADMIN: ("catalog:write", "classes:write"),
    Role.SERVICE_INGEST: ("events:write:any", "users:create"),
}


@dataclass(frozen=True, slots=True)
class LocalIssuer:
    """Signs with a key that lies under `OSLER_HOME/keys`, made on first use."""

    audience: str
    key: EllipticCurvePrivateKey = field(repr=False)

    @classmethod
    def open(cls, home: Path, audience: str, *, production: bool) -> LocalIssuer:
        """The issuer of this installation. Errors: Misconfigured in production."""
        if production:
            raise Misconfigured(
                "The local issuer is refused in production: "
                "set OSLER_ISSUER and OSLER_JWKS_URL to your identity provider."
            )
        path = home / "keys" / KEY_FILE
        if not path.exists():
            write_once(path, _new_key())
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
        if not isinstance(key, EllipticCurvePrivateKey):
            raise Misconfigured(f"{path} holds no EC key; remove it and a new one is made.")
        return cls(audience, key)

    @property
    def kid(self) -> str:
        """A name that follows from the public key."""
        public = self.key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        return sha256(public).hexdigest()[:16]

    def issuer(self) -> Issuer:
        """Itself as somebody to believe."""
        keys = FixedKeys({self.kid: VerifyingKey("ES256", self.key.public_key())})
        return Issuer(LOCAL_ISSUER, self.audience, keys, subject_is_user_id=True)

    def sign(
        self,
        user_id: uuid.UUID,
        *,
        roles: Iterable[Role],
        scopes: Iterable[str],
        issued_at: datetime,
        lifetime: timedelta,
    ) -> str:
        """An access token for that learner or member of staff."""
        claims = {
            "iss": LOCAL_ISSUER,
            "aud": self.audience,
            "sub": str(user_id),
            "iat": int(issued_at.timestamp()),
            "auth_time": int(issued_at.timestamp()),
            "exp": int((issued_at + lifetime).timestamp()),
            "jti": uuid.uuid4().hex,
            "roles": sorted(roles),
            "scope": " ".join(sorted(scopes)),
        }
        return jwt.encode(claims, self.key, algorithm="ES256", headers={"typ": "at+jwt", "kid": self.kid})


def default_scopes(roles: Iterable[Role]) -> frozenset[str]:
    """The scopes that a token of these roles has when none are named."""
    return frozenset(scope for role in roles for scope in DEFAULT_SCOPES.get(role, ()))


def _new_key() -> bytes:
    return generate_private_key(SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
