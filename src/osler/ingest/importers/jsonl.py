"""The wire format itself, one event a line: what `osler export --jsonl` writes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

import msgspec

from osler.catalog.carried import CATALOGUE, OWN, SETTINGS
from osler.ingest.importers.files import count_lines, open_bytes, require_json_lines
from osler.ingest.importers.record import Entries, ImportOptions, SourceRecord

CARRIED = frozenset({SETTINGS, *OWN, *(table.name for table in CATALOGUE)})
STORED = "stored"
"""What an export says beside what the client said: what the server concluded then, which is taken over."""


class JsonlSource:
    """Events as they were sent. `user_id`, where a line has one, says whose they are.

    Lines that an export writes besides events: the catalogue and the learner's own facts stand before the events and
    are taken over (`merged`); what it is, and derived rows, are counted as skipped: rows are made anew.
    """

    name = "jsonl"

    def __init__(self, path: Path, options: ImportOptions) -> None:  # noqa: ARG002 (every source is made alike)
        self._path = path
        self.total: int | None = count_lines(path)
        self.notes: list[str] = []
        require_json_lines(path, "events, one a line")

    def entries(self) -> Entries:
        """What an export carries before its first event; nothing where the events stand alone."""
        carried: dict[str, list[Mapping[str, Any]]] = {}
        with open_bytes(self._path) as lines:
            for line in lines:
                found = _decoded(line)
                if found is not None and "type" in found:
                    break
                name = found and (found.get("catalogue") or found.get("table"))
                if found and name in CARRIED and isinstance(found.get("row"), dict):
                    carried.setdefault(str(name), []).append(cast("dict[str, Any]", found["row"]))
        return Entries(carried=carried)

    def records(self) -> Iterator[SourceRecord]:
        """One record for each line that is not empty."""
        with open_bytes(self._path) as lines:
            for line in lines:
                if line.strip():
                    yield _record(line)


def _decoded(line: bytes) -> dict[str, Any] | None:
    try:
        found: Any = msgspec.json.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return cast("dict[str, Any]", found) if isinstance(found, dict) else None


def _record(line: bytes) -> SourceRecord:
    event = _decoded(line)
    if event is None:
        return SourceRecord(skipped="line_unreadable")
    if "type" not in event:
        if "catalogue" in event:
            return SourceRecord(merged="catalogue")
        if "table" in event:
            return (
                SourceRecord(merged="own_facts") if event["table"] in CARRIED else SourceRecord(skipped="derived_row")
            )
        if "export" in event:
            return SourceRecord(skipped="heading")
    concluded = event.pop(STORED, None)
    user_id = event.pop("user_id", None)
    return SourceRecord(
        (event,),
        learner=str(user_id) if user_id is not None else None,
        concluded=cast("dict[str, Any]", concluded) if isinstance(concluded, dict) else None,
    )
