"""A learner's clock: events as the wire carries them, each with the id that the learner's device would have made."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from osler.domain.identity import deterministic_id

HEARTBEAT_SECONDS = 30


class Timeline:
    """Collects one learner's events. `now` moves forward as the learner studies; ids follow it."""

    def __init__(self, namespace: str, zone: str, start: datetime) -> None:
        self.namespace = namespace
        self.zone_name = zone
        self.zone = ZoneInfo(zone)
        self.now = start
        self.events: list[dict[str, Any]] = []
        self._count = 0
        self._session: str | None = None
        self._paused: list[tuple[datetime, datetime]] = []

    def pass_seconds(self, seconds: float) -> None:
        """Let time go by."""
        self.now += timedelta(milliseconds=round(seconds * 1000))

    def add(self, event_type: str, **data: Any) -> None:
        """One event, now. Values that are None are left out, as a client leaves them out."""
        self._append(event_type, self.now, {name: value for name, value in data.items() if value is not None})

    def open_session(self, session_id: UUID, mode: str, platform: str) -> datetime:
        """Begin a study session; the events that follow belong to it. Returns when it began."""
        self._session = str(session_id)
        self._paused = []
        self.add("session_start", mode=mode, platform=platform)
        return self.now

    def pause(self, seconds: float) -> None:
        """A break inside the session, told by the application's pause button; no heartbeat is sent in it."""
        since = self.now
        self.add("session_pause", reason="user")
        self.pass_seconds(seconds)
        self.add("session_resume")
        self._paused.append((since, self.now))

    def close_session(self, began: datetime, *, heartbeats_every_seconds: int) -> None:
        """End the session, and fill in the heartbeats that its device sent meanwhile."""
        at = began + timedelta(seconds=heartbeats_every_seconds)
        active = min(120, heartbeats_every_seconds)
        while at < self.now:
            beat = {"active_seconds": float(active), "idle_seconds": 0.0, "visible": True}
            if not any(since < at <= until for since, until in self._paused):
                self._append("session_heartbeat", at, beat)
            at += timedelta(seconds=heartbeats_every_seconds)
        self.add("session_end", reason="user")
        self._session = None

    def _append(self, event_type: str, at: datetime, data: dict[str, Any]) -> None:
        unix_ms = round(at.timestamp() * 1000)
        self._count += 1
        event: dict[str, Any] = {
            "id": str(deterministic_id(self.namespace, str(self._count), unix_ms)),
            "type": event_type,
            "schema": 1,
            "occurred_at": at.astimezone(self.zone).isoformat(timespec="milliseconds"),
            "tz": self.zone_name,
            "data": data,
        }
        if self._session is not None:
            event["session_id"] = self._session
        self.events.append(event)
