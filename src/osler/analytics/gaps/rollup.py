"""Which gaps does a learner have as of an instant, what does each cost, and in which order should they be mended?"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from osler.analytics.contract import Moments
from osler.analytics.gaps import model
from osler.analytics.gaps.gather import (
    LearnerFacts,
    Material,
    facts_of,
    materials_by_topic,
)
from osler.analytics.gaps.tables import knowledge_gaps
from osler.analytics.mastery.model import MASTERED, MASTERED_LOWER_BOUND, classify, mastery_target
from osler.analytics.retrieval.due import SECONDS_PER_REVIEW
from osler.catalog.snapshot import Catalogue, catalogue
from osler.db.engine import WriteSession
from osler.db.upsert import Upsert
from osler.forecasts.parameters import Parameters, ParameterStore
from osler.science.learning_rate import Practice
from osler.science.prerequisites import Edge, Prerequisites, prerequisites
from osler.science.study_value import Candidate

PATH_LENGTH = 5
MATERIALS_SHOWN = 3

_GAPS = Upsert(knowledge_gaps, [column.name for column in knowledge_gaps.columns])


@dataclass(frozen=True, slots=True)
class Setting:
    """What is the same for all learners of one refresh."""

    catalogue: Catalogue
    graph: Prerequisites
    materials: Mapping[str, Sequence[Material]]
    parameters: Parameters


async def refresh(s: WriteSession, moments: Moments) -> None:
    """Replace the gaps of these learners by those of their moments. The same moments twice write the same rows."""
    if not moments.user_ids:
        return
    known = await catalogue(s)
    store = ParameterStore()
    parameters = await store.get(s, await store.current_version(s))
    setting = Setting(known, known.made("gaps.graph", _graph), await materials_by_topic(s, known), parameters)
    facts = await facts_of(s, moments, (MASTERED, MASTERED_LOWER_BOUND, model.MIN_ATTEMPTS))
    rows: list[dict[str, Any]] = []
    for user_id, as_of in zip(moments.user_ids, moments.as_of, strict=True):
        # In a thread: the lease of the job is renewed meanwhile.
        rows += await asyncio.to_thread(gaps_of, user_id, as_of, facts[user_id], setting)
    await s.execute(sa.delete(knowledge_gaps).where(knowledge_gaps.c.user_id == sa.any_(_uuids(moments.user_ids))))
    await _GAPS.write(s, [tuple(row[name] for name in _GAPS.columns) for row in rows])


def gaps_of(user_id: UUID, as_of: datetime, facts: LearnerFacts, setting: Setting) -> list[dict[str, Any]]:
    """The rows of one learner, in the order of work: what ranks first is first."""
    shares = shares_of(facts, setting.catalogue)
    weights = weights_of(shares, setting.catalogue)
    missing = {topic: _missing(facts.mastery.get(topic)) for topic in shares}
    seen = {topic: row for topic, row in facts.mastery.items() if row["attempts"] and row["mastery_score"] is not None}
    impacts = model.prerequisite_impacts(setting.graph, shares, missing)
    gaps = {topic: _gap(seen[topic], facts.recent.get(topic, (0, 0)), weights[topic], impacts[topic], setting)
            for topic in seen if topic in shares}  # fmt: skip
    practices = {topic: practice_of(topic, facts, setting) for topic in shares}
    seed = user_id.int % 2**32
    candidates = [_candidate(topic, shares[topic], practices[topic], facts, setting) for topic in sorted(shares)]
    # An order by points is a counterfactual: it ranks only where the practice curve has won forward in time.
    may_rank = setting.parameters.rates.wins and facts.setup.exam_on is not None
    ranked_by, order, values = model.ranked(gaps, candidates, points_may_rank=may_rank, seed=seed)
    order += sorted(set(shares) - set(order), key=lambda topic: (-shares[topic], -weights[topic], topic))
    path = _paths(order, facts, setting)
    rows: list[dict[str, Any]] = []
    for rank, topic in enumerate(order, start=1):
        value = values.get(topic)
        rows.append(
            {
                "user_id": user_id, "topic_id": topic, "rank": rank, "ranked_by": ranked_by, "as_of": as_of,
                "model_version": f"{model.VERSION}+{setting.parameters.version}", "target": MASTERED,
                "board_exam_weight": weights[topic], "exam_share": shares[topic],
                "prerequisite_impact": impacts[topic],
                "blocks_count": setting.graph.blocks_count(topic),
                "blocks_count_all": setting.graph.blocks_count_all(topic),
                "points_per_hour": value and value.mean, "points_per_hour_low": value and value.lower_quarter,
                "recommended_path": path(topic),
                "recommended_materials": _unread(topic, facts, setting),
                **_standing(topic, gaps.get(topic), facts, setting),
                **_hours(topic, practices[topic], facts, setting, seed),
            }
        )  # fmt: skip
    return rows


def _graph(known: Catalogue) -> Prerequisites:
    return prerequisites(Edge(needed, topic, strength) for needed, topic, strength in known.prerequisites)


def shares_of(facts: LearnerFacts, known: Catalogue) -> dict[str, float]:
    """The topics in question with their shares of the exam: the blueprint's and what the learner has met.

    A topic below one of the blueprint shares that one's points evenly with the others met there, which then stand
    for it.
    """
    exam = known.exam_or_default(facts.setup.exam_id)
    if exam is None:
        return dict.fromkeys(sorted(facts.mastery), 0.0)
    below: dict[str, list[str]] = {}
    for topic in facts.mastery:
        above = known.counts_to(exam, topic)
        if above is not None:
            below.setdefault(above, []).append(topic)
    shares = dict.fromkeys(facts.mastery, 0.0)
    for topic, share in exam.shares.items():
        for part in below.get(topic, [topic]):
            shares[part] = share / len(below.get(topic, [topic]))
    return shares


def weights_of(shares: Mapping[str, float], known: Catalogue) -> dict[str, float]:
    """Importance 0 to 10: the curriculum's own, else derived from the share of the exam."""
    derived = model.derived_weights(shares)
    given = {topic: known.topics[topic].weight for topic in shares if topic in known.topics}
    return {topic: derived[topic] if given.get(topic) is None else float(given[topic] or 0.0) for topic in shares}


