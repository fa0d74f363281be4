"""How far a material has been read, and when it was first read to the end. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from osler.domain.events import MATERIAL_TYPES, LoggedEvent


class Progress(msgspec.Struct, frozen=True, gc=False):
    """A learner's way through one material. `completed_at` is when it was first read to the end."""

    progress: float
    active_seconds: float
    first_at: datetime
    last_at: datetime
    completed_at: datetime | None = None


def material_of(event: LoggedEvent) -> str | None:
    """The material that an event is about, if it is about one."""
    return event.data.get("material_id") if event.event_type in MATERIAL_TYPES else None


def read_on(before: Progress | None, event: LoggedEvent) -> Progress:
    """The way through a material after one more event about it.

    A material is complete when the learner says so, or when the furthest point is its end.
    """
    at = event.effective_at
    known = before or Progress(0.0, 0.0, at, at)
    is_complete = event.event_type == "material_complete"
    reached = 1.0 if is_complete else float(event.data.get("progress", 0.0))
    progress = max(known.progress, reached)
    seconds = float(event.data.get("active_seconds", 0.0)) if event.event_type == "material_progress" else 0.0
    done = known.completed_at or (at if progress >= 1.0 else None)
    return Progress(progress, known.active_seconds + seconds, min(known.first_at, at), max(known.last_at, at), done)


def progress_of_row(row: Mapping[str, Any]) -> Progress:
    """A row of material_progress as a value."""
    return Progress(row["progress"], row["active_seconds"], row["first_at"], row["last_at"], row["completed_at"])
