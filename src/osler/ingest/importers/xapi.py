"""xAPI statements out of a file, as native events; the statements themselves are not kept.

Source: xAPI 1.0.3 and the video profile. Actors become pseudonyms by keyed hash; verbs that mean nothing to Osler are
counted by name.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, cast

import msgspec

from osler.ingest.importers.files import count_lines
from osler.ingest.importers.json_items import JsonItems
from osler.ingest.importers.record import Entries, ImportOptions, SourceRecord, event

EXTENSIONS = "https://w3id.org/xapi/video/extensions/"
FIRST_YEAR, LAST_YEAR = 2000, 2100
_FITS = re.compile(r"[A-Za-z0-9_.:-]{1,60}")
_VERB_NAME = re.compile(r"[^A-Za-z0-9_-]+")
Statement = dict[str, Any]
Data = dict[str, Any]


class XapiSource:
    """A file with one statement a line, or with a JSON array of statements."""

    name = "xapi"

    def __init__(self, path: Path, options: ImportOptions) -> None:
        self._path = path
        self._zones = options.zones() if options.zone_is_given else None
        self._items = JsonItems(self._path, "xAPI statements, one a line or in one array")
        self.total: int | None = None if self._items.is_array else count_lines(self._path)
        self.notes: list[str] = []

    def entries(self) -> Entries:
        """Activities that were watched or opened, as materials without a topic."""
        materials: dict[str, tuple[str, tuple[str, ...]]] = {}
        for statement in self._statements():
            if statement is not None and _verb(statement) in _VERBS:
                materials.setdefault(_material(statement), (_kind(statement), ()))
        return Entries(materials=materials)

    def records(self) -> Iterator[SourceRecord]:
        """One record for each statement."""
        for statement in self._statements():
            yield SourceRecord(skipped="line_unreadable") if statement is None else self._record(statement)

    def _statements(self) -> Iterator[Statement | None]:
        yield from map(_statement, self._items)

    def _record(self, statement: Statement) -> SourceRecord:
        verb = _verb(statement)
        make = _VERBS.get(verb)
        if make is None:
            return SourceRecord(skipped=f"unmapped.{_VERB_NAME.sub('', verb)[:40] or 'none'}")
        reason = _what_is_missing(statement)
        at, actor = _instant(statement), _actor(statement)
        if reason is not None or at is None or actor is None:
            return SourceRecord(skipped=reason)
        try:
            made = make(statement)
        except (TypeError, ValueError):
            return SourceRecord(skipped="result_unreadable")
        if made is None:
            return SourceRecord(skipped="result_incomplete")
        said_utc = _said(statement)[-1:] in ("Z", "z")
        if said_utc and self._zones is not None:
            at, said_utc = self._zones.local(at), False
        event_type, data = made
        wire = event("xapi", str(statement["id"]), event_type, at, data, offset_is_known=not said_utc)
        return SourceRecord((wire,), learner=actor)


def _statement(line: bytes) -> Statement | None:
    try:
        found: Any = msgspec.json.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return cast("Statement", found) if isinstance(found, dict) else None


def _verb(statement: Statement) -> str:
    return str(_part(statement, "verb").get("id", "")).rstrip("/").rsplit("/", 1)[-1]


def _said(statement: Statement) -> str:
    return str(statement.get("timestamp") or statement.get("stored") or "")


def _instant(statement: Statement) -> datetime | None:
    try:
        at = datetime.fromisoformat(_said(statement))
    except ValueError:
        return None
    return at if at.tzinfo is not None and FIRST_YEAR <= at.year < LAST_YEAR else None


def _what_is_missing(statement: Statement) -> str | None:
    if _instant(statement) is None:
        return "no_time"
    if _actor(statement) is None:
        return "no_actor"
    return None if statement.get("id") else "no_id"


def _actor(statement: Statement) -> str | None:
    """One string for one person, whichever identifier the statement uses. Only its keyed hash goes further."""
    actor = _part(statement, "actor")
    account = _part(actor, "account")
    if account:
        return f"{account.get('homePage')}|{account.get('name')}"
    named = ((name, str(actor[name]).strip()) for name in ("mbox", "mbox_sha1sum", "openid") if actor.get(name))
    return next((f"{name}|{text.lower() if name != 'openid' else text}" for name, text in named), None)


def _material(statement: Statement) -> str:
    """An id that fits, out of an address that need not: as it is where possible, else its hash."""
    found = str(_part(statement, "object").get("id", "")).removeprefix("uuid://")
    if _FITS.fullmatch(found):
        return found
    return "x." + hashlib.sha256(found.encode()).hexdigest()[:40]


def _kind(statement: Statement) -> str:
    kind = str(_part(_part(statement, "object"), "definition").get("type", ""))
    return "video" if "video" in kind else "text"


def _part(whole: Data, name: str) -> Data:
    """An object inside an object; an empty one where there is none."""
    part: Any = whole.get(name)
    return cast("Data", part) if isinstance(part, dict) else {}


def _extension(statement: Statement, name: str) -> float | None:
    value = _part(_part(statement, "result"), "extensions").get(EXTENSIONS + name)
    return round(float(value), 3) if value is not None else None


def _opened(statement: Statement) -> tuple[str, Data]:
    return "material_open", {"material_id": _material(statement), "kind": _kind(statement)}


def _completed(statement: Statement) -> tuple[str, Data]:
    return "material_complete", {"material_id": _material(statement)}


def _progressed(statement: Statement) -> tuple[str, Data] | None:
    share = _extension(statement, "progress")
    if share is None:
        return None
    data = {"material_id": _material(statement), "progress": min(1.0, max(0.0, share)), "active_seconds": 0.0}
    return "material_progress", data


def _played(statement: Statement) -> tuple[str, Data] | None:
    return _at_position(statement, "video_play")


def _paused(statement: Statement) -> tuple[str, Data] | None:
    return _at_position(statement, "video_pause")


def _at_position(statement: Statement, event_type: str) -> tuple[str, Data] | None:
    position = _extension(statement, "time")
    if position is None:
        return None
    return event_type, {"material_id": _material(statement), "position_seconds": max(0.0, position)}


def _seeked(statement: Statement) -> tuple[str, Data] | None:
    start, end = _extension(statement, "time-from"), _extension(statement, "time-to")
    if start is None or end is None:
        return None
    data = {"material_id": _material(statement), "from_seconds": max(0.0, start), "to_seconds": max(0.0, end)}
    return "video_seek", data


def _answered(statement: Statement) -> tuple[str, Data] | None:
    result = _part(statement, "result")
    if not isinstance(result.get("success"), bool):
        return None
    data: Data = {
        "question_id": _material(statement), "answer": [], "time_to_answer_seconds": 0.0, "mode": "untimed",
        "is_correct": result["success"],
    }  # fmt: skip
    return "question_submit", data


_VERBS: dict[str, Callable[[Statement], tuple[str, Data] | None]] = {
    "initialized": _opened,
    "launched": _opened,
    "experienced": _opened,
    "progressed": _progressed,
    "completed": _completed,
    "played": _played,
    "paused": _paused,
    "seeked": _seeked,
    "answered": _answered,
}
