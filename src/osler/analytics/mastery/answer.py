"""From gathered rows to what the mastery pages say. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from osler.analytics.contract import CardState, card_fields
from osler.analytics.mastery.model import MASTERED, MIN_ATTEMPTS, Mastery, classify, time_to_mastery
from osler.analytics.mastery.model_report import model_report
from osler.catalog.snapshot import Catalogue, ExamEntry
from osler.forecasts.parameters import Rate
from osler.science.learning_rate import LONGEST_DAYS, Span
from osler.science.skill_trend import Trend

Row = Mapping[str, Any]

VERSION = "mastery-1"
START_SECONDS = 75.0
ON_CARDS = "they show which topics are weaker, hardly whether a question would be answered; five answers would tell"


@dataclass(frozen=True, slots=True)
class Ground:
    """What is the same for every topic of an answer."""

    catalogue: Catalogue
    exam: ExamEntry | None
    desired_retention: float


def version_of(found: Row) -> str:
    """Model and parameters behind the numbers."""
    return f"{VERSION}/{found['version'] or 'none'}"


def overview_answer(found: Row, on: Ground, as_of: datetime) -> dict[str, Any]:
    """The answer of `/mastery`."""
    shared: dict[str, int] = {row["topic_id"]: row["attempts_shared"] for row in found["topics"]}
    topics = [topic_now({k: v for k, v in row.items() if k != "attempts_shared"}, on) for row in found["topics"]]
    counted = _counted_topics(topics, on)
    by_label = {label: sum(t["label"] == label for t in topics) for label in ("mastered", "weak")}
    seen = {t["topic_id"] for t in topics if t["attempts"]}
    unseen = len(counted - seen)
    answers: int = found["answers"] if topics and found["answers"] else 0  # without a topic none is behind a number
    params = {"mastered": by_label["mastered"], "topics": len(counted), "unseen": unseen}
    state, finding = _overview_finding(topics, params)
    newest = max((row["as_of"] for row in found["topics"]), default=as_of)
    return {
        **card_fields(state, finding, n=answers, as_of=newest, model_version=version_of(found), params=params),
        "exam_id": on.exam and on.exam.exam_id,
        "topics_total": len(counted),
        "topics_mastered": by_label["mastered"],
        "topics_weak": by_label["weak"],
        "topics_unseen": unseen,
        "model_report": model_report(found["trial"]),
        "groups": _groups(topics, shared, on),
        "topics": topics,
    }


def topic_now(row: Row, on: Ground) -> dict[str, Any]:
    """A topic's row as `TopicNow`."""
    topic_id: str = row["topic_id"]
    entry = on.catalogue.topics.get(topic_id)
    retrieval = row["retrieval_strength"]
    return {
        **row,
        "name": on.catalogue.name_of(topic_id),
        "parent_id": entry and entry.parent_id,
        "exam_share": None if on.exam is None else on.exam.shares.get(topic_id),
        "label": label_of(row),
        **_standing(row),
        "is_fading": retrieval is not None and retrieval < on.desired_retention,
    }


def label_of(row: Row) -> str:
    """What a topic may be called; nothing is judged under five answers."""
    if row["mastery"] is None:
        return "unseen"
    return classify(row["mastery"], row["mastery_low"], row["mastery_high"], row["attempts"])


def _standing(row: Row) -> dict[str, str | None]:
    """Status and reason: cards tell topics apart, and leave open how questions would go."""
    asked: int = row["questions_attempted"]
    if row["status"] != "ok" or asked >= MIN_ATTEMPTS:
        return {"status": row["status"], "reason": None}
    rest = f"{row['attempts'] - asked} card reviews and {asked} answer{'' if asked == 1 else 's'}"
    return {"status": "provisional", "reason": f"Rests on {rest}: {ON_CARDS}."}


def _overview_finding(topics: Sequence[Row], params: Mapping[str, int]) -> tuple[CardState, tuple[str, str]]:
    if not topics:
        text = "Nothing answered yet. Five answers on a topic give a first estimate."
        return CardState.FIRST_USE, ("mastery.first_use", text)
    if all(topic["attempts"] < MIN_ATTEMPTS for topic in topics):
        text = "Too few answers for a judgement: each topic needs five."
        return CardState.TOO_LITTLE, ("mastery.too_little", text)
    text = f"{params['mastered']} of {params['topics']} topics mastered; {params['unseen']} not seen."
    if all(topic["status"] != "ok" for topic in topics):
        return CardState.READY, ("mastery.cards_alone", f"{text} So far you have studied cards: {ON_CARDS}.")
    return CardState.READY, ("mastery.summary", text)


