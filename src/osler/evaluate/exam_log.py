"""Which exams were sat by whom, with what result, and what had each learner done by then? Osler's own log, as exported.

Results stand in the rows of `exam_outcomes` that an export carries, beside exams with their blueprints and the settings
of learners; what was known before an exam in `exam_snapshots`, where the server froze it, else in the events.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

import msgspec

from osler.analytics.readiness.features import FEATURES
from osler.catalog.snapshot import Catalogue, ExamEntry, TopicEntry
from osler.errors import UnreadableSource
from osler.evaluate.next_answer_logs import ONLY_LEARNER

Rows = dict[str, list[dict[str, Any]]]
Place = tuple[str, str, date]
"""Whose result: learner, exam, its day."""

CATALOGUE = ("topics", "topic_relationships", "exams", "exam_blueprint", "questions")
OWN = ("users", "user_exams", "cohort_members", "exam_outcomes", "exam_snapshots")


class _Concluded(msgspec.Struct):
    effective_at: datetime | None = None
    received_at: datetime | None = None
    local_date: date | None = None
    utc_offset_minutes: int | None = None
    device_id: str | None = None


class Event(msgspec.Struct):
    """One event of the log; `text` is its line, which stands at `place`."""

    type: str
    occurred_at: datetime
    id: str = ""
    user_id: str = ONLY_LEARNER
    session_id: str | None = None
    stored: _Concluded = msgspec.field(default_factory=_Concluded)
    data: dict[str, Any] = {}
    text: str = ""
    place: str = ""

    @property
    def at(self) -> datetime:
        """The corrected instant, else the stated one."""
        at = self.stored.effective_at or self.occurred_at
        return at if at.tzinfo else at.replace(tzinfo=UTC)


class _Beside(msgspec.Struct):
    catalogue: str | None = None
    table: str | None = None
    row: msgspec.Raw = msgspec.Raw(b"{}")


@dataclass(frozen=True, slots=True)
class Result:
    """How an exam went. `passed` and `score` (share of points) are None where only the other is known."""

    passed: bool
    score: float | None


@dataclass(slots=True)
class ExamLog:
    """What a log says: catalogue, results, what was frozen before them by (result, days before), events by learner.

    `planned` are minutes a day for an exam, Monday first, where the learner planned them. `questions` are the lines of
    the catalogue by question, and `options` how many answers each has.
    """

    catalogue: Catalogue
    results: dict[Place, Result]
    frozen: dict[tuple[Place, int], dict[str, Any]]
    settings: dict[str, dict[str, Any]]
    planned: dict[Place, tuple[int, ...]]
    cohorts: dict[str, str]
    questions: dict[str, tuple[str, str]]
    options: dict[str, int]
    events: dict[str, list[Event]] = field(default_factory=dict[str, list[Event]])


def read_log(lines: Iterable[tuple[str, str]], as_of: date | None) -> ExamLog:
    """The results up to `as_of`, and the events of whoever has one. `lines` are (where it stands, text).

    Errors: UnreadableSource, saying where.
    """
    rows: Rows = {name: [] for name in (*CATALOGUE, *OWN)}
    questions: dict[str, tuple[str, str]] = {}
    events: dict[str, list[Event]] = {}
    for place, text in lines:
        if not text.strip():
            continue
        try:
            found = _BESIDE.decode(text)
            name = found.catalogue or found.table
            if name in rows:
                row = _ROW.decode(found.row)
                rows[name].append(row)
                if name == "questions":
                    questions[row["question_id"]] = place, text
            elif name is None and (event := _event(text, place)) is not None:
                events.setdefault(event.user_id, []).append(event)
        except (msgspec.DecodeError, ValueError, KeyError) as bad:
            raise UnreadableSource(f"{place}: {bad}") from bad
    log = _made(rows, questions, as_of)
    learners = {learner for learner, _, _ in log.results}
    log.events = {who: sorted(own, key=lambda event: event.id) for who, own in events.items() if who in learners}
    return log


_BESIDE, _ROW = msgspec.json.Decoder(_Beside), msgspec.json.Decoder(dict[str, Any])
_EVENT = msgspec.json.Decoder(Event)


def _event(text: str, place: str) -> Event | None:
    if '"type"' not in text:  # the line that opens an export
        return None
    event = _EVENT.decode(text)
    event.text, event.place = text, place
    return event


def _made(rows: Rows, questions: dict[str, tuple[str, str]], as_of: date | None) -> ExamLog:
    catalogue = _catalogue(rows)
    results = dict(_results(rows["exam_outcomes"], catalogue.exams, as_of))
    return ExamLog(
        catalogue,
        results,
        {
            (place, int(row["milestone"])): row
            for row in rows["exam_snapshots"]
            if (place := _place(row)) in results and row.get("closed_form") is not None
            if set(FEATURES) <= row.keys()
        },
        {_learner(row): row for row in rows["users"]},
        {
            _place(row): tuple(row["minutes_per_day"])
            for row in rows["user_exams"]
            if row.get("minutes_per_day") and row.get("exam_on")
        },
        _cohorts(rows["cohort_members"]),
        questions,
        {row["question_id"]: int(row.get("option_count") or 0) for row in rows["questions"]},
    )


def _cohorts(rows: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Each learner's group, the first by name, as the server has it."""
    members = sorted((_learner(row), str(row["cohort_id"])) for row in rows if row.get("role") == "learner")
    return dict(reversed(members))


def _results(
    rows: Iterable[dict[str, Any]], exams: Mapping[str, ExamEntry], as_of: date | None
) -> Iterator[tuple[Place, Result]]:
    for row in rows:
        place, score, passed = _place(row), row.get("score"), row.get("passed")
        exam = exams.get(place[1])
        if passed is None and score is not None and exam is not None and exam.cut is not None:
            passed = score >= exam.cut
        if passed is not None and (as_of is None or place[2] <= as_of):
            yield place, Result(bool(passed), score)


def _place(row: Mapping[str, Any]) -> Place:
    return _learner(row), str(row["exam_id"]), date.fromisoformat(row["exam_on"])


def _learner(row: Mapping[str, Any]) -> str:
    return str(row.get("user_id", ONLY_LEARNER))


def _catalogue(rows: Rows) -> Catalogue:
    shares: dict[str, dict[str, float]] = {}
    sections: dict[str, dict[str, str]] = {}
    for row in sorted(rows["exam_blueprint"], key=lambda row: (row["exam_id"], row["topic_id"])):
        shares.setdefault(row["exam_id"], {})[row["topic_id"]] = row["exam_share"]
        sections.setdefault(row["exam_id"], {})[row["topic_id"]] = row.get("section") or row["topic_id"]
    edges = sorted(
        (row["from_topic_id"], row["to_topic_id"], row["strength"])
        for row in rows["topic_relationships"]
        if row["kind"] == "prerequisite"
    )
    return Catalogue(
        0,
        {
            row["topic_id"]: TopicEntry(
                row["topic_id"], row["name"], row.get("parent_id"), row.get("board_exam_weight")
            )
            for row in rows["topics"]
        },
        tuple(edges),
        {
            row["exam_id"]: ExamEntry(
                row["exam_id"], row["name"], row["question_count"], row.get("cut"), row.get("cut_sd") or 0.0,
                shares.get(row["exam_id"], {}), sections.get(row["exam_id"], {}),
            )
            for row in rows["exams"]
        },
    )  # fmt: skip
