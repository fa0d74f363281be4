"""The wire format itself, one event a line: what `osler export --jsonl` writes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import msgspec

from osler.ingest.importers.files import MOST_LINE_BYTES, count_lines, open_bytes
from osler.ingest.importers.record import Entries, ImportOptions, SourceRecord

CONCLUDED = ("effective_at", "local_date", "received_at", "event_ts", "content_hash", "zone_source", "key_version")
"""What an export writes beside what the client said; the server concludes it again."""


class JsonlSource:
    """Events as they were sent. `user_id`, where a line has one, says whose they are."""

    name = "jsonl"

    def __init__(self, path: Path, options: ImportOptions) -> None:  # noqa: ARG002 (every source is made alike)
        self._path = path
        self.total: int | None = count_lines(path)
        self.notes: list[str] = []

    def entries(self) -> Entries:
        """Nothing: events name what the catalogue has."""
        return Entries()

    def records(self) -> Iterator[SourceRecord]:
        """One record for each line that is not empty."""
        with open_bytes(self._path) as lines:
            for line in iter(lambda: lines.readline(MOST_LINE_BYTES), b""):
                if line.strip():
                    yield _record(line)


def _record(line: bytes) -> SourceRecord:
    try:
        found: Any = msgspec.json.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return SourceRecord(skipped="line_unreadable")
    if not isinstance(found, dict):
        return SourceRecord(skipped="line_unreadable")
    event = {name: value for name, value in cast("dict[str, Any]", found).items() if name not in CONCLUDED}
    user_id = event.pop("user_id", None)
    return SourceRecord((event,), learner=str(user_id) if user_id is not None else None)