def _counted_topics(topics: Sequence[Row], on: Ground) -> set[str]:
    """Topics that count: those of the exam's blueprint, else all leaves of the catalogue, else those seen."""
    if on.exam is not None and on.exam.shares:
        return set(on.exam.shares)
    parents = {entry.parent_id for entry in on.catalogue.topics.values()}
    leaves = set(on.catalogue.topics) - parents
    return leaves or {topic["topic_id"] for topic in topics}


def _groups(topics: Sequence[Row], shared: Mapping[str, int], on: Ground) -> list[dict[str, Any]]:
    """Top-level topics with what is known below them, heaviest in the exam first."""
    by_root: dict[str, list[Row]] = {}
    for topic in topics:
        by_root.setdefault(_root(topic["topic_id"], on.catalogue), []).append(topic)
    counted: dict[str, list[str]] = {}
    for topic_id in sorted(_counted_topics(topics, on)):
        counted.setdefault(_root(topic_id, on.catalogue), []).append(topic_id)
    groups = [
        {**_group(root, by_root.get(root, []), counted.get(root, []), on), "n": _answers(by_root.get(root, []), shared)}
        for root in {*by_root, *counted}
    ]
    return sorted(groups, key=lambda group: (-(group["exam_weight"] or 0.0), group["topic_id"]))


def _group(root: str, seen: Sequence[Row], counted: Sequence[str], on: Ground) -> dict[str, Any]:
    shares = {} if on.exam is None else {topic: on.exam.shares.get(topic, 0.0) for topic in counted}
    weight = sum(shares.values())
    known = [topic for topic in seen if topic["attempts"] >= MIN_ATTEMPTS]
    enough = {topic["topic_id"] for topic in known}
    covered = sum(shares.get(topic, 1.0) for topic in counted if topic in enough)
    whole = weight or float(len(counted))
    return {
        "topic_id": root,
        "name": on.catalogue.name_of(root),
        "coverage": min(1.0, covered / whole) if whole else float(bool(known)),
        # The ends are averaged as well: the topics share the learner's ability, so their errors do not cancel.
        "mastery": _mean(known, "mastery", shares),
        "low": _mean(known, "mastery_low", shares),
        "high": _mean(known, "mastery_high", shares),
        "topics": len(counted),
        "topics_seen": sum(bool(topic["attempts"]) for topic in seen),
        "exam_weight": weight or None,
        "target": MASTERED,
    }


def _answers(topics: Sequence[Row], shared: Mapping[str, int]) -> int:
    """Answers on any of the topics of a group, each once: one on two of them counts under the first."""
    return sum(topic["attempts"] - shared[topic["topic_id"]] for topic in topics)


def _mean(topics: Sequence[Row], field: str, shares: Mapping[str, float]) -> float | None:
    weights = [shares.get(topic["topic_id"], 0.0) for topic in topics]
    if not sum(weights):
        weights = [1.0] * len(topics)
    return sum(w * t[field] for w, t in zip(weights, topics, strict=True)) / sum(weights) if topics else None


def _root(topic_id: str, catalogue: Catalogue) -> str:
    at = topic_id
    while (entry := catalogue.topics.get(at)) is not None and entry.parent_id is not None:
        at = entry.parent_id
    return at


def topic_answer(topic_id: str, found: Row, trend: Trend, on: Ground, as_of: datetime) -> dict[str, Any]:
    """The answer of `/mastery/{topic}`."""
    row: Row | None = found["row"]
    entry = on.catalogue.topics.get(topic_id)
    projection = None if row is None or row["mastery"] is None else _projection(row, found)
    state, finding, params = _topic_finding(topic_id, row, trend, on)
    given: Row = row or {}
    return {
        **card_fields(
            state,
            finding,
            n=given.get("attempts", 0),
            as_of=given.get("as_of", as_of),
            model_version=version_of(found),
            interval=_interval(row),
            params=params,
        ),
        "topic_id": topic_id,
        "name": on.catalogue.name_of(topic_id),
        "parent_id": entry and entry.parent_id,
        "children": sorted(t.topic_id for t in on.catalogue.topics.values() if t.parent_id == topic_id),
        "topic": None if row is None else {k: v for k, v in topic_now(row, on).items() if k not in _ONLY_IN_DETAIL},
        "first_attempt_accuracy": given.get("first_attempt_accuracy"),
        "overall_accuracy": given.get("overall_accuracy"),
        "material_completion": given.get("material_completion"),
        "components_present": given.get("components_present") or [],
        "first_attempts": given.get("first_attempts", 0),
        "items_seen": given.get("items_seen", 0),
        "items_remembered": given.get("items_remembered", 0),
        "sm2_interval_days": given.get("sm2_interval_days"),
        "sm2_next_review_at": given.get("sm2_next_review_at"),
        "series": [
            {"day": day, "mastery": mastery, "low": low, "high": high, "n": n}
            for day, mastery, low, high, n, *_ in found["days"]
            if mastery is not None
        ],
        "trend": {"label": trend.label, "n": trend.n, "slope": trend.slope, "low": trend.low, "high": trend.high},
        "projection": projection,
    }


