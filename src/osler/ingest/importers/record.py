"""What an importer makes of a source: records, each with its events or the reason why it has none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any, Protocol
from uuid import UUID

from osler.domain.identity import deterministic_id
from osler.ingest.importers.zones import Zones, zones_of

WireEvent = dict[str, Any]


@dataclass(frozen=True, slots=True)
class SourceRecord:
    """One record of the source.

    `learner` is the source's own name for who did it, None for the learner whom the import is for. A record has
    `events`, or a `skipped` reason, or was `merged` into another record, or `stored` something beside the log.
    `concluded` is what another Osler had concluded of its event. `carried` is a row (table, columns) that its export
    has beside the events; such a record counts as merged, and `learner` says whose the row is.
    """

    events: tuple[WireEvent, ...] = ()
    learner: str | None = None
    skipped: str | None = None
    merged: str | None = None
    stored: Outcome | None = None
    n: int = 1
    concluded: Mapping[str, Any] | None = None
    carried: tuple[str, Mapping[str, Any]] | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """A result of an exam: goes to `exam_outcomes`, not to the log. `score` is a share of the points."""

    exam_id: str
    on: date
    score: float | None
    passed: bool | None
    result: str | None = None


@dataclass(frozen=True, slots=True)
class Entries:
    """Catalogue rows that have to be there before the events: unknown questions and topics become rows first."""

    topics: Mapping[str, str] = field(default_factory=dict[str, str])
    questions: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    materials: Mapping[str, tuple[str, tuple[str, ...]]] = field(default_factory=dict[str, tuple[str, tuple[str, ...]]])
    cards: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    exams: Mapping[str, str] = field(default_factory=dict[str, str])
    cards_mapped_by: str | None = None
    tagged: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    """Cards whose tags and deck names the loaded curriculum's rules turn into topics; the names are stored nowhere."""
    untagged: str = ""
    """The topic of those of them that no rule knows."""
    suspended: frozenset[str] | None = None
    """Cards that the learner has taken out of review, or no longer has; None where the source does not tell."""
    options: Mapping[str, int] = field(default_factory=dict[str, int])
    """How many options a question has, where the source knows."""


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """What the person who imports has said. `zone` (a name, or a file of moves) is for times that have none."""

    zone: str = "UTC"
    zone_is_given: bool = False
    mapping_file: Path | None = None

    def zones(self, otherwise: str | None = None) -> Zones:
        """The zones that were given, else `otherwise`, else the learner's. Errors: UnreadableSource."""
        return zones_of(self.zone if self.zone_is_given or otherwise is None else otherwise)


class Source(Protocol):
    """An opened source. `total` is the number of records, where it is known before they are read."""

    name: str
    total: int | None
    notes: list[str]

    def entries(self) -> Entries:
        """Catalogue rows that the events need."""
        ...

    def records(self) -> Iterator[SourceRecord]:
        """The records, oldest first for each learner."""
        ...


def event(
    namespace: str,
    source_id: str,
    event_type: str,
    at: datetime,
    data: Mapping[str, Any],
    *,
    tz: str | None = None,
    precision: str = "ms",
    topic_ids: Sequence[str] = (),
    session_id: UUID | None = None,
    offset_is_known: bool = True,
) -> WireEvent:
    """A native event of a source row. Its id follows from the row alone: a second import answers `duplicate`.

    `at` must be aware; its offset is sent as it stands, or as `Z` (the learner's zone decides) where it only said UTC.
    """
    said_at = at.isoformat(timespec="milliseconds")
    made: WireEvent = {
        "id": str(deterministic_id(namespace, source_id, round(at.timestamp() * 1000))),
        "type": event_type,
        "schema": 1,
        "occurred_at": said_at if offset_is_known else said_at.replace("+00:00", "Z"),
        "data": {name: value for name, value in data.items() if value is not None},
    }
    if tz is not None:
        made["tz"] = tz
    if precision != "ms":
        made["time_precision"] = precision
    if topic_ids:
        made["topic_ids"] = sorted(set(topic_ids))[:5]
    if session_id is not None:
        made["session_id"] = str(session_id)
    return made
