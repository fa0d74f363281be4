"""What the event log holds, as values: the only form in which analytics see an event."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

import msgspec

ATTEMPT_TYPES = frozenset({"question_submit", "flashcard_review"})
MATERIAL_TYPES = frozenset(
    {
        "material_open", "material_progress", "material_complete", "material_close",
        "video_play", "video_pause", "video_seek", "bookmark", "highlight", "note_taken",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place in a learner's log: everything up to and including it has been folded."""

    event_ts: datetime
    event_id: UUID


class LoggedEvent(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """One event as stored, with what the server concluded beside what the client said.

    As JSON it is an array of its fields: the form in which the log is read (`osler.eventlog.reading`).

    `event_ts` orders the fold (with `event_id`), `effective_at` gives elapsed times, `local_date` is the learner's
    study day; `utc_offset_minutes` puts `effective_at` on the wall clock. `is_correct` is the stored grade of a
    `question_submit` (null while the question is unknown). `topic_ids` were given by an import, else empty.
    """

    user_id: UUID
    event_id: UUID
    event_ts: datetime
    event_type: str
    effective_at: datetime
    utc_offset_minutes: int
    local_date: date
    session_id: str | None
    device_id: str | None
    time_precision: str
    received_at: datetime
    data: Mapping[str, Any]
    topic_ids: tuple[str, ...] = ()
    is_correct: bool | None = None
    key_version: int | None = None

    def __repr__(self) -> str:
        """Without what the learner said: values end up in logs and tracebacks."""
        return f"LoggedEvent({self.event_type}, {self.event_ts.isoformat()}, {self.event_id})"

    @property
    def order(self) -> tuple[datetime, UUID]:
        """The key of the fold: event time, then id."""
        return self.event_ts, self.event_id
