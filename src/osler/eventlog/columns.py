"""Turns entries into the texts that `append_events` takes: one text a column, its values joined by newlines."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from osler.domain.event_types import EVENT_TYPES, Body
from osler.eventlog.entries import Entry

Texts = list[str | None]

BODY_OF = {name: kind.body for name, kind in EVENT_TYPES.items()}


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "t" if value else "f"
    return str(value)


def _array(value: list[str] | None) -> str:
    return "{" + ",".join(f'"{each}"' for each in value) + "}" if value else ""


class _Columns:
    """Collects columns: a column of equal values travels once, in `same`."""

    def __init__(self) -> None:
        self.cols: Texts = []
        self.same: Texts = []

    def add(self, values: list[Any], text: Callable[[Any], str] | None = None) -> None:
        """One more column; without `text` its values are texts or None."""
        first = values[0]
        if values[-1] == first and values.count(first) == len(values):
            self.cols.append(None)
            self.same.append((text or _text)(first) or None)
            return
        self.same.append(None)
        if text is _text and None not in values:
            text = str  # PostgreSQL reads True and False as well
        if text is not None:
            self.cols.append("\n".join(map(text, values)))
            return
        try:
            self.cols.append("\n".join(values))
        except TypeError:
            self.cols.append("\n".join(["" if value is None else value for value in values]))

    def add_always(self, values: list[str]) -> None:
        """The column that gives the number of rows: never folded into one value."""
        self.same.append(None)
        self.cols.append("\n".join(values))


def envelope(entries: Sequence[Entry]) -> tuple[Texts, Texts]:
    """Columns of `study_events`, in the order of the function's c1 to c19."""
    made = _Columns()
    made.add_always([e.event_id for e in entries])
    made.add([e.event_type for e in entries])
    made.add([e.occurred_us for e in entries], str)
    made.add([e.occurred_at_raw for e in entries])
    made.add([e.shift_us for e in entries], str)
    made.add([e.utc_offset_minutes for e in entries], str)
    made.add([e.local_day for e in entries], str)
    made.add([e.session_id for e in entries])
    made.add([e.schema_version for e in entries], str)
    made.add([e.tz for e in entries])
    made.add([e.zone_source for e in entries])
    made.add([e.time_precision for e in entries])
    made.add([e.boot_id for e in entries])
    made.add([e.monotonic_ms for e in entries], _text)
    made.add([e.topic_ids for e in entries], _array)
    made.add([e.is_correct for e in entries], _text)
    made.add([e.key_version for e in entries], _text)
    made.add([e.data_json for e in entries])
    made.add([e.user_id for e in entries])
    return made.cols, made.same


def typed(entries: Sequence[Entry]) -> tuple[list[str], list[str]]:
    """Which types of these entries have a row among the answers and ratings, and which among the materials."""
    kinds = {e.event_type for e in entries}
    return [kind for kind in kinds if BODY_OF[kind] is Body.ATTEMPT], [
        kind for kind in kinds if BODY_OF[kind] is Body.MATERIAL
    ]
