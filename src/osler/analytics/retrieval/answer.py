"""From gathered rows to what the retrieval pages say. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import msgspec
import numpy as np

from osler.analytics.contract import CardState, ItemKey, card_fields
from osler.analytics.retrieval.due import due_minutes
from osler.analytics.retrieval.items import Floats, columns, epoch_seconds, recall_of
from osler.analytics.retrieval.model import MODEL_VERSION, SECONDS_PER_DAY, ItemMemory, LearnerMemory
from osler.analytics.retrieval.model_report import model_report
from osler.catalog.snapshot import Catalogue, ExamEntry
from osler.science import fsrs_many
from osler.science.irt import DEFAULTS
from osler.science.logits import averaged_sigmoid
from osler.science.retention import WEEK_DAYS, Period, Week, forgetting_curve, periods

Row = Mapping[str, Any]

START_VARIANCE = DEFAULTS.skill_variance
CURVE_DAYS = (*range(31), *range(35, 91, 5), *range(100, 181, 10))
ALERTS_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Ground:
    """What is the same for every topic of an answer."""

    catalogue: Catalogue
    exam: ExamEntry | None


def overview_answer(found: Row, on: Ground, as_of: datetime) -> dict[str, Any]:
    """The answer of `/retrieval`."""
    target: float = found["desired_retention"]
    topics = [_topic(row, on) for row in found["topics"]]
    known = [topic for topic in topics if topic["retrieval_strength"] is not None]
    alerts = sorted(
        (topic for topic in known if topic["retrieval_strength"] < target or topic["due"]),
        key=lambda topic: (-(topic["exam_share"] or 0.0) * (target - topic["retrieval_strength"]), topic["topic_id"]),
    )
    minutes = round(due_minutes(found["due"], found["seconds_per_review"]), 1)
    state, code, text = _overview_finding(known, alerts, found["due"], minutes)
    return {
        **card_fields(
            state, (code, text), n=found["reviews"], as_of=_newest(known, as_of), model_version=version_of(found),
            params={"due": found["due"], "alerts": len(alerts)},
        ),
        "desired_retention": target,
        "due": found["due"],
        "due_minutes": minutes,
        "topics": topics,
        "alerts": alerts[:ALERTS_SHOWN],
        "retention": retention(found["weeks"]),
        "model_report": model_report(found["fit"], found["guard"]),
    }  # fmt: skip


def version_of(found: Row) -> str:
    """Model and parameters behind the numbers."""
    return f"{MODEL_VERSION}/{found['version'] or 'none'}"


def _topic(row: Row, on: Ground) -> dict[str, Any]:
    return {
        **row,
        "name": on.catalogue.name_of(row["topic_id"]),
        "exam_share": None if on.exam is None else on.exam.shares.get(row["topic_id"]),
    }


def _newest(topics: Sequence[Row], as_of: datetime) -> datetime | str:
    return max((topic["as_of"] for topic in topics), default=as_of)


def _overview_finding(
    known: Sequence[Row], alerts: Sequence[Row], due: int, minutes: float | None
) -> tuple[CardState, str, str]:
    if not known:
        text = "Nothing reviewed yet. Reviews of cards, or questions answered again, show what is remembered."
        return CardState.FIRST_USE, "retrieval.first_use", text
    if not alerts and not due:
        return CardState.DONE, "retrieval.done", "Nothing is due, and every topic is above the target."
    time = _about(minutes)
    below = f"{len(alerts)} topics need a look" if len(alerts) != 1 else f"{alerts[0]['name']} needs a look"
    if not due:
        return CardState.READY, "retrieval.due", f"Nothing is due; {below}."
    return CardState.READY, "retrieval.due", f"{due} {'item' if due == 1 else 'items'} due{time}; {below}."


def retention(weeks: Sequence[Sequence[Any]]) -> list[dict[str, Any]]:
    """Share passed by week with its Wilson interval; a week under 20 reviews is joined with those after it.

    The last weeks join the ones before them. `weeks` holds (Monday, n, passed, mean forecast) in order.
    """
    counted = [
        Week(monday := date.fromisoformat(on).toordinal(), monday, n, passed, forecast * n, n)
        for on, n, passed, forecast in weeks
    ]
    return [_weeks(period) for period in periods(counted)]


def _weeks(period: Period) -> dict[str, Any]:
    share = period.retention
    return {
        "week_on": date.fromordinal(period.first_day),
        "weeks": (period.last_day - period.first_day) // WEEK_DAYS + 1,
        "n": period.n,
        "retention": share.value,
        "interval": {"low": share.low, "high": share.high, "level": 0.9},
        "forecast": period.forecast,
    }


def calendar_answer(found: Row, as_of: datetime) -> dict[str, Any]:
    """The answer of `/retrieval/calendar`."""
    today = date.fromisoformat(found["today"])
    seconds: float | None = found["seconds_per_review"]
    days: dict[str, dict[str, Any]] = {}
    for day, n, spent in found["done"]:
        days[day] = {"day": day, "done": n, "due": 0, "minutes": round(spent / 60.0, 1)}
    for day, n in found["due"]:
        entry = days.setdefault(day, {"day": day, "done": 0, "due": 0, "minutes": None})
        entry["due"] = n
        if date.fromisoformat(day) > today or entry["minutes"] is None:
            entry["minutes"] = round(due_minutes(n, seconds), 1)
    ahead = [entry for entry in days.values() if entry["due"] and date.fromisoformat(entry["day"]) >= today]
    state, code, text = _calendar_finding(ahead, has_met=found["met"])
    done = sum(n for _, n, _ in found["done"])
    return {
        **card_fields(state, (code, text), n=done, as_of=as_of, model_version=version_of(found)),
        "today": found["today"],
        "days": [days[day] for day in sorted(days)],
    }


def _about(minutes: float | None) -> str:
    """How long reviews take, to a whole minute; less than one is not none."""
    if minutes is None:
        return ""
    return ", under a minute" if minutes < 1 else f", about {minutes:.0f} min"


def _calendar_finding(ahead: Sequence[Row], *, has_met: bool) -> tuple[CardState, str, str]:
    if not ahead and has_met:  # all that there is is suspended, due later, or after the exam
        return CardState.DONE, "retrieval.calendar_free", "Nothing will be due in the days ahead."
    if not ahead:
        return CardState.FIRST_USE, "retrieval.calendar_empty", "Nothing will be due: no card has been reviewed yet."
    busiest = max(ahead, key=lambda entry: (entry["due"], entry["day"]))
    day = date.fromisoformat(busiest["day"])
    time = _about(busiest["minutes"])
    reviews = "1 review" if busiest["due"] == 1 else f"{busiest['due']} reviews"
    text = f"Busiest day ahead: {day:%a} {day.day} {day:%B}, {reviews}{time}."
    return CardState.READY, "retrieval.busiest", text


def topic_answer(
    topic_id: str, found: Row, items: Sequence[tuple[ItemKey, ItemMemory]], on: Ground, as_of: datetime
) -> dict[str, Any]:
    """The answer of `/retrieval/{topic}`."""
    row: Row | None = found["row"]
    exam: Row = found["exam"] or {}
    curve = [] if row is None else forgetting(found, items, as_of)
    today = date.fromisoformat(found["today"])
    due = sum(memory.due_on is not None and memory.due_on <= today for _, memory in items)
    tomorrow = sum(memory.due_on == today + timedelta(days=1) for _, memory in items)
    shown = None if row is None else _topic({**row, "due": due, "due_tomorrow": tomorrow}, on)
    state, code, text = _topic_finding(on.catalogue.name_of(topic_id), curve, found["desired_retention"])
    first = curve[0] if curve else None
    return {
        **card_fields(
            state, (code, text), n=len(items), as_of=as_of, model_version=version_of(found),
            interval=None if first is None else (first["low"], first["high"]),
        ),
        "topic_id": topic_id,
        "name": on.catalogue.name_of(topic_id),
        "desired_retention": found["desired_retention"],
        "exam_on": exam.get("exam_on"),
        "topic": None if shown is None else {k: v for k, v in shown.items() if k not in _ONLY_FOR_CURVE},
        "items_total": found["items_total"] or None,
        **whole_topic(row, found["items_total"], found.get("easiness"), found.get("skill_variance", START_VARIANCE)),
        "curve": curve,
        "observed": [{"day": day, "n": n, "correct": right} for day, n, right in found["days"]],
    }  # fmt: skip


_ONLY_FOR_CURVE = frozenset({"recall_bias", "memory_days", "last_at", "ability_mean", "ability_variance"})


def whole_topic(
    row: Row | None, items_total: int, easiness: float | None, skill_variance: float = START_VARIANCE
) -> dict[str, float | None]:
    """Coverage of the topic's items, and the strength of all of them: unseen ones with their chance at zero practice.

    Nothing where the catalogue has no items of the topic, or no seen one is remembered (science page, 2.8).
    """
    if row is None or not items_total or row["retrieval_strength"] is None or easiness is None:
        return {"coverage": None, "whole_topic_strength": None}
    coverage = min(1.0, row["items_seen"] / items_total)
    unseen = averaged_sigmoid(easiness + row["ability_mean"], row["ability_variance"] + skill_variance)
    whole = coverage * row["retrieval_strength"] + (1.0 - coverage) * unseen
    return {"coverage": coverage, "whole_topic_strength": whole}


def forgetting(found: Row, items: Sequence[tuple[ItemKey, ItemMemory]], as_of: datetime) -> list[dict[str, Any]]:
    """Mean recall of the topic's items on coming days without review, with its band.

    The band is as wide as the learner's weeks have differed, and grows with the horizon: what is long overdue is
    over-predicted (science page, 2.10; its growth is a start value).
    """
    row = found["row"]
    if not items or row["last_at"] is None:
        return []
    today = date.fromisoformat(found["today"])
    made = columns([(key.kind, memory) for key, memory in items])
    since = max(0.0, (as_of - datetime.fromisoformat(row["last_at"])).total_seconds() / SECONDS_PER_DAY)
    now_s, n = epoch_seconds(as_of), len(items)
    learner = msgspec.convert(found["memory"] or {}, LearnerMemory)
    bias, span = np.full(n, learner.bias), np.full(n, row["memory_days"])

    def recall_at(ahead: int) -> Floats:
        at = np.full(n, now_s + ahead * SECONDS_PER_DAY)
        own = recall_of(made, at, np.full(n, today.toordinal() + ahead), bias)
        return np.where(made.remembered, own, fsrs_many.retrievability_many(span, np.full(n, since + ahead)))

    return [
        {"day": today + timedelta(days=point.day), "retrievability": point.value, "low": point.low, "high": point.high}
        for point in forgetting_curve(recall_at, days=CURVE_DAYS, tau=learner.tau)
    ]


def _topic_finding(name: str, curve: Sequence[Row], target: float) -> tuple[CardState, str, str]:
    if not curve:
        return CardState.FIRST_USE, "retrieval.topic_unseen", f"{name}: nothing to remember yet."
    now = curve[0]["retrievability"]
    below = next((point["day"] for point in curve if point["retrievability"] < target), None)
    if now < target:
        text = f"{name}: {100 * now:.0f} % recalled now, below the target of {100 * target:.0f} %."
        return CardState.READY, "retrieval.topic_below", text
    if below is None:
        return CardState.READY, "retrieval.topic_safe", f"{name}: above {100 * target:.0f} % for half a year."
    text = f"{name}: above {100 * target:.0f} % until about {below.day} {below:%B} if not reviewed."
    return CardState.READY, "retrieval.topic_until", text
