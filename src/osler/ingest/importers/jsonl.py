"""The wire format itself, one event a line: what `osler export --jsonl` writes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import msgspec

from osler.ingest.importers.files import count_lines, open_bytes, require_json_lines
from osler.ingest.importers.record import Entries, ImportOptions, SourceRecord

STORED = "stored"
"""What an export says beside what the client said: what the server concluded then, which is taken over."""


class JsonlSource:
    """Events as they were sent. `user_id`, where a line has one, says whose they are.

    Lines that an export writes besides events (what it is, derived rows) are counted as skipped: rows are made anew.
    """

    name = "jsonl"

    def __init__(self, path: Path, options: ImportOptions) -> None:  # noqa: ARG002 (every source is made alike)
        self._path = path
        self.total: int | None = count_lines(path)
        self.notes: list[str] = []
        require_json_lines(path, "events, one a line")

    def entries(self) -> Entries:
        """Nothing: events name what the catalogue has."""
        return Entries()

    def records(self) -> Iterator[SourceRecord]:
        """One record for each line that is not empty."""
        with open_bytes(self._path) as lines:
            for line in lines:
                if line.strip():
                    yield _record(line)


def _record(line: bytes) -> SourceRecord:
    try:
        found: Any = msgspec.json.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return SourceRecord(skipped="line_unreadable")
    if not isinstance(found, dict):
        return SourceRecord(skipped="line_unreadable")
    event = cast("dict[str, Any]", found)
    if "type" not in event and ("table" in event or "export" in event):
        return SourceRecord(skipped="derived_row" if "table" in event else "heading")
    concluded = event.pop(STORED, None)
    user_id = event.pop("user_id", None)
    return SourceRecord(
        (event,),
        learner=str(user_id) if user_id is not None else None,
        concluded=cast("dict[str, Any]", concluded) if isinstance(concluded, dict) else None,
    )
