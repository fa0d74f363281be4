"""What an analytic is: the one shape that live, rollups, replay, API, docs and checks read.

An analytic has up to four ways of being kept up to date, and every row that it derives comes from one of them:

* `LiveFold` folds a learner's new events, in order, while the learner studies;
* `DayRollup` counts (learner, local day) pairs anew, set-based, whenever something was logged for that day;
* `Refresh` makes rows as of an instant, out of what the others have made;
* `Task` does what is not of one learner (publishing a cohort, fitting a model).

Replay runs the same four over an empty copy of the tables, so there is no second implementation to drift.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, Protocol, TypeVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

if TYPE_CHECKING:
    import sqlalchemy as sa
    from fastapi import APIRouter

    from osler.db.engine import Database, WriteSession
    from osler.db.upsert import Rows, Upsert
    from osler.domain.events import LoggedEvent
    from osler.eventlog.reading import Reached
    from osler.forecasts.parameters import Parameters
    from osler.forecasts.predictions import Prediction
    from osler.science.next_answer import Asked

T = TypeVar("T")


class ItemKey(NamedTuple):
    """Which item: `kind` is `question`, `card` or `material`; a card's id means something only with its learner."""

    kind: str
    item_id: str


@dataclass(frozen=True, slots=True)
class Item:
    """What the catalogue says of an item. `option_count` is 0 for all but questions.

    `is_suspended`: a card that its learner has taken out of review. It is never due.
    """

    topic_ids: tuple[str, ...]
    option_count: int = 0
    is_suspended: bool = False


@dataclass(frozen=True, slots=True)
class LearnerSettings:
    """What a learner chose that a derived row depends on. Changing one marks the learner for a refold."""

    desired_retention: float = 0.9


class Traced(NamedTuple):
    """An answer to a question as a fit sees it: what was known before it, what came of it, the time of its event."""

    asked: Asked
    correct: bool
    event_ts: datetime


@dataclass(frozen=True, slots=True, eq=False)
class Reading(Generic[T]):
    """What a fold has to know before it folds: an SQL expression that gives JSON, and the type that it is read as.

    All readings of all folds are asked in one statement, so that an answer costs no round trip for each of them. What
    an expression may name is said where the reading is declared (`LiveFold`).

    `newly`, if given, reads no more than what the new events add, which are the rows of `e`. It is asked instead where
    the process still has what the fold before this one kept (`Batch.keep`).
    """

    sql: str
    kind: type[T]
    newly: str | None = None


@dataclass(slots=True)
class Batch:
    """One learner's events on their way through the folds, lowest analytic first.

    `events` are new to the state and in the order of the fold: those of the types that some fold asks for; `reached`
    is the last one of any type, None where there was none. `is_fresh` asks the fold to delete what it has of the
    learner first: the batch has no event, those of the log from its start follow in the next.
    `regraded` holds corrected outcomes by attempt; `items` has questions, cards and materials.
    `states` is the small per-learner state of each analytic, by analytic name, read before and stored after the
    folds as JSON; a fold replaces its own entry. `predictions` takes forecasts that were made before their outcome was
    folded; they are written after the folds, as are the rows that folds put into `writes`, each table once: a fold
    must not look for rows of its batch in the tables. `catalogue` names the version of the catalogue (None: it has
    none), for what a fold keeps of it. `told` are the forecasts that were made before, by task the events: they stand,
    and need not be made again. `traced`, if given, takes what was known before each answer to a question: the rows that
    models are trained on come from the very fold that serves. `share` and `shared` hand a value from a fold to those
    above it.
    """

    user_id: UUID
    events: Sequence[LoggedEvent]
    is_fresh: bool
    settings: LearnerSettings
    parameters: Parameters
    items: Mapping[ItemKey, Item]
    regraded: Mapping[UUID, bool]
    states: dict[str, object]
    reached: Reached | None = None
    readings: Mapping[Reading[Any], Any] = field(default_factory=dict["Reading[Any]", Any])
    catalogue: tuple[str, int, datetime] | None = None
    predictions: list[Prediction] = field(default_factory=lambda: [])
    told: Mapping[str, Collection[str]] = field(default_factory=dict[str, "Collection[str]"])
    traced: list[Traced] | None = None
    writes: list[tuple[Upsert, Rows]] = field(default_factory=lambda: [])
    held: Mapping[Reading[Any], Any] = field(default_factory=dict["Reading[Any]", Any])
    keeping: dict[Reading[Any], Any] = field(default_factory=dict["Reading[Any]", Any])
    _shared: dict[type, object] = field(default_factory=dict[type, object])

    def is_told(self, task: str, event_id: UUID) -> bool:
        """Whether the forecast of an event stands already."""
        return bool(self.told) and str(event_id) in self.told.get(task, ())

    def share(self, value: object) -> None:
        """Hand a value to the analytics above, which ask for it by its type."""
        self._shared[type(value)] = value

    def shared(self, kind: type[T]) -> T | None:
        """The value of this type that an analytic below has shared, if it has."""
        value = self._shared.get(kind)
        return value if isinstance(value, kind) else None

    def found(self, reading: Reading[T]) -> T | None:
        """The answer to one of the fold's readings; None where there was nothing, or nothing was asked."""
        return self.readings.get(reading)

    def kept(self, reading: Reading[T]) -> T | None:
        """What the fold before kept of the reading; then what is `found` is only new. None: all is found."""
        return self.held.get(reading)

    def keep(self, reading: Reading[T], value: T) -> None:
        """Keep what the next fold of the learner can go on from. It is lost at any time, and never goes stale."""
        self.keeping[reading] = value

    def topics_of(self, kind: str, item_id: str) -> tuple[str, ...]:
        """The topics that the catalogue has for an item; none where it does not know it."""
        item = self.items.get(ItemKey(kind, item_id))
        return () if item is None else item.topic_ids


