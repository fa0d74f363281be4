"""What is missing and what first? From gathered rows to the answer; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from osler.analytics.contract import CardState, card_fields
from osler.analytics.gaps.model import VERSION
from osler.catalog.snapshot import Catalogue
from osler.science.learning_rate import LONGEST_DAYS

LISTED = ("weak", "open", "insufficient_data")
CHAIN_LENGTH = 4
DEFAULT_MINUTES_A_DAY = 30.0
MINUTES_STEP = 5


@dataclass(frozen=True, slots=True)
class Within:
    """How many hours of study there are before the exam, or in half a year, and what to say of what takes longer."""

    hours: float
    otherwise: str

    def shown(self, hours: float | None) -> float | None:
        """The hours, where they are so few that a number means something."""
        return hours if hours is not None and hours <= self.hours else None


def within(found: Mapping[str, Any]) -> Within:
    """At the pace of the plan, else of the last 28 days, else of half an hour a day."""
    minutes = found["minutes_a_day"] or DEFAULT_MINUTES_A_DAY
    left = None if found["exam_on"] is None else _days_between(found["today"], found["exam_on"])
    if left is not None and 0 < left < LONGEST_DAYS:
        return Within(left * minutes / 60, "not to be closed before the exam at this pace")
    return Within(LONGEST_DAYS * minutes / 60, f"not to be closed within {LONGEST_DAYS:.0f} days at this pace")


def _days_between(first: str, last: str) -> int:
    return (date.fromisoformat(last) - date.fromisoformat(first)).days


def answer(found: Mapping[str, Any], known: Catalogue) -> dict[str, Any]:
    """The answer of `/knowledge-gaps`."""
    time = within(found)
    gaps = [gap_out(gap, known, time) for gap in found["gaps"]]
    counts = {str(state): int(n) for state, n in found["counts"].items()}
    ranked_by = found["gaps"][0]["ranked_by"] if gaps else None
    return {**_card(found["gaps"], gaps, counts), "ranked_by": ranked_by, "counts": counts, "gaps": gaps}


def gap_out(gap: Mapping[str, Any], known: Catalogue, time: Within) -> dict[str, Any]:
    """One gap as the API says it; hours that the learner does not have are null."""
    same = (
        "topic_id", "rank", "state", "severity", "is_provisional", "gap_score", "priority_score", "priority_index",
        "n", "board_exam_weight", "exam_share", "prerequisite_impact", "recent_failure_rate", "blocks_count",
        "blocks_count_all", "points_per_hour", "recommended_materials",
    )  # fmt: skip
    name = known.name_of(gap["topic_id"])
    by_cards = told_by(gap) == "cards"
    return {
        **{field: gap[field] for field in same},
        **{field: None if by_cards else gap[field] for field in ("mastery", "mastery_low", "mastery_high")},
        "told_by": told_by(gap),
        "recall": gap["retrieval_strength"] if by_cards else None,
        "recall_low": gap["retrieval_low"] if by_cards else None,
        "recall_high": gap["retrieval_high"] if by_cards else None,
        "name": name,
        "hours": {
            "median": (median := time.shown(gap["estimated_hours"])),
            "low": None if median is None else gap["hours_low"],
            "high": None if median is None else time.shown(gap["hours_high"]),
        },
        "recommended_path": [{"topic_id": t, "name": known.name_of(t)} for t in gap["recommended_path"]],
        "progress": {
            "opened_on": gap["opened_on"],
            "at_start": None if by_cards else gap["mastery_at_open"],
            "now": None if by_cards else gap["mastery"],
            "target": gap["target"],
            "share": None if by_cards else gap["progress"],
        },
        "findings": _findings(gap, name, known, time),
    }


def told_by(gap: Mapping[str, Any]) -> Literal["questions", "cards"] | None:
    """What a gap is known from. Of cards alone mastery stays near its start value: recall is told in its place."""
    if not gap["n"]:
        return None
    return "questions" if gap["questions_attempted"] else "cards"


def in_hours(gap: Mapping[str, Any], time: Within) -> str:
    """Hours in words: about 6 h (4 to 9); about 6 h (4 or more) where the late draws take longer than there is."""
    median, low, high = time.shown(gap["estimated_hours"]), gap["hours_low"], time.shown(gap["hours_high"])
    if median is None:
        return ""
    about = f"about {_spoken(median)}"
    if low is None:
        return about
    least = f"{low:.0f}" if low >= 1 else _spoken(low)
    if high is None:
        return f"{about} ({least} or more)"
    return f"{about} ({least} to {f'{high:.0f}' if low >= 1 else _spoken(high)})"


def _spoken(hours: float) -> str:
    """Whole hours; under one, minutes in fives, as more would feign to know, and never none."""
    if hours >= 1:
        return f"{hours:.0f} h"
    return f"{max(1, round(hours * 60 / MINUTES_STEP)) * MINUTES_STEP} min"


def graph_answer(found: Mapping[str, Any], known: Catalogue) -> dict[str, Any]:
    """The answer of `/knowledge-gaps/graph`: the topics that have an edge, and the weakest chain."""
    rows = {row[0]: row for row in found["topics"]}
    edges = [edge for edge in known.prerequisites if edge[0] in rows and edge[1] in rows]
    needs: dict[str, list[str]] = {}
    unlocks: dict[str, list[str]] = {}
    for needed, topic, _strength in edges:
        needs.setdefault(topic, []).append(needed)
        unlocks.setdefault(needed, []).append(topic)
    linked = [row for row in rows.values() if row[0] in needs or row[0] in unlocks]
    chain = _chain(linked, needs, unlocks)
    nodes = [
        {
            "topic_id": row[0], "name": known.name_of(row[0]), "state": row[1], "mastery": row[2], "n": row[5],
            "rank": row[6], "needs": needs.get(row[0], []), "unlocks": unlocks.get(row[0], []),
        }
        for row in linked
    ]  # fmt: skip
    return {
        **_graph_card(linked, chain, known),
        "chain": chain,
        "nodes": nodes,
        "edges": [{"from_topic_id": a, "to_topic_id": b, "strength": e} for a, b, e in edges],
    }


def _card(rows: Sequence[Mapping[str, Any]], gaps: Sequence[Any], counts: Mapping[str, int]) -> dict[str, object]:
    answered = sum(n for state, n in counts.items() if state != "unseen")
    if not answered:
        text = "No gap is known yet: they are looked for at night, on topics with 5 answers."
        return card_fields(CardState.FIRST_USE, ("gaps.first_use", text), n=0, as_of=None, model_version=VERSION)
    if not gaps:
        text = "No gap is open: every topic with answers has reached its target."
        return card_fields(CardState.DONE, ("gaps.done", text), n=answered, as_of=None, model_version=VERSION)
    first = rows[0]
    shared: dict[str, Any] = {
        "n": sum(row["n"] for row in rows),
        "as_of": first["as_of"],
        "model_version": first["model_version"],
    }
    sentence = gaps[0]["findings"][0]
    if first["severity"] is None:
        text = f"Too few answers to judge a topic yet; {gaps[0]['name']} comes first as things stand."
        return card_fields(CardState.TOO_LITTLE, ("gaps.too_little", text), params=sentence["params"], **shared)
    return card_fields(CardState.READY, (sentence["code"], sentence["text"]), params=sentence["params"], **shared)


def _findings(gap: Mapping[str, Any], name: str, known: Catalogue, time: Within) -> list[dict[str, Any]]:
    hours, blocks = in_hours(gap, time), gap["blocks_count"]
    params = {
        "topic": name, "severity": gap["severity"], "hours": time.shown(gap["estimated_hours"]), "blocks": blocks,
    }  # fmt: skip
    said = [("gaps.priority", _priority(gap, name, hours, time))]
    if hours:
        said.append(("gaps.focus", f"Focus on {name} ({hours} needed)."))
    if gap["recommended_materials"]:
        count = len(gap["recommended_materials"])
        first = "this material" if count == 1 else f"these {count} materials"
        said.append(("gaps.materials", f"Complete {first} first."))
    if gap["blocks_count_all"]:
        others = "1 other" if gap["blocks_count_all"] == 1 else f"{gap['blocks_count_all']} others"
        said.append(("gaps.blocks", f"This topic is a prerequisite for {others}."))
    before = [known.name_of(topic) for topic in gap["recommended_path"][:-1]]
    if before:
        said.append(("gaps.path", f"Begin with {before[0]}, which it stands on."))
    return [{"code": code, "params": params, "text": text} for code, text in said]


STANDING = {"unseen": "not seen yet", "insufficient_data": "few answers yet", "closed": "on target"}


def _priority(gap: Mapping[str, Any], name: str, hours: str, time: Within) -> str:
    """Heart failure: a critical gap, about 6 h (4 to 9) to close; 8 % of the exam, blocks 5 topics."""
    parts = [f"a {gap['severity']} gap" if gap["severity"] else STANDING.get(gap["state"], "open")]
    if told_by(gap) == "cards" and gap["retrieval_strength"] is not None:
        parts[0] += f" by its cards alone, of which you would recall {100 * gap['retrieval_strength']:.0f} % today"
    if hours:
        parts.append(f"{hours} to close")
    elif gap["severity"] and gap["state"] != "closed":
        parts.append(time.otherwise)
    facts: list[str] = []
    if gap["exam_share"] >= 0.005:
        facts.append(f"{100 * gap['exam_share']:.0f} % of the exam")
    if gap["blocks_count"]:
        facts.append("blocks 1 topic" if gap["blocks_count"] == 1 else f"blocks {gap['blocks_count']} topics")
    return f"{name}: {'; '.join(', '.join(part) for part in (parts, facts) if part)}."


def _chain(
    linked: Sequence[Sequence[Any]], needs: Mapping[str, list[str]], unlocks: Mapping[str, list[str]]
) -> list[str]:
    """From the weakest topic that others stand on: what it needs that is open too, then what it unlocks."""
    state = {row[0]: row for row in linked}
    open_topics = {topic for topic, row in state.items() if row[1] in {"weak", "open"}}
    starts = [row for row in linked if row[0] in open_topics and unlocks.get(row[0])]
    if not starts:
        return []
    at = min(starts, key=lambda row: (row[6], row[0]))[0]
    chain = [at]
    while len(chain) < CHAIN_LENGTH:
        before = [topic for topic in needs.get(chain[0], []) if topic in open_topics and topic not in chain]
        if not before:
            break
        chain.insert(0, min(before, key=lambda topic: (state[topic][2] or 0.0, topic)))
    after = [topic for topic in unlocks.get(chain[-1], []) if topic not in chain]
    return chain + sorted(after, key=lambda topic: state[topic][6])[:1]


def _graph_card(linked: Sequence[Sequence[Any]], chain: Sequence[str], known: Catalogue) -> dict[str, object]:
    shared: dict[str, Any] = {
        "n": sum(row[5] for row in linked),
        "as_of": max((row[7] for row in linked), default=None),
        "model_version": VERSION,
    }
    if not shared["n"]:
        text = "No answers on connected topics yet: the map fills as you study."
        return card_fields(CardState.FIRST_USE, ("graph.first_use", text), **shared)
    if len(chain) < 2:
        return card_fields(CardState.DONE, ("graph.done", "No weak topic holds up another one."), **shared)
    names = [known.name_of(topic) for topic in chain]
    front = " and ".join(names[:-1])
    text = f"{front} {'block' if len(names) > 2 else 'blocks'} {names[-1]}. Begin with {names[0]}."
    params: dict[str, Any] = {"first": names[0], "last": names[-1]}
    return card_fields(CardState.READY, ("graph.chain", text), params=params, **shared)
