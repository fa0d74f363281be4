"""What to study next, and how sure are we? From gathered rows to the answer; pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID

from osler.analytics.contract import CardState, card_fields
from osler.analytics.plan.blocks import ALTERNATIVES, VERSION, blocks_for, gap_of, minutes_for, surety, week
from osler.catalog.snapshot import Catalogue


def answer(found: Mapping[str, Any], user_id: UUID, known: Catalogue) -> dict[str, Any]:
    """The answer of `/plan`, from what `queries.plan_of` gathers."""
    today = date.fromisoformat(found["today"])
    setup: Mapping[str, Any] = found["setup"] or {}
    exam_on = date.fromisoformat(setup["exam_on"]) if setup.get("exam_on") else None
    gaps = [gap_of(row, known.name_of(row["topic_id"])) for row in found["gaps"]]
    due = {date.fromisoformat(day): n for day, n in found["due"]}
    planned, usual = setup.get("minutes_per_day"), found["usual_minutes"]
    minutes, source = minutes_for(today, planned, usual)
    blocks = blocks_for(minutes, due.get(today, 0), gaps)
    others = [block for gap in gaps[1:] for block in blocks_for(minutes, 0, [gap])]
    body: dict[str, Any] = {
        "minutes": minutes,
        "minutes_from": source,
        "block": blocks[0].as_dict() if blocks else None,
        "surety": surety(gaps, seed=user_id.int % 2**32),
        "alternatives": [block.as_dict() for block in [*blocks[1:], *others]][:ALTERNATIVES],
        "days": week(today, due, gaps, planned=planned, usual=usual, exam_on=exam_on),
        "exam_on": exam_on,
    }
    topics = list(dict.fromkeys(block.name for block in blocks if block.topic_id is not None))
    return {**_card(found, body, topics), **body}


def _card(found: Mapping[str, Any], body: Mapping[str, Any], topics: list[str]) -> dict[str, object]:
    n = sum(row["n"] for row in found["gaps"])
    as_of = max((row["as_of"] for row in found["gaps"]), default=None)
    shared: dict[str, Any] = {"n": n, "as_of": as_of, "model_version": VERSION}
    due = body["days"][0]["due"] if body["days"] else 0
    if body["block"] is None:
        if not found["gaps"] and not found["due"]:
            text = "Nothing to plan from yet: what to study next is here from the night after the first answers."
            return card_fields(CardState.FIRST_USE, ("plan.first_use", text), **shared)
        return card_fields(CardState.DONE, ("plan.done", "Nothing due today, and no gap is open."), **shared)
    first = body["block"]["reason"]["text"]
    count = f"{len(topics)} topic{'s' if len(topics) != 1 else ''}"
    reviews = f", {due} review{'s' if due != 1 else ''}" if due else ""
    text = f"Today: {body['minutes']:.0f} min, {count}{reviews}. {first}"
    judged = any(row["state"] in {"weak", "open"} for row in found["gaps"])
    state = CardState.READY if judged or not found["gaps"] else CardState.TOO_LITTLE
    params: dict[str, Any] = {"minutes": body["minutes"], "topics": len(topics), "due": due, "surety": body["surety"]}
    return card_fields(state, ("plan.today", text), params=params, **shared)