class LiveFold(Protocol):
    """How an analytic follows the log. Calls come inside one transaction, under the learner's lock.

    `event_types` are those whose events the fold looks at. `with_events` is read together with the events, `$1` being
    the learner and `$2` the event time beyond which nothing counts. `of_items` is of what these events name: `$1` is
    the learner, the one row of `asked` has them in the arrays `questions`, `cards` and `materials`, that of
    `asked_topics` their topics in `topic_ids`. Neither is read for a batch that is fresh.
    """

    @property
    def event_types(self) -> frozenset[str]: ...  # noqa: D102
    @property
    def with_events(self) -> Sequence[Reading[Any]]: ...  # noqa: D102
    @property
    def of_items(self) -> Sequence[Reading[Any]]: ...  # noqa: D102

    async def fold(self, session: WriteSession, batch: Batch) -> None:
        """Fold the batch into the analytic's rows and its entry in `batch.states`. Never commits."""
        ...

    async def settle(self, session: WriteSession, moments: Moments, parameters: Parameters) -> None:
        """Carry the live rows of these learners, all folded under `parameters`, forward to their instants.

        Called by the nightly job for many learners at once and inside a refold for one; both write the same rows.
        Analytics whose rows do not age do nothing.
        """
        ...


@dataclass(frozen=True, slots=True)
class Moments:
    """Learners, and for each the instant that rows shall be as of: never before the learner's last folded event."""

    user_ids: Sequence[UUID]
    as_of: Sequence[datetime]


@dataclass(frozen=True, slots=True)
class Days:
    """(learner, local day) pairs that something was logged for; distinct, as parallel columns for `unnest`."""

    user_ids: Sequence[UUID]
    local_dates: Sequence[date]


@dataclass(frozen=True, slots=True)
class DayRollup:
    """Counts by local day. `recount` deletes the rows of these days and inserts them again from the log, set-based.

    A coarser grain (weeks) recounts every week that a day falls into. `name` is the job's name in `osler jobs`.
    `after` names the rollups whose rows it counts: it looks at a day only once they have.
    """

    name: str
    recount: Callable[[WriteSession, Days], Awaitable[None]]
    after: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Refresh:
    """Rows as of an instant. `refresh` replaces the rows of these learners; each row says `as_of`.

    `after` names jobs that come first: what it makes rests on theirs, and is made again when theirs has moved.
    """

    name: str
    refresh: Callable[[WriteSession, Moments], Awaitable[None]]
    after: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Task:
    """A nightly job over everybody. `run` takes the database, the period's day and the instant that it ends."""

    name: str
    run: Callable[[Database, date, datetime], Awaitable[None]]
    after: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DerivedTable:
    """A table that replay rebuilds. `ignore` are columns that count runs or times of writing, with nothing derived.

    `counted` are columns that a `DayRollup` writes in a table whose other columns a fold writes: a checkpoint of the
    fold leaves them alone. `day` names the column of the local day, in tables that a `DayRollup` writes: days that the
    log no longer reaches cannot be counted again, and replay takes them as they stand.
    """

    table: sa.Table
    ignore: frozenset[str] = frozenset()
    counted: frozenset[str] = frozenset()
    day: str | None = None


