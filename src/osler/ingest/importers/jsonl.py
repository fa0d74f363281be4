"""The wire format itself, one event a line: what `osler export --jsonl` writes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

import msgspec

from osler.catalog.carried import CARRIED
from osler.errors import UnreadableSource
from osler.ingest.importers.files import count_lines, open_bytes, require_json_lines
from osler.ingest.importers.record import Entries, ImportOptions, SourceRecord

LOOKED_AT = 1_000
"""Lines of which one at least has to be understood: some bad lines among good ones are counted, and cost no other."""

_OURS = frozenset({"type", "catalogue", "table", "export"})
_STATEMENT = frozenset({"actor", "verb", "object"})

EVERYBODY = "everybody"
"""What the heading of an export says that names a learner on every line."""

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
        _require_own(path)

    def entries(self) -> Entries:
        """Nothing: what events need is carried before them, or is there."""
        return Entries()

    def records(self) -> Iterator[SourceRecord]:
        """One record for each line that is not empty."""
        names_learners = False
        with open_bytes(self._path) as lines:
            for line in lines:
                if line.strip():
                    found = _decoded(line)
                    if found is not None and "type" not in found and "export" in found:
                        names_learners = found.get("whose") == EVERYBODY
                    yield _record(found, names_learners=names_learners)


def _require_own(path: Path) -> None:
    """Refuse a file of which nothing is understood from its beginning on. One understood line is enough to read it all.

    Errors: UnreadableSource, naming the importer that fits.
    """
    strange: list[dict[str, Any]] = []
    n = 0
    with open_bytes(path) as lines:
        for line in lines:
            found = _decoded(line) if line.strip() else {}
            if found is not None and found.keys() & _OURS:
                return
            strange += [found] if found else []
            n += bool(line.strip())
            if n == LOOKED_AT:
                break
    if strange and all(each.keys() >= _STATEMENT for each in strange):
        raise UnreadableSource(
            f"{path.name} holds xAPI statements, not events as osler export writes them: osler import xapi {path}"
        )
    if n == LOOKED_AT:
        raise UnreadableSource(
            f"{path.name} has nothing in its first {LOOKED_AT:,} lines that osler export would write; nothing was "
            "stored. osler import --help names what else can be imported"
        )


def _decoded(line: bytes) -> dict[str, Any] | None:
    try:
        found: Any = msgspec.json.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return cast("dict[str, Any]", found) if isinstance(found, dict) else None


def _record(event: dict[str, Any] | None, *, names_learners: bool) -> SourceRecord:
    if event is None:
        return SourceRecord(skipped="line_unreadable")
    if "type" not in event and event.keys() & _OURS:
        return _beside(event, names_learners=names_learners)
    concluded = event.pop(STORED, None)
    user_id = event.pop("user_id", None)
    return SourceRecord(
        (event,),
        learner=str(user_id) if user_id is not None else None,
        concluded=cast("dict[str, Any]", concluded) if isinstance(concluded, dict) else None,
    )


def _beside(line: Mapping[str, Any], *, names_learners: bool) -> SourceRecord:
    """A line that an export has beside its events."""
    name, row = line.get("catalogue") or line.get("table"), line.get("row")
    if name is None:
        return SourceRecord(skipped="heading")
    if name not in CARRIED or not isinstance(row, dict):
        return SourceRecord(skipped="derived_row")
    carried = (str(name), cast("dict[str, Any]", row))
    if "catalogue" in line:
        return SourceRecord(merged="catalogue", carried=carried)
    user_id = carried[1].get("user_id") if names_learners else None
    return SourceRecord(merged="own_facts", carried=carried, learner=None if user_id is None else str(user_id))
