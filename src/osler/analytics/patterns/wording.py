"""How is an insight said? One sentence each: association, never cause, with points, interval, answers and sessions."""

from __future__ import annotations

from osler.domain.finding import Finding, Value
from osler.science.insight import Candidate, Comparison

SUBJECTS = {
    "best_time_of_day": "{name}",
    "ideal_session_length": "Answering {name} into a session",
    "unbroken_hour": "Studying over 60 min without a break",
    "notes": "Taking notes",
    "sleep": "A day after 8 h of sleep or more",
    "preferred_material": "Studying {name} rather than {most_used}",
    "rest": "A break of {name}",
    "spacing": "Spreading a topic over days more than you usually do",
    "interleaving": "Mixing a topic with others more than you usually do",
}
CLUSTERS = {
    "notes": "materials", "preferred_material": "materials", "sleep": "nights", "spacing": "topic-weeks",
    "interleaving": "topic-weeks",
}  # fmt: skip
WHEN = {
    "notes": ", 1 to 14 days later", "preferred_material": ", 1 to 14 days later", "rest": " in the 10 answers after",
    "spacing": " in the week after", "interleaving": " in the week after",
}  # fmt: skip
COUNTED = {"rest": "breaks"}


def points(value: float) -> str:
    """A difference of probabilities in points, signed.

    >>> points(-0.043)
    '−4'
    """
    rounded = round(100 * value)
    return f"+{rounded}" if rounded > 0 else f"−{-rounded}" if rounded < 0 else "0"


def sentence(candidate: Candidate) -> Finding | None:
    """The insight as `{code, params, text}`; None where it has no comparison to speak of."""
    best = candidate.best
    if best is None:
        return None
    params: dict[str, Value] = {"name": best.name, **figures(best), **candidate.extra}
    subject = SUBJECTS[candidate.insight].format(name=best.name, most_used=candidate.extra.get("most_used", "others"))
    verb = "are" if candidate.insight == "best_time_of_day" else "is"
    low, high = sorted((best.effect.low, best.effect.high))
    clusters, counted = CLUSTERS.get(candidate.insight, "sessions"), COUNTED.get(candidate.insight, "answers")
    text = (
        f"{subject[:1].upper()}{subject[1:]} {verb} associated with {points(best.effect.value)} points "
        f"({points(low)} to {points(high)}) on comparable questions{WHEN.get(candidate.insight, '')} "
        f"({100 * best.one.raw:.0f} % right against {100 * best.other.raw:.0f} %, {best.one.answers} {counted}, "
        f"{best.one.clusters} {clusters})."
    )
    return Finding(f"patterns.{candidate.insight}", params, text)


def figures(comparison: Comparison) -> dict[str, Value]:
    """The numbers of a sentence, probabilities 0 to 1."""
    return {
        "effect": comparison.effect.value,
        "low": comparison.effect.low,
        "high": comparison.effect.high,
        "raw": comparison.one.raw,
        "raw_other": comparison.other.raw,
        "answers": comparison.one.answers,
        "answers_other": comparison.other.answers,
        "clusters": comparison.one.clusters,
        "clusters_other": comparison.other.clusters,
    }
