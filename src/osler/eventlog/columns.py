"""Turns entries into the texts that `append_events` takes: one text a column, its values joined by newlines."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from osler.domain.event_types import EVENT_TYPES, Body
from osler.eventlog.entries import Entry

Texts = list[str | None]

_lines = msgspec.json.Encoder().encode_lines
BODY_OF = {name: kind.body for name, kind in EVENT_TYPES.items()}


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "t" if value else "f"
    return str(value)


def _array(value: list[str] | None) -> str:
    return "{" + ",".join(f'"{each}"' for each in value) + "}" if value else ""


def _json(value: Any) -> str:
    return "" if value is None else msgspec.json.encode(value).decode()


class _Columns:
    """Collects columns: a column of equal values travels once, in `same`."""

    def __init__(self) -> None:
        self.cols: Texts = []
        self.same: Texts = []

    def add(self, values: list[Any], text: Callable[[Any], str] | None = None) -> None:
        """One more column; without `text` its values are texts or None."""
        first = values[0]
        if values.count(first) == len(values):
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

    def add_json(self, values: list[list[str]]) -> None:
        """One more column, of lists that are all present: written in one go."""
        if values.count(values[0]) == len(values):
            self.add(values, _json)
            return
        self.same.append(None)
        self.cols.append(_lines(values).decode()[:-1])

    def add_always(self, values: list[str]) -> None:
        """The column that gives the number of rows: never folded into one value."""
        self.same.append(None)
        self.cols.append("\n".join(values))

    def pad(self, count: int) -> None:
        """Columns that are null in every row."""
        self.cols += [None] * count
        self.same += [None] * count


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


def _shared(made: _Columns, entries: Sequence[Entry]) -> None:
    """c1 to c7 of both typed tables."""
    made.add_always([e.event_id for e in entries])
    made.add([e.user_id for e in entries])
    made.add([e.event_type for e in entries])
    made.add([e.occurred_us + e.shift_us for e in entries], str)
    made.add([e.utc_offset_minutes for e in entries], str)
    made.add([e.local_day for e in entries], str)
    made.add([e.session_id for e in entries])


def attempts(entries: Sequence[Entry]) -> tuple[int, Texts, Texts]:
    """Number and columns of the answers and ratings among the entries."""
    mine = [e for e in entries if BODY_OF[e.event_type] is Body.ATTEMPT]
    if not mine:
        return 0, [], []
    made = _Columns()
    _shared(made, mine)
    if all(e.event_type == "question_submit" for e in mine):
        _add_answers(made, mine)
    else:
        _add_any(made, mine, _ATTEMPT_FIELDS)
    return len(mine), made.cols, made.same


def _add_answers(made: _Columns, mine: Sequence[Entry]) -> None:
    """The same columns as `_add_any` gives, read directly: most batches hold answers alone."""
    data = [e.data for e in mine]
    made.add([d.question_id for d in data])
    made.pad(1)
    made.add([d.time_to_answer_seconds for d in data], _text)
    made.add([e.is_correct for e in mine], _text)
    made.add([d.score for d in data], _text)
    made.add([e.key_version for e in mine], _text)
    made.add_json([d.answer for d in data])
    made.add([d.mode for d in data])
    made.add([d.confidence for d in data], _text)
    made.add([d.hints_used for d in data], _text)
    made.add([d.block_id for d in data])
    made.add([d.position for d in data], _text)
    made.pad(6)


Reader = Callable[[Entry], Any]


def _of(*names: str) -> Reader:
    """Reads the first of these fields that a type's data has."""

    def read(entry: Entry) -> Any:
        for name in names:
            value = getattr(entry.data, name, None)
            if value is not None:
                return value
        return None

    return read


def _only(event_type: str, *names: str) -> Reader:
    inner = _of(*names)
    return lambda entry: inner(entry) if entry.event_type == event_type else None


_ATTEMPT_FIELDS: tuple[tuple[Reader, Callable[[Any], str]], ...] = (
    (_of("question_id"), _text), (_of("card_id"), _text), (_of("time_to_answer_seconds"), _text),
    (lambda e: e.is_correct, _text), (_of("score"), _text), (lambda e: e.key_version, _text), (_of("answer"), _json),
    (_of("mode"), _text), (_of("confidence"), _text), (_of("hints_used"), _text), (_of("block_id"), _text),
    (_of("position"), _text), (_of("rating"), _text), (_of("kind"), _text), (_of("previous_interval_seconds"), _text),
    (_of("interval_seconds"), _text), (_of("ease_permille"), _text), (_of("affects_schedule"), _text),
)  # fmt: skip

_MATERIAL_FIELDS: tuple[tuple[Reader, Callable[[Any], str]], ...] = (
    (_of("material_id"), _text), (_of("question_id"), _text), (_of("section_id"), _text), (_of("kind"), _text),
    (_of("action", "reason"), _text), (_of("progress"), _text), (_of("active_seconds"), _text),
    (_of("scroll_depth"), _text), (_of("position_seconds", "from_seconds"), _text), (_of("to_seconds"), _text),
    (_of("length_chars"), _text), (_only("bookmark", "on"), _text),
)  # fmt: skip


def _add_any(made: _Columns, mine: Sequence[Entry], fields: Sequence[tuple[Reader, Callable[[Any], str]]]) -> None:
    for read, text in fields:
        made.add([read(e) for e in mine], text)


def materials(entries: Sequence[Entry]) -> tuple[int, Texts, Texts]:
    """Number and columns of what was done with materials."""
    mine = [e for e in entries if BODY_OF[e.event_type] is Body.MATERIAL]
    if not mine:
        return 0, [], []
    made = _Columns()
    _shared(made, mine)
    _add_any(made, mine, _MATERIAL_FIELDS)
    return len(mine), made.cols, made.same
