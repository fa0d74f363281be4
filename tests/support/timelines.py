"""Events as values turned into the columns that study sessions are made of, as the database would give them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

from osler.analytics.efficiency.timeline import ANSWERS, Timeline
from osler.domain.events import LoggedEvent

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def timeline_of(events: Sequence[LoggedEvent]) -> Timeline:
    """What `timeline.EVENTS` reads of these events."""
    rows = [_row(event) for event in events]
    return Timeline(*([list(column) for column in zip(*rows, strict=True)] if rows else [[] for _ in range(13)]))


def _row(event: LoggedEvent) -> tuple[Any, ...]:
    return (
        str(event.event_id), _us(event.event_ts), _us(event.effective_at), event.event_type, event.session_id,
        event.device_id or "", _word(event), event.utc_offset_minutes,
        event.local_date.toordinal() - date(1970, 1, 1).toordinal(), _seconds(event), _right(event), _item(event),
        event.topic_ids or None,
    )  # fmt: skip


def _us(at: datetime) -> int:
    since = at - EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def _word(event: LoggedEvent) -> str | None:
    return event.data.get({"session_focus": "state", "session_end": "reason"}.get(event.event_type, "kind"))


def _seconds(event: LoggedEvent) -> float | None:
    if event.event_type == "session_heartbeat":
        return event.data.get("active_seconds") if event.data.get("visible", True) else None
    return event.data.get("time_to_answer_seconds") if event.event_type in ANSWERS else None


def _right(event: LoggedEvent) -> bool | None:
    return event.data["rating"] >= 2 if event.event_type == "flashcard_review" else event.is_correct


def _item(event: LoggedEvent) -> str | None:
    for kind in ("question", "card", "material"):
        if event.data.get(f"{kind}_id") is not None:
            return f"{kind[0]}{event.data[f'{kind}_id']}"
    return None
