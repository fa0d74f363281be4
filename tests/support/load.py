"""Clients that go on through errors, and the book they keep: what was tried, what was acknowledged, what is open."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import httpx
from tests.support.web import token
from tests.support.wire_events import batch, event

from osler.settings import Settings

Key = tuple[UUID, str]
STATUSES = ("accepted", "duplicate", "conflict", "rejected", "refused", "retry")


@dataclass
class Book:
    """What clients sent and what they were told: events by (learner, id), answers by status, the longest wait."""

    attempted: set[Key] = field(default_factory=set)
    acknowledged: set[Key] = field(default_factory=set)
    answers: Counter[int | str] = field(default_factory=Counter)
    statuses: Counter[str] = field(default_factory=Counter)
    without_retry_after: int = 0
    longest: float = 0.0
    torn: list[str] = field(default_factory=list)

    @property
    def operations(self) -> int:
        return self.answers.total()

    @property
    def ambiguous(self) -> set[Key]:
        """Sent, and nobody knows what became of it."""
        return self.attempted - self.acknowledged

    def note(self, keys: list[Key], answer: httpx.Response | None, seconds: float) -> bool:
        """Enter one request; whether all of it was acknowledged."""
        self.attempted.update(keys)
        self.longest = max(self.longest, seconds)
        self.answers[answer.status_code if answer is not None else "cut"] += 1
        if answer is None:
            return False
        if answer.status_code != 200:
            self.without_retry_after += answer.status_code == 503 and "retry-after" not in answer.headers
            return False
        said: dict[str, Any] = answer.json()
        found = Counter(result["status"] for result in said["results"])
        self.statuses.update(found)
        if found.total() != len(keys) or {k: v for k, v in said["counts"].items() if v} != dict(found):
            self.torn.append(json.dumps(said["counts"]))
        done = [key for key, result in zip(keys, said["results"], strict=True) if result["status"] in STATUSES[:2]]
        self.acknowledged.update(done)
        return len(done) == len(keys)


@dataclass
class Learner:
    """A client of one learner: sends batches, and sends again what was not acknowledged."""

    settings: Settings
    book: Book
    size: int = 10
    user_id: UUID = field(default_factory=uuid4)
    open: list[list[dict[str, Any]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._headers = {
            "Authorization": f"Bearer {token(self.settings, self.user_id)}", "Content-Type": "application/json",
        }  # fmt: skip

    async def send(self, client: httpx.AsyncClient, events: list[dict[str, Any]] | None = None) -> bool:
        """One batch, new unless given; kept to be sent again where it was not acknowledged."""
        events = events or [event() for _ in range(self.size)]
        keys = [(self.user_id, each["id"]) for each in events]
        began = time.monotonic()
        answer: httpx.Response | None = None
        with contextlib.suppress(httpx.HTTPError):
            answer = await client.post("/api/events/batch", content=batch(events), headers=self._headers)
        is_done = self.book.note(keys, answer, time.monotonic() - began)
        if not is_done:
            self.open.append(events)
        return is_done

    async def read(self, client: httpx.AsyncClient) -> None:
        """One read, of which only the status is of interest."""
        began = time.monotonic()
        try:
            answer = await client.get("/api/me", headers=self._headers)
        except httpx.HTTPError:
            self.book.answers["cut"] += 1
        else:
            self.book.answers[answer.status_code] += 1
            self.book.without_retry_after += answer.status_code == 503 and "retry-after" not in answer.headers
        self.book.longest = max(self.book.longest, time.monotonic() - began)

    async def send_again(self, client: httpx.AsyncClient) -> None:
        """Everything that is open, until nothing is."""
        waiting, self.open = self.open, []
        for events in waiting:
            assert await self.send(client, events), self.book.answers


async def keep_sending(
    learners: list[Learner], client: httpx.AsyncClient, until: asyncio.Event, *, pause: float = 0.01
) -> None:
    """All learners at once, two sends to a read, until told to stop."""

    async def one(learner: Learner) -> None:
        while not until.is_set():
            await learner.send(client)
            await learner.send(client)
            await learner.read(client)
            await asyncio.sleep(pause)

    await asyncio.gather(*(one(learner) for learner in learners))
