"""What the steps of ingestion work on: who sends, each event on its way, what is known of its learner, its outcome."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

import msgspec

from osler.domain.clock_rules import Home, Instant
from osler.domain.event_types import EventType
from osler.domain.outcomes import Code, EventProblem, Status, Warn
from osler.eventlog.entries import Entry, Rows, at, chained
from osler.ingest.columns import Columns
from osler.ingest.concluded import Concluded
from osler.ingest.wire import WireEvent


@dataclass(frozen=True, slots=True)
class Sender:
    """Who sends, and what that allows.

    `user_id` is a learner's own; a service names the learner in each event. `is_service` may send what is reserved
    for services, `is_server` what is reserved for us; `may_create` meets learners for the first time.
    """

    user_id: UUID | None = None
    is_service: bool = False
    is_server: bool = False
    may_create: bool = False
    is_import: bool = False
    is_limited: bool = True
    """Whether the rate of events is held; not for what this process sends itself, as the simulator does."""
    address: str = ""
    """What the rate of a whole campus is held by; empty where nothing came over the network."""
    concluded: Mapping[str, Concluded] = field(default_factory=dict[str, Concluded])
    """By event id: what the export that is imported had concluded."""

    @property
    def names_learners(self) -> bool:
        """Whether `user_id` may stand in an event: the token says whose events they are, except where it cannot."""
        return self.user_id is None or self.is_import or self.is_server

    @classmethod
    def learner(cls, user_id: UUID) -> Sender:
        """A learner, who is met for the first time like any other time."""
        return cls(user_id=user_id, may_create=True)


class Learner(msgspec.Struct, frozen=True, gc=False):
    """What ingestion knows of a learner before it stores: where the day is counted, and what is kept already.

    `stored` is the text that this was read off, by which the append tells whether it still is so; None who is new.
    """

    home: Home = Home()
    checkpoint_ms: int | None = None
    stored: str | None = None

    @property
    def is_new(self) -> bool:
        """Whether nothing is stored of the learner yet."""
        return self.stored is None


@dataclass(frozen=True, slots=True)
class Grade:
    """What the catalogue says of a question: its key, if it has one, and the key's version."""

    key: tuple[str, ...] | None
    key_version: int


@dataclass(slots=True)
class Context:
    """What every event of a request shares. Instants are microseconds since 1970, by the database's clock."""

    sender: Sender
    received_us: int
    skew_us: int
    retention_from_ms: int
    sent_monotonic_ms: int | None = None
    boot_id: str | None = None
    learners: Mapping[str, Learner] = field(default_factory=dict[str, Learner])
    grades: Mapping[str, Grade | None] = field(default_factory=dict[str, "Grade | None"])
    materials: Mapping[str, bool] = field(default_factory=dict[str, bool])
    sessions: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])
    over_rate: frozenset[str] = frozenset()
    own: str | None = None

    def __post_init__(self) -> None:
        """The sender's own learner as a text, made once and not for each event."""
        self.own = str(self.sender.user_id) if self.sender.user_id is not None else None


class Candidate:
    """One event between the wire and the log, by itself; each step fills in what it found."""

    __slots__ = ("data_json", "entry", "event", "kind", "learner", "ms", "sent", "user_id", "warnings")

    def __init__(self, event: WireEvent, kind: EventType) -> None:
        self.event = event
        self.kind = kind
        self.warnings: tuple[Warn, ...] = ()
        self.user_id: str
        self.learner: Learner
        self.ms: int
        self.sent: Instant
        self.data_json: bytes
        self.entry: Entry


@dataclass(frozen=True, slots=True)
class Candidates:
    """Events between the wire and the log, as columns: their places in the request, whose they are, canonical data."""

    places: Sequence[int]
    columns: Columns
    user_ids: Sequence[str] = ()
    data: Sequence[bytes] = ()

    def __len__(self) -> int:
        """How many events."""
        return len(self.places)

    def part(self, low: int, high: int) -> Candidates:
        """Those from one place among them to another."""
        columns = Columns(self.columns.events[low:high])
        return Candidates(self.places[low:high], columns, self.user_ids[low:high], self.data[low:high])

    @classmethod
    def joined(cls, parts: Sequence[Candidates]) -> Candidates:
        """Those of several, before anything is known of their data."""
        if len(parts) == 1:
            return parts[0]
        events = chained([part.columns.events for part in parts])
        return cls(chained([p.places for p in parts]), Columns(events), chained([p.user_ids for p in parts]))


@dataclass(frozen=True, slots=True)
class Ready:
    """Rows that can be stored, and were: the places of their events in the request, and the warnings of each."""

    places: Sequence[int] = ()
    rows: Rows = field(default_factory=Rows)
    warnings: Sequence[tuple[Warn, ...]] = ()

    def __len__(self) -> int:
        """How many rows."""
        return len(self.places)

    def at(self, nth: Sequence[int]) -> Ready:
        """Some of them, in that order."""
        return Ready(at(self.places, nth), self.rows.at(nth), at(self.warnings, nth))

    @classmethod
    def joined(cls, parts: Sequence[Ready]) -> Ready:
        """Those of several."""
        if len(parts) == 1:
            return parts[0]
        rows = Rows.joined([part.rows for part in parts])
        return cls(chained([p.places for p in parts]), rows, chained([p.warnings for p in parts]))


class Outcome(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """The answer to one event. `detail` is fixed text and never echoes a value."""

    index: int
    id: str | None
    status: Status
    warnings: list[Warn]
    code: Code | None = None
    path: str | None = None
    detail: str | None = None
    retry_after_seconds: int | None = None

    @classmethod
    def of(cls, index: int, event_id: str | None, problem: EventProblem) -> Outcome:
        """The answer that a problem means."""
        code = problem.code
        return cls(index, event_id, code.status, [], code, problem.path, code.text, code.retry_after_seconds or None)
