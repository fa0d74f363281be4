"""How often a caller may ask: by learner first, then by address, counted in Redis or, while it is away, here."""

from __future__ import annotations

import ipaddress
import uuid
from collections.abc import Sequence
from functools import lru_cache
from typing import Protocol

from starlette.types import Scope as AsgiScope

from osler import clock
from osler.errors import TooMany
from osler.http.rates_local import LocalCount
from osler.observe import metrics
from osler.settings import Settings

FALLBACK_SHARE = 2
"""While the shared count is away, each process allows a half: several processes must not add up to more."""


class SharedCount(Protocol):
    """A count that several processes share."""

    @property
    def is_up(self) -> bool:
        """Whether the last count worked."""
        ...

    async def hit(self, per_minute: int, kind: str, name: str) -> bool | None:
        """Count once: within the rate or not; None when it cannot be told."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...


class RateLimiter:
    """Counts requests in a minute that slides, so that no burst across its edge gets twice the rate."""

    def __init__(self, settings: Settings, shared: SharedCount | None = None) -> None:
        self._proxies = frozenset(settings.trusted_proxies)
        self._learner = settings.rate_per_minute
        self._address = settings.rate_address_per_minute
        self._local = LocalCount()
        self._shared = shared

    @property
    def is_shared_up(self) -> bool:
        """Whether rates are counted for all processes together."""
        return self._shared is not None and self._shared.is_up

    async def close(self) -> None:
        """Let go of connections."""
        if self._shared is not None:
            await self._shared.close()

    async def check(self, user_id: uuid.UUID | None, scope: AsgiScope) -> None:
        """Count this request. Errors: TooMany when the learner's or the address's minute is used up."""
        if user_id is not None:
            await self._count(self._learner, "learner", str(user_id))
        await self._count(self._address, "address", self.address_of(scope))

    def address_of(self, scope: AsgiScope) -> str:
        """The address that a rate is counted on."""
        return client_address(scope, self._proxies)

    async def _count(self, per_minute: int, kind: str, name: str) -> None:
        if not await self._hit(per_minute, kind, name):
            metrics.security_events.labels("rate_limited").inc()
            params = {"per_minute": per_minute}
            raise TooMany("Too many requests in this minute.", retry_after_seconds=60, params=params)

    async def _hit(self, per_minute: int, kind: str, name: str) -> bool:
        is_within = await self._shared.hit(per_minute, kind, name) if self._shared is not None else None
        if is_within is not None:
            return is_within
        allowed = per_minute if self._shared is None else max(1, per_minute // FALLBACK_SHARE)
        return self._local.hit(allowed, kind, name, clock.monotonic_seconds())


def open_rates(settings: Settings) -> RateLimiter:
    """The limiter that the settings ask for."""
    if settings.redis_url is None:
        return RateLimiter(settings)
    from osler.http.rates_redis import RedisCount  # noqa: PLC0415  (a tenth of the start, for those who have Redis)

    url = settings.redis_url.get_secret_value()
    return RateLimiter(settings, RedisCount(url, timeout_seconds=settings.cache_timeout_seconds))


def client_address(scope: AsgiScope, trusted_proxies: Sequence[str] | frozenset[str]) -> str:
    """The address that a rate is counted on.

    `X-Forwarded-For` is read from its end and only past proxies that the settings name: what stands before them was
    written by anybody. IPv6 counts by /64, the smallest block that one subscriber holds.
    """
    peer = scope.get("client")
    address = str(peer[0]) if peer else ""
    hops = [hop.strip() for hop in _header(scope, b"x-forwarded-for").split(",") if hop.strip()]
    while address in trusted_proxies and hops:
        address = hops.pop()
    return _block(address)


def _header(scope: AsgiScope, name: bytes) -> str:
    return ",".join(value.decode("latin-1") for key, value in scope["headers"] if key == name)


@lru_cache(4096)
def _block(address: str) -> str:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    if isinstance(parsed, ipaddress.IPv6Address):
        mapped = parsed.ipv4_mapped
        return str(mapped) if mapped else str(ipaddress.ip_network((int(parsed), 64), strict=False))
    return str(parsed)
