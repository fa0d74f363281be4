"""Turns rows into the texts that `append_events` takes: one text a column, its values joined by newlines."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from osler.domain.event_types import EVENT_TYPES, Body
from osler.eventlog.entries import Rows

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

    def add(self, values: Sequence[Any], text: Callable[[Any], str] | None = None) -> None:
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

    def add_always(self, values: Sequence[str]) -> None:
        """The column that gives the number of rows: never folded into one value."""
        self.same.append(None)
        self.cols.append("\n".join(values))


def envelope(rows: Rows) -> tuple[Texts, Texts]:
    """Columns of `study_events`, in the order of the function's c1 to c19."""
    made = _Columns()
    made.add_always(rows.event_id)
    made.add(rows.event_type)
    made.add(rows.occurred_us, str)
    made.add(rows.occurred_at_raw)
    made.add(rows.shift_us, str)
    made.add(rows.utc_offset_minutes, str)
    made.add(rows.local_day, str)
    made.add(rows.session_id)
    made.add(rows.schema_version, str)
    made.add(rows.tz)
    made.add(rows.zone_source)
    made.add(rows.time_precision)
    made.add(rows.boot_id)
    made.add(rows.monotonic_ms, _text)
    made.add(rows.topic_ids, _array)
    made.add(rows.is_correct, _text)
    made.add(rows.key_version, _text)
    made.add(rows.data_json)
    made.add(rows.user_id)
    return made.cols, made.same


def typed(rows: Rows) -> tuple[list[str], list[str]]:
    """Which types of these rows have a row among the answers and ratings, and which among the materials."""
    kinds = set(rows.event_type)
    return [kind for kind in kinds if BODY_OF[kind] is Body.ATTEMPT], [
        kind for kind in kinds if BODY_OF[kind] is Body.MATERIAL
    ]
