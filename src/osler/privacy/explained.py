"""The page in an export that says what each file is and what each column means; made from the declarations. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from osler.db.schema import Kind, kind_of

README = "README.md"

EVENT_COLUMNS = {
    "id": "the event's id; its first 48 bits are the time",
    "type": "what happened; the fields of each type are listed in Osler's reference of events",
    "schema": "version of the type's fields",
    "occurred_at": "when, as the device said it",
    "tz": "time zone that the device named",
    "session_id": "the device's own session",
    "boot_id": "which start of the device monotonic_ms counts from",
    "monotonic_ms": "the device's clock that is never set, in milliseconds",
    "topic_ids": "topics that an import gave the event",
    "time_precision": "how exact the time is, where it is not to the millisecond",
    "data": "the fields of the type, as JSON",
    "sent_at": "when the device sent it, by its own clock",
    "received_at": "when the server took it",
    "clock_skew_ms": "how far the device's clock was off then, in milliseconds",
    "device_id": "the device's pseudonym",
    "effective_at": "when it happened, with the device's clock corrected",
    "utc_offset_minutes": "offset of the place from UTC, in minutes",
    "local_date": "your study day that it counts to",
    "zone_source": "where that zone is from: the event, your settings, an import",
    "is_correct": "whether the answer was right",
    "key_version": "version of the key that it was graded with",
}
"""Columns of events.csv: what was sent, then what the server concluded."""

_WORDS = {
    Kind.FACT: "entered or told",
    Kind.DERIVED: "derived from the events; can be made again",
    Kind.FROZEN: "stated once and kept, such as a forecast",
    Kind.OPERATIONAL: "kept to run the service",
}

_TOP = """# Your data in Osler

Taken at {at}. Everything that is stored of you is here; nothing of anybody else.

* `osler-export.jsonl`: everything, one JSON object a line. Another Osler takes it over: `osler import jsonl`.
* `events.csv`: the same events for a spreadsheet, one a line.
* `tables/*.csv`: what you entered, what was derived, what was forecast. `model_version` says by which model and with
  which parameters; `as_of` says for which instant.
* `catalogue/*.csv`: the topics and exams that the figures speak of, and the questions and materials that you used. No
  question's text and no key is stored with it.

CSV is UTF-8 with a heading line. An empty cell is "nothing". Lists and nested values are JSON. Times are UTC. A text
that a spreadsheet would take for a formula has an apostrophe before it; numbers have none. What arrived while this was
written may be in one file and not in another.

## events.csv

{events}
"""


def explained(own: Sequence[sa.Table], catalogue: Sequence[sa.Table], at: datetime) -> str:
    """The page, in Markdown."""
    events = _listed([(name, meaning, "") for name, meaning in EVENT_COLUMNS.items()])
    parts = [_TOP.format(at=at.astimezone(UTC).isoformat(timespec="seconds"), events=events)]
    for folder, tables in (("tables", own), ("catalogue", catalogue)):
        parts += [_section(folder, table) for table in tables]
    return "\n".join(parts)


def _section(folder: str, table: sa.Table) -> str:
    said = (table.comment or "").rpartition(" (")[0]
    columns = [(column.name, *_meaning(column)) for column in table.columns]
    return f"## {folder}/{table.name}.csv\n\n{said}. ({_WORDS[kind_of(table)]})\n\n{_listed(columns)}\n"


def _meaning(column: sa.Column[Any]) -> tuple[str, str]:
    return str(column.info["meaning"]), str(column.info["unit"] or "")


def _listed(rows: Sequence[tuple[str, str, str]]) -> str:
    lines = [f"| `{name}` | {meaning} | {unit} |" for name, meaning, unit in rows]
    return "\n".join(["| column | meaning | unit |", "| --- | --- | --- |", *lines])
