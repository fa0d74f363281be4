"""The catalogue as frozen values: topics, prerequisites, exams with their blueprints, read once for each version."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import msgspec
import sqlalchemy as sa

from osler.catalog.tables import exam_blueprint, exams, topic_relationships, topics
from osler.db.engine import ReadSession

KEPT = 4
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class TopicEntry:
    """One topic. `weight` is its importance for the board exam, 0 to 10; None where none was given."""

    topic_id: str
    name: str
    parent_id: str | None
    weight: float | None


@dataclass(frozen=True, slots=True)
class ExamEntry:
    """One exam. `shares` (sum to 1) and `sections` by topic; `cut` as a share of points, None without a pass mark."""

    exam_id: str
    name: str
    question_count: int
    cut: float | None
    cut_sd: float
    shares: Mapping[str, float]
    sections: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All that analytics ask of the catalogue. `prerequisites` holds (needed topic, dependent topic, strength)."""

    version: int
    topics: Mapping[str, TopicEntry]
    prerequisites: tuple[tuple[str, str, float], ...]
    exams: Mapping[str, ExamEntry]
    _counted: dict[tuple[str, str], str | None] = field(
        default_factory=dict[tuple[str, str], str | None], compare=False
    )
    _made: dict[str, Any] = field(default_factory=dict[str, Any], compare=False)

    def made(self, name: str, make: Callable[[Catalogue], T]) -> T:
        """What an analytic makes of the catalogue, made once and kept with it; `name` begins with the analytic's."""
        if name not in self._made:
            self._made[name] = make(self)
        return self._made[name]

    def has_made(self, name: str) -> bool:
        """Whether it was made already, and nothing need be read for it."""
        return name in self._made

    def name_of(self, topic_id: str) -> str:
        """What a person reads; the id itself for a topic that is not in the catalogue."""
        entry = self.topics.get(topic_id)
        return topic_id if entry is None else entry.name

    def exam_or_default(self, exam_id: str | None) -> ExamEntry | None:
        """The named exam, else the first by id of those with a blueprint, else the first; None where there is none.

        Imports bring exams of which nothing but results is known: nobody studies for one who did not say so.
        """
        if exam_id is not None and exam_id in self.exams:
            return self.exams[exam_id]
        with_blueprint = [known for known, exam in self.exams.items() if exam.shares]
        first = min(with_blueprint or self.exams, default=None)
        return None if first is None else self.exams[first]

    def counts_to(self, exam: ExamEntry, topic_id: str) -> str | None:
        """The blueprint's topic that a topic counts to: itself or the nearest above; None outside the blueprint."""
        key = (exam.exam_id, topic_id)
        if key not in self._counted:
            at: str | None = topic_id
            while at is not None and at not in exam.shares:
                entry = self.topics.get(at)
                at = None if entry is None else entry.parent_id
            self._counted[key] = at
        return self._counted[key]


_Key = tuple[str, int, str]
_kept: OrderedDict[_Key, Catalogue] = OrderedDict()

# Which catalogue is the newest, as JSON: a part of the statements that gather an answer, so it costs no round trip.
NEWEST = """
(select json_build_array(current_database(), v.version, v.changed_at)::text
   from catalog_versions v order by v.version desc limit 1)
"""


async def catalogue(s: ReadSession) -> Catalogue:
    """The catalogue of the latest version: one small query when it is known already.

    A catalogue that was never given a version is read each time.
    """
    return await catalogue_named(s, await s.driver().fetchval(f"select {NEWEST}"))


async def catalogue_named(s: ReadSession, newest: str | None) -> Catalogue:
    """The catalogue that `NEWEST` has named in a statement of this session."""
    if newest is None:
        return await _read(s, 0)
    key = msgspec.json.decode(newest, type=_Key)
    if key not in _kept:
        _kept[key] = await _read(s, key[1])
        while len(_kept) > KEPT:
            _kept.popitem(last=False)
    return _kept[key]


async def _read(s: ReadSession, version: int) -> Catalogue:
    found = await s.rows(sa.select(topics.c.topic_id, topics.c.name, topics.c.parent_id, topics.c.board_exam_weight))
    edges = await s.rows(
        sa.select(
            topic_relationships.c.from_topic_id, topic_relationships.c.to_topic_id, topic_relationships.c.strength
        )
        .where(topic_relationships.c.kind == "prerequisite")
        .order_by(topic_relationships.c.from_topic_id, topic_relationships.c.to_topic_id)
    )
    return Catalogue(
        version,
        {r["topic_id"]: TopicEntry(r["topic_id"], r["name"], r["parent_id"], r["board_exam_weight"]) for r in found},
        tuple((r["from_topic_id"], r["to_topic_id"], r["strength"]) for r in edges),
        await _exams(s),
    )


async def _exams(s: ReadSession) -> dict[str, ExamEntry]:
    shares: dict[str, dict[str, float]] = {}
    sections: dict[str, dict[str, str]] = {}
    for row in await s.rows(sa.select(exam_blueprint).order_by(exam_blueprint.c.exam_id, exam_blueprint.c.topic_id)):
        shares.setdefault(row["exam_id"], {})[row["topic_id"]] = row["exam_share"]
        sections.setdefault(row["exam_id"], {})[row["topic_id"]] = row["section"]
    return {
        row["exam_id"]: ExamEntry(
            row["exam_id"], row["name"], row["question_count"], row["cut"], row["cut_sd"],
            shares.get(row["exam_id"], {}), sections.get(row["exam_id"], {}),
        )
        for row in await s.rows(sa.select(exams))
    }  # fmt: skip
