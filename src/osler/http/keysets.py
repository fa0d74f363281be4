"""Whose signature is believed: the public keys of a pinned issuer, from a fixed address or from this installation."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import msgspec
import structlog
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt import PyJWK
from jwt.exceptions import PyJWTError

from osler import clock
from osler.errors import Misconfigured

if TYPE_CHECKING:
    import httpx

PublicKey = RSAPublicKey | EllipticCurvePublicKey | Ed25519PublicKey

_log: Any = structlog.get_logger("osler.issuer")

KEYS_LIVE_SECONDS = 3600.0
REFETCH_AFTER_SECONDS = 30.0
MAX_KEYSET_BYTES = 262_144
SMALLEST_RSA_BITS = 2048


@dataclass(frozen=True, slots=True)
class VerifyingKey:
    """A public key with the one algorithm that it may be used with, so that a token cannot choose."""

    algorithm: str
    key: PublicKey = field(repr=False)


class KeySet(Protocol):
    """Finds the key that a token's `kid` names, or None."""

    async def find(self, kid: str) -> VerifyingKey | None:
        """The key of that name."""
        ...


@dataclass(frozen=True, slots=True)
class FixedKeys:
    """Keys that are known: those of the local issuer, and of tests."""

    keys: Mapping[str, VerifyingKey]

    async def find(self, kid: str) -> VerifyingKey | None:
        """The key of that name."""
        return self.keys.get(kid)


class RemoteKeys:
    """The key set of an issuer at one fixed address.

    Fetched again after an hour, or when an unknown `kid` appears, but never twice within 30 s: a flood of made-up
    names asks the issuer no more than that. While the issuer is away, known keys go on working for their hour.
    `ca_file` is a PEM file of the authorities that are believed instead of the public ones.

    Errors: Misconfigured for a file that holds none.
    """

    def __init__(self, url: str, client: httpx.AsyncClient | None = None, *, ca_file: Path | None = None) -> None:
        self._client = client or _client(ca_file)
        self._url = url
        self._keys: dict[str, VerifyingKey] = {}
        self._fetched_at = -KEYS_LIVE_SECONDS
        self._asked_at = -REFETCH_AFTER_SECONDS

    async def find(self, kid: str) -> VerifyingKey | None:
        """The key of that name; asks the issuer when it is unknown or its hour is over."""
        at = clock.monotonic_seconds()
        stale = at - self._fetched_at >= KEYS_LIVE_SECONDS
        if (stale or kid not in self._keys) and at - self._asked_at >= REFETCH_AFTER_SECONDS:
            self._asked_at = at
            await self._fetch(at)
            stale = at - self._fetched_at >= KEYS_LIVE_SECONDS
        return None if stale else self._keys.get(kid)

    async def _fetch(self, at: float) -> None:
        import httpx  # noqa: PLC0415  (as above)

        try:
            answer = await self._client.get(self._url)
            if answer.status_code == 200 and len(answer.content) <= MAX_KEYSET_BYTES:
                self._keys = read_keyset(answer.content)
                self._fetched_at = at
                return
            error = f"answer {answer.status_code}"
        except (httpx.HTTPError, msgspec.DecodeError) as failed:
            error = type(failed).__name__
        _log.warning("issuer.keys_not_fetched", error=error)

    async def close(self) -> None:
        """Close the connection to the issuer."""
        await self._client.aclose()


def _client(ca_file: Path | None) -> httpx.AsyncClient:
    import httpx  # noqa: PLC0415  (a tenth of the start, for those whose issuer is elsewhere)

    try:
        trusted = (
            ssl.create_default_context(cafile=str(ca_file)) if ca_file else httpx.create_ssl_context(trust_env=False)
        )
    except OSError as error:  # an SSLError is one
        raise Misconfigured(f"OSLER_ISSUER_CA_FILE: {ca_file} is no file of PEM certificates") from error
    # No redirects: an open redirect at the issuer must not choose whom we believe.
    return httpx.AsyncClient(follow_redirects=False, timeout=5.0, trust_env=False, verify=trusted)


def read_keyset(content: bytes) -> dict[str, VerifyingKey]:
    """The usable keys of a JWKS document by `kid`; entries of other kinds are passed over."""
    document = msgspec.json.decode(content, type=dict[str, Any])
    found: dict[str, VerifyingKey] = {}
    for entry in document.get("keys", []):
        kid = entry.get("kid") if isinstance(entry, dict) else None  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]  (foreign JSON)
        verifying = _read_key(entry) if isinstance(kid, str) else None  # pyright: ignore[reportUnknownArgumentType]  (foreign JSON)
        if isinstance(kid, str) and verifying is not None:
            found[kid] = verifying
    return found


def _read_key(entry: dict[str, Any]) -> VerifyingKey | None:
    if entry.get("use", "sig") != "sig" or entry.get("kty") not in {"RSA", "EC", "OKP"}:
        return None
    try:
        return verifying_key(PyJWK.from_dict(entry).key)
    except (PyJWTError, ValueError, TypeError):
        return None


def verifying_key(key: object) -> VerifyingKey | None:
    """The algorithm that a public key is good for: RS256, ES256 or EdDSA; None for any other key, private ones too."""
    match key:
        case RSAPublicKey() if key.key_size >= SMALLEST_RSA_BITS:
            return VerifyingKey("RS256", key)
        case EllipticCurvePublicKey() if isinstance(key.curve, SECP256R1):
            return VerifyingKey("ES256", key)
        case Ed25519PublicKey():
            return VerifyingKey("EdDSA", key)
        case _:
            return None