def practice_of(topic: str, facts: LearnerFacts, setting: Setting) -> Practice:
    """Where the learner stands on a topic and how fast practice goes; an unseen topic has its prior."""
    row = facts.mastery.get(topic)
    some = row or next(iter(facts.mastery.values()), None)
    ability = (
        (some["ability_mean"], some["ability_variance"]) if some else (0.0, setting.parameters.irt.ability_variance)
    )
    if row is not None:
        skill, variance, n = row["skill_mean"], row["skill_variance"], row["attempts"]
    else:
        known = {name: (r["skill_mean"], r["attempts"]) for name, r in facts.mastery.items()}
        entry = setting.catalogue.topics.get(topic)
        skill = model.unseen_prior_mean(topic, entry.parent_id if entry else None, setting.graph, known)
        variance, n = setting.parameters.irt.skill_variance, 0
    eta = setting.parameters.of_topic(topic) + ability[0] + skill
    rate = setting.parameters.rates.of(topic)
    return Practice(eta, ability[1] + variance, n, facts.seconds_per_attempt, rate.gamma, rate.sd)


def _missing(row: Mapping[str, Any] | None) -> float:
    """1 less mastery_score; a topic without answers is wholly missing."""
    return 1.0 if row is None or row["mastery_score"] is None else 1.0 - float(row["mastery_score"])


def _gap(row: Mapping[str, Any], recent: tuple[int, int], weight: float, impact: float, setting: Setting) -> model.Gap:
    return model.gap_from_data(
        row["mastery_score"],
        n=row["attempts"],
        mastery_upper=1.0 if row["mastery_high"] is None else row["mastery_high"],
        board_exam_weight=weight,
        prerequisite_impact=impact,
        recent_failure_rate=model.recent_failure_rate(*recent, setting.parameters.mean),
    )


