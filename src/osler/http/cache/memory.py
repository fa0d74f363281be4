"""The cache of a single process: as quick as a dictionary, bounded in bytes and in time."""

from __future__ import annotations

import uuid

from cachetools import TTLCache

from osler.http.cache.entry import Entry, Key

ENTRY_OVERHEAD_BYTES = 512


class MemoryCache:
    """Kept answers in process. `is_hearing` is false while news of other processes cannot arrive: nothing is served."""

    def __init__(self, *, ttl_seconds: float, max_bytes: int) -> None:
        self._entries: TTLCache[Key, Entry] = TTLCache(max_bytes, max(ttl_seconds, 1e-9), getsizeof=_size)
        self._generations: dict[uuid.UUID, int] = {}
        self._everybody = 0
        self.is_hearing = True

    async def generation(self, subject: uuid.UUID) -> str | None:
        """The learner's present generation, None while the process is deaf."""
        return f"{self._everybody}.{self._generations.get(subject, 0)}" if self.is_hearing else None

    async def get(self, key: Key) -> tuple[str | None, Entry | None]:
        """The present generation and what is kept for it."""
        generation = await self.generation(key.subject)
        entry = self._entries.get(key)
        if entry is not None and entry.generation != generation:
            self._entries.pop(key, None)
            entry = None
        return generation, entry

    async def put(self, entry: Entry) -> None:
        """Keep an answer; one that is larger than the whole cache is not kept."""
        if _size(entry) <= self._entries.maxsize:
            self._entries[entry.key] = entry

    async def bump(self, subject: uuid.UUID) -> None:
        """The learner's data changed."""
        self._generations[subject] = self._generations.get(subject, 0) + 1

    async def bump_all(self) -> None:
        """Everybody's data may have changed; the numbers by learner start anew under a new prefix."""
        self._everybody += 1
        self._generations.clear()
        self._entries.clear()

    async def close(self) -> None:
        """Nothing to let go of."""


def _size(entry: Entry) -> int:
    return len(entry.body) + ENTRY_OVERHEAD_BYTES