_ONLY_IN_DETAIL = frozenset(
    {
        "correct", "first_attempts", "first_correct", "first_attempt_accuracy", "overall_accuracy",
        "material_completion", "components_present", "materials_completed", "materials_total", "items_seen",
        "items_remembered", "sm2_interval_days", "sm2_next_review_at", "skill_mean", "skill_variance", "ability_mean",
        "ability_variance", "option_count", "recall_bias",
    }
)  # fmt: skip


def _interval(row: Row | None) -> tuple[float, float] | None:
    return None if row is None or row["mastery"] is None else (row["mastery_low"], row["mastery_high"])


def _topic_finding(
    topic_id: str, row: Row | None, trend: Trend, on: Ground
) -> tuple[CardState, tuple[str, str], dict[str, str | int | float | bool | None]]:
    name = on.catalogue.name_of(topic_id)
    if row is None or row["mastery"] is None:
        return CardState.FIRST_USE, ("mastery.topic_unseen", f"{name}: nothing answered yet."), {"topic": name}
    params = {"topic": name, "mastery": row["mastery"], "low": row["mastery_low"], "high": row["mastery_high"]}
    likely = f"{row['mastery']:.2f}, likely {row['mastery_low']:.2f} to {row['mastery_high']:.2f}"
    if row["attempts"] < MIN_ATTEMPTS:
        text = f"Early estimate from {row['attempts']} answer{'' if row['attempts'] == 1 else 's'}: {likely}."
        return CardState.TOO_LITTLE, ("mastery.topic_early", text), {**params, "n": row["attempts"]}
    reason = _standing(row)["reason"]
    if reason is not None:
        return CardState.READY, ("mastery.topic_cards", f"{likely}. {reason}"), params
    word = trend.label.capitalize() if trend.label != "insufficient_data" else "Mastery"
    return CardState.READY, (f"mastery.topic_{trend.label}", f"{word}: {likely}."), params


def _projection(row: Row, found: Row) -> dict[str, Any]:
    eta = _level(row)
    mastery = Mastery(
        row["mastery"], row["mastery_low"], row["mastery_high"], row["attempts"], "developing", eta,
        row["ability_variance"] + row["skill_variance"],
    )  # fmt: skip
    plan: Row = found["setup"] or {}
    minutes: list[float] | None = plan.get("minutes_per_day")
    daily = sum(minutes) / 7 * 60 if minutes and sum(minutes) else None
    rate: Rate = row["rate"]
    span = time_to_mastery(
        mastery,
        seconds_per_attempt=found.get("seconds_per_attempt") or START_SECONDS,
        seed=0,
        options=row["option_count"] if row["option_count"] > 1 else 0,
        planned_seconds_per_day=daily,
        horizon_days=_horizon(found),
        gamma=rate.gamma,
        gamma_sd=rate.sd,
    )
    return {
        **_span(span, "hours" if daily is None else "days", date.fromisoformat(found["today"])),
        "learning_rate": rate.gamma,
        "learning_rate_source": "fitted" if rate.is_fitted else "start",
    }


def _level(row: Row) -> float:
    """The level in logits, the topic's median easiness included, as the row was made."""
    return float(row["level"])


def _horizon(found: Row) -> float:
    plan: Row = found["setup"] or {}
    exam_on: str | None = plan.get("exam_on")
    if exam_on is None:
        return LONGEST_DAYS
    left = (date.fromisoformat(exam_on) - date.fromisoformat(found["today"])).days
    return min(LONGEST_DAYS, float(max(left, 0)))


def _span(span: Span, unit: str, today: date) -> dict[str, Any]:
    on = today + timedelta(days=round(span.median)) if unit == "days" and span.median is not None else None
    return {
        "unit": unit,
        "low": span.low,
        "median": span.median,
        "high": span.high,
        "share_never": span.never_share,
        "projected_on": on,
    }