def _candidate(topic: str, exam_share: float, practice: Practice, facts: LearnerFacts, setting: Setting) -> Candidate:
    due = facts.due.get(topic, 0) * SECONDS_PER_REVIEW
    return Candidate(topic, exam_share, practice, 0.0, due, setting.graph.dependents.get(topic))


def _state(row: Mapping[str, Any] | None) -> str:
    if row is None or not row["attempts"]:
        return "unseen"
    if row["mastery"] is None:
        return "insufficient_data"
    label = classify(row["mastery"], row["mastery_low"], row["mastery_high"], row["attempts"])
    return {"developing": "open", "mastered": "closed"}.get(label, label)


def _standing(topic: str, gap: model.Gap | None, facts: LearnerFacts, setting: Setting) -> dict[str, Any]:
    """Where the learner stands on the topic: the brief's numbers, mastery, and the way since the gap opened."""
    row = facts.mastery.get(topic)
    state = _state(row)
    opened = facts.opened.get(topic) if state in {"weak", "open"} else None
    mastery = row["mastery"] if row and state != "unseen" else None
    wrong, n = facts.recent.get(topic, (0, 0))
    failing = model.recent_failure_rate(wrong, n, setting.parameters.mean) if state != "unseen" else None
    return {
        "state": state,
        "severity": gap and gap.severity,
        "is_provisional": bool(gap and gap.provisional),
        "gap_score": gap and gap.gap_score,
        "priority_score": gap and gap.priority_score,
        "priority_index": gap and gap.priority_index,
        "recent_failure_rate": failing,
        "n": row["attempts"] if row else 0,
        "mastery": mastery,
        "mastery_low": row["mastery_low"] if row and mastery is not None else None,
        "mastery_high": row["mastery_high"] if row and mastery is not None else None,
        "opened_on": opened and opened[0],
        "mastery_at_open": opened and opened[1],
        "progress": _progress(mastery, opened and opened[1], state),
    }


def _progress(mastery: float | None, at_open: float | None, state: str) -> float | None:
    if state == "closed":
        return 1.0
    if mastery is None or at_open is None or at_open >= MASTERED:
        return None
    return min(1.0, max(0.0, (mastery - at_open) / (MASTERED - at_open)))


def _hours(topic: str, practice: Practice, facts: LearnerFacts, setting: Setting, seed: int) -> dict[str, Any]:
    row = facts.mastery.get(topic)
    if _state(row) == "closed":
        return {"estimated_hours": 0.0, "hours_low": 0.0, "hours_high": 0.0}
    options = int(row["option_count"]) if row else 0
    reading = sum(m.minutes * 60 for m in setting.materials.get(topic, ())
                  if m.is_required and m.material_id not in facts.read)  # fmt: skip
    extra = facts.due.get(topic, 0) * SECONDS_PER_REVIEW + reading
    target = mastery_target(practice.variance, options)
    span = model.hours_to_close(practice, target, review_and_reading_seconds=extra, seed=seed)
    return {"estimated_hours": span.median, "hours_low": span.low, "hours_high": span.high}


def _unread(topic: str, facts: LearnerFacts, setting: Setting) -> list[str]:
    offered = [m.material_id for m in setting.materials.get(topic, ()) if m.material_id not in facts.read]
    return offered[:MATERIALS_SHOWN]


def _paths(order: Sequence[str], facts: LearnerFacts, setting: Setting) -> Callable[[str], list[str]]:
    """A function from a topic to the topics to mend before it, in order, the topic last."""
    below = [topic for topic in order if _state(facts.mastery.get(topic)) != "closed"]
    levels = model.learning_path(below, setting.graph, order)
    place = {topic: i for i, topic in enumerate(levels)}

    def path(topic: str) -> list[str]:
        before: set[str] = set()
        frontier = {topic}
        while frontier:
            frontier = {need for t in frontier for need in setting.graph.needs.get(t, {})} & place.keys() - before
            before |= frontier
        return [*sorted(before - {topic}, key=place.__getitem__)[-(PATH_LENGTH - 1) :], topic]

    return path


def _uuids(user_ids: Sequence[UUID]) -> sa.ColumnElement[Any]:
    return sa.literal(list(user_ids), sa.ARRAY(sa.Uuid()))
