"""Which addresses a learner's token was used from: for abuse alone, keyed, for thirty days, apart from all events."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import MutableMapping
from contextlib import suppress
from datetime import date, timedelta
from pathlib import Path
from uuid import UUID

import sqlalchemy as sa
from cachetools import TTLCache
from sqlalchemy.dialects.postgresql import insert
from starlette.types import Scope as AsgiScope

from osler import clock
from osler.db.engine import Database
from osler.domain.privacy import keyed_address, sanitize_user_agent
from osler.errors import OslerError
from osler.http.rates import client_address
from osler.observe.keys import secret_key
from osler.privacy.tables import address_sightings
from osler.settings import Settings

KEPT_DAYS = 30
FLUSH_SECONDS = 60.0
MAX_WAITING = 10_000
FOLDER = "addresses"

Sighting = tuple[UUID, date, str, str]


def month_key(home: Path, day: date) -> bytes:
    """The key of a month, made on first use; keys older than the month before are destroyed.

    After that nobody, with whatever dump, can tell which address an old entry was.
    """
    previous = (day.replace(day=1) - timedelta(days=1)).strftime("%Y-%m")
    for path in (home / "keys" / FOLDER).glob("*"):
        if path.name < previous:
            path.unlink(missing_ok=True)
    return secret_key(home, f"{FOLDER}/{day:%Y-%m}")


class Sightings:
    """Collects sightings in memory, a learner once a minute, and writes them in one statement."""

    def __init__(self, settings: Settings, db: Database) -> None:
        self._settings = settings
        self._db = db
        self._waiting: Counter[Sighting] = Counter()
        self._recent: MutableMapping[UUID, bool] = TTLCache(50_000, FLUSH_SECONDS)
        self._key: tuple[str, bytes] = ("", b"")

    def see(self, user_id: UUID, scope: AsgiScope) -> None:
        """Note that a verified request of that person came from there."""
        if user_id in self._recent or len(self._waiting) >= MAX_WAITING:
            return
        self._recent[user_id] = True
        agent = next((value.decode("latin-1") for name, value in scope["headers"] if name == b"user-agent"), "")
        today = clock.now().date()
        address = client_address(scope, self._settings.trusted_proxies).partition("/")[0]
        with suppress(ValueError):  # no address: a socket, or a test
            mac = keyed_address(address, self._key_of(today))
            self._waiting[user_id, today, mac, sanitize_user_agent(agent)] += 1

    async def flush(self) -> int:
        """Write what is waiting and forget what is over thirty days old; how many sightings were written."""
        waiting, self._waiting = self._waiting, Counter()
        oldest = clock.now().date() - timedelta(days=KEPT_DAYS)
        async with self._db.write() as session:
            await session.execute(sa.delete(address_sightings).where(address_sightings.c.seen_on < oldest))
            if waiting:
                await session.execute(
                    _ADD, [_row(seen, n) for seen, n in sorted(waiting.items(), key=lambda one: str(one[0]))]
                )
        return len(waiting)

    async def keep_flushing(self) -> None:
        """Write once a minute until cancelled; what cannot be written is dropped, never in anybody's way."""
        while True:
            await asyncio.sleep(FLUSH_SECONDS)
            with suppress(OslerError):
                await self.flush()

    def _key_of(self, day: date) -> bytes:
        month = f"{day:%Y-%m}"
        if self._key[0] != month:
            self._key = (month, month_key(self._settings.home, day))
        return self._key[1]


_INSERT = insert(address_sightings)
_ADD = _INSERT.on_conflict_do_update(
    index_elements=["user_id", "seen_on", "address_mac", "user_agent"],
    set_={"n_requests": address_sightings.c.n_requests + _INSERT.excluded.n_requests},
)


def _row(seen: Sighting, n: int) -> dict[str, object]:
    user_id, seen_on, address_mac, user_agent = seen
    return {
        "user_id": user_id,
        "seen_on": seen_on,
        "address_mac": address_mac,
        "user_agent": user_agent,
        "n_requests": n,
    }