@dataclass(frozen=True, slots=True)
class Analytic:
    """One analytic as everything outside its folder sees it.

    `frozen` are tables that its refreshes write once and never change: a replay keeps away from them.
    `skips` maps the name of a shared check (tests/checks) to the reason why it cannot hold here.
    """

    name: str
    question: str
    tables: tuple[DerivedTable, ...] = ()
    router: APIRouter | None = None
    live: LiveFold | None = None
    rollups: tuple[DayRollup, ...] = ()
    refreshes: tuple[Refresh, ...] = ()
    tasks: tuple[Task, ...] = ()
    frozen: tuple[sa.Table, ...] = ()
    skips: Mapping[str, str] = field(default_factory=dict[str, str])


class CardState(StrEnum):
    """The states of a card that the server names; `loading` and `error` are known only to the page."""

    READY = "ready"
    FIRST_USE = "first_use"
    TOO_LITTLE = "too_little"
    FILTERED_EMPTY = "filtered_empty"
    STALE = "stale"
    NO_RIGHT = "no_right"
    DONE = "done"


class Status(StrEnum):
    """What a single number is worth."""

    OK = "ok"
    PROVISIONAL = "provisional"
    INSUFFICIENT_DATA = "insufficient_data"
    NOT_AVAILABLE = "not_available"


class Interval(BaseModel):
    """A range that holds the truth nine times out of ten."""

    model_config = ConfigDict(frozen=True)

    low: float = Field(description="lower end", examples=[0.54])
    high: float = Field(description="upper end", examples=[0.68])
    level: float = Field(0.9, description="share of such ranges that hold the truth", examples=[0.9])


class Finding(BaseModel):
    """The sentence of a card: a code and parameters for other languages, and the sentence itself."""

    model_config = ConfigDict(frozen=True)

    code: str = Field(description="stable name of the sentence", examples=["mastery.summary"])
    params: dict[str, str | int | float | bool | None] = Field(
        default_factory=dict, description="what fills the sentence", examples=[{"mastered": 12, "topics": 64}]
    )
    text: str = Field(description="the sentence in English", examples=["12 of 64 topics mastered; 9 not seen."])


class Card(BaseModel):
    """What every card's answer carries beside its data."""

    state: CardState = Field(description="which of the card's states to draw", examples=["ready"])
    finding: Finding = Field(description="what the card says in one sentence")
    n: int = Field(ge=0, description="attempts or sessions behind the numbers", examples=[412])
    as_of: datetime | None = Field(description="instant that the numbers are as of", examples=["2026-11-22T02:00:00Z"])
    interval: Interval | None = Field(None, description="range of the card's main number, where it has one")
    model_version: str = Field(description="version of model and parameters", examples=["start-1"])


def card_fields(
    state: CardState,
    finding: tuple[str, str],
    *,
    n: int,
    as_of: datetime | str | None,
    model_version: str,
    interval: tuple[float, float] | None = None,
    params: Mapping[str, str | int | float | bool | None] | None = None,
) -> dict[str, object]:
    """The fields of a `Card` as a plain mapping, for answers that go to the encoder without a model in between.

    `finding` is (code, English sentence). The shape is that of `Card`; a shared check holds every answer against it.
    """
    return {
        "state": state.value,
        "finding": {"code": finding[0], "params": dict(params or {}), "text": finding[1]},
        "n": n,
        "as_of": as_of,
        "interval": None if interval is None else {"low": interval[0], "high": interval[1], "level": 0.9},
        "model_version": model_version,
    }
