"""Where does a class stand, and the learner in it? From published figures to the answer; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from osler.analytics.cohort.model import misalignment
from osler.analytics.cohort.publish import band_of
from osler.analytics.contract import CardState, card_fields
from osler.catalog.snapshot import Catalogue

VERSION = "cohort-1"
FEW_ACTIVE_DAYS = 4
LOW_SCORE = 50.0
"""Points of 100, for an exam without a pass line."""


def not_opted_in() -> dict[str, Any]:
    """The answer to somebody who has no class to see."""
    text = "Comparison is off, or you are in no class. Switched on, you see your class as a whole, never single people."
    card = card_fields(CardState.NO_RIGHT, ("cohort.none", text), n=0, as_of=None, model_version=VERSION)
    empty: dict[str, Any] = {"weeks": [], "topics": []}
    return {**card, **dict.fromkeys(("cohort_id", "name", "week_on", "band", "misalignment")), **empty}


def no_class() -> dict[str, Any]:
    """The answer to somebody who asks for learners and teaches none."""
    text = "Only educators of a class see its learners. Ask whoever runs this installation to enrol you as one."
    card = card_fields(CardState.NO_RIGHT, ("cohort.not_yours", text), n=0, as_of=None, model_version=VERSION)
    return {**card, "cohort_id": None, "learners": []}


def answer(found: Mapping[str, Any], cohort: Mapping[str, Any], known: Catalogue) -> dict[str, Any]:
    """The answer of `/cohort`, or of `/cohort/{topic}` when one topic was gathered."""
    topics = _topics(found["figures"], known)
    weeks = [{"week_on": w, "mean": value, "n": n, "quantiles": detail} for w, value, n, detail in found["weeks"]]
    band = _band(found["own"], weeks[-1] if weeks else None) if cohort["role"] == "learner" else None
    return {
        **_card(found, weeks, band, topics),
        "cohort_id": cohort["cohort_id"],
        "name": cohort["name"],
        "week_on": found["week_on"],
        "band": band,
        "weeks": weeks,
        "topics": topics,
        "misalignment": _misalignment(found, known) if cohort["role"] == "learner" else None,
    }


def learners_answer(cohort_id: str, rows: Sequence[Mapping[Any, Any]]) -> dict[str, Any]:
    """The educator's list: those who need a look first, each with the reason; as old as its oldest figure."""
    oldest = min((row["as_of"] for row in rows if row["as_of"] is not None), default=None)
    learners = [_learner(row) for row in rows]
    learners.sort(key=lambda one: (not one["needs_a_look"], one["score"] is None, one["score"] or 0.0, one["user_id"]))
    need = sum(one["needs_a_look"] for one in learners)
    state = CardState.READY if learners else CardState.FIRST_USE
    text = f"{need} of {len(learners)} need a look." if learners else "Nobody is enrolled in this class yet."
    card = card_fields(
        state, ("cohort.learners", text), n=len(learners), model_version=VERSION,
        as_of=None if oldest is None else oldest.isoformat(),
        params={"need": need, "n": len(learners)},
    )  # fmt: skip
    return {**card, "cohort_id": cohort_id, "learners": learners}


def _topics(figures: Sequence[Sequence[Any]], known: Catalogue) -> list[dict[str, Any]]:
    by_topic: dict[str, dict[str, Sequence[Any]]] = {}
    for row in figures:
        if row[1]:
            by_topic.setdefault(row[1], {})[row[0]] = row
    made = [_topic(topic, own, known) for topic, own in by_topic.items()]
    return sorted(made, key=lambda one: (one["struggling"] is None, -(one["struggling"] or 0.0), one["topic_id"]))


def _topic(topic_id: str, own: Mapping[str, Sequence[Any]], known: Catalogue) -> dict[str, Any]:
    nothing: Sequence[Any] = (None,) * 7
    struggle, hours = own.get("struggle", nothing), own.get("hours_to_mastery", nothing)
    name, n = known.name_of(topic_id), struggle[3]
    if struggle[2] is None:
        code, text = "cohort.suppressed", f"Too few learners on {name} to say anything."
    else:
        code, text = "cohort.struggle", f"About {100 * struggle[2]:.0f} % of about {n} learners struggle with {name}."
    return {
        "topic_id": topic_id,
        "name": name,
        "struggling": struggle[2],
        "difficulty": own.get("difficulty", nothing)[2],
        "median_hours": hours[2],
        "n": n,
        "suppressed": struggle[5],
        "finding": {"code": code, "params": {"topic": name, "share": struggle[2], "n": n}, "text": text},
    }


def _band(own: Sequence[Any] | None, week: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if own is None or week is None or not week["quantiles"] or not week["n"]:
        return None
    low, high = band_of(own[1], own[2], week["quantiles"])
    return {"low": low, "high": high, "n": week["n"]}


def _misalignment(found: Mapping[str, Any], known: Catalogue) -> float | None:
    exam = known.exam_or_default(found["own"][3] if found["own"] else None)
    if exam is None:
        return None
    minutes: dict[str, float] = {}
    shares: dict[str, float] = {}
    for topic, spent in found["minutes"].items():
        above = known.counts_to(exam, topic)
        if above is not None:
            section = exam.sections[above]
            minutes[section] = minutes.get(section, 0.0) + spent
    for topic, share in exam.shares.items():
        shares[exam.sections[topic]] = shares.get(exam.sections[topic], 0.0) + share
    return misalignment(minutes, shares)


def _card(
    found: Mapping[str, Any],
    weeks: Sequence[Mapping[str, Any]],
    band: Mapping[str, Any] | None,
    topics: Sequence[Mapping[str, Any]],
) -> dict[str, object]:
    as_of = found["figures"][0][6] if found["figures"] else None
    n = (weeks[-1]["n"] if weeks else None) or max((t["n"] or 0 for t in topics), default=0)
    shared: dict[str, Any] = {"n": n, "as_of": as_of, "model_version": VERSION}
    if not found["figures"]:
        text = "No week is published yet: figures appear when a week has closed."
        return card_fields(CardState.FIRST_USE, ("cohort.first_use", text), **shared)
    if not n:
        text = "Too few learners have opted in for any figure of this class."
        return card_fields(CardState.TOO_LITTLE, ("cohort.too_few", text), **shared)
    if band is not None:
        low, high = 100 * band["low"], 100 * band["high"]
        text = f"Between the {low:.0f}th and {high:.0f}th percentile of about {band['n']} learners of your class."
        params: dict[str, Any] = {"low": band["low"], "high": band["high"], "n": band["n"]}
        return card_fields(CardState.READY, ("cohort.band", text), params=params, **shared)
    said = topics[0]["finding"] if topics else None
    text = said["text"] if said else f"About {n} learners in the published week."
    return card_fields(CardState.READY, ("cohort.hardest", text), **shared)


def _learner(row: Mapping[Any, Any]) -> dict[str, Any]:
    reasons: list[str] = []
    if row["active_days_28d"] is not None and row["active_days_28d"] < FEW_ACTIVE_DAYS:
        reasons.append("few active days")
    line = LOW_SCORE if row["pass_line"] is None else row["pass_line"]
    if row["score_high"] is not None and row["score_high"] < line:
        reasons.append("forecast surely low")
    same = ("score", "score_low", "score_high", "coverage", "active_days_28d", "topics_weak")
    return {
        "user_id": str(row["user_id"]),
        **{name: row[name] for name in same},
        "needs_a_look": bool(reasons),
        "reasons": reasons,
    }
