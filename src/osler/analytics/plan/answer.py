"""What to study next, and how sure are we? From gathered rows to the answer; pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID

from osler.analytics.contract import CardState, card_fields
from osler.analytics.plan.blocks import ALTERNATIVES, VERSION, Cards, blocks_for, gap_of, minutes_for, surety, week
from osler.analytics.plan.model import MODEL_NOTE, REASONS
from osler.catalog.snapshot import Catalogue


def answer(found: Mapping[str, Any], user_id: UUID, known: Catalogue) -> dict[str, Any]:
    """The answer of `/plan`, from what `queries.plan_of` gathers."""
    today = date.fromisoformat(found["today"])
    setup: Mapping[str, Any] = found["setup"] or {}
    exam_on = date.fromisoformat(setup["exam_on"]) if setup.get("exam_on") else None
    gaps = [gap_of(row, known.name_of(row["topic_id"])) for row in found["gaps"]]
    chosen: Mapping[str, Any] | None = found["planned"]
    due = {date.fromisoformat(day): n for day, n in (found["due"] if chosen is None else chosen["due"])}
    cards = None if chosen is None else cards_left(chosen, today)
    if chosen is not None:
        due = _less(due, today, chosen["reviewed"])
    planned, usual = setup.get("minutes_per_day"), found["usual_minutes"]
    minutes, source = minutes_for(today, planned, usual)
    each = found["seconds_per_review"]
    blocks = blocks_for(minutes, due.get(today, 0), gaps, cards=cards, seconds_each=each)
    others = [block for gap in gaps[1:] for block in blocks_for(minutes, 0, [gap])]
    body: dict[str, Any] = {
        "minutes": minutes,
        "minutes_from": source,
        "block": blocks[0].as_dict() if blocks else None,
        "surety": surety(gaps, seed=user_id.int % 2**32),
        "alternatives": [block.as_dict() for block in [*blocks[1:], *others]][:ALTERNATIVES],
        "days": week(today, due, gaps, planned=planned, usual=usual, exam_on=exam_on, cards=cards, seconds_each=each),
        "exam_on": exam_on,
        "review_plan": None if chosen is None else review_plan(chosen, today),
    }
    topics = list(dict.fromkeys(block.name for block in blocks if block.topic_id is not None))
    return {**_card(found, body, topics), **body}


def cards_left(chosen: Mapping[str, Any], today: date) -> Cards:
    """What of the night's list is left."""
    counts: Mapping[str, Any] = chosen["counts"]
    n, seconds = (sum(part[i] for part in counts.values()) for i in (0, 1))
    left = max(0, n - chosen["reviewed"])
    new = min(left, counts["new"][0]) if "new" in counts else 0
    return Cards(left, seconds / n if n else 0.0, new, today >= date.fromisoformat(chosen["last_days_from"]))


def _less(due: Mapping[date, int], today: date, reviewed: int) -> dict[date, int]:
    """Due days with what is overdue on today, less what was reviewed since."""
    overdue = sum(n for day, n in due.items() if day <= today)
    return {day: n for day, n in due.items() if day > today} | {today: max(0, overdue - reviewed)}


def review_plan(chosen: Mapping[str, Any], today: date) -> dict[str, Any]:
    """The plan of the night as the API says it, with what it does not prove."""
    wanted, expected, usual = chosen["desired_retention"], chosen["expected_recall"], chosen["usual_recall"]
    gained = f"{100 * expected:.0f} %" != f"{100 * usual:.0f} %"
    beside = f"{100 * usual:.0f} % with the usual 90 %" if gained else "no more than with the usual 90 %"
    from_day = date.fromisoformat(chosen["last_days_from"])
    rule = (
        f"A card comes back when your chance to recall it is down to {100 * wanted:.0f} %; from {from_day.day} "
        f"{from_day:%B} the cards that gain most until the exam come first."
    )
    if from_day <= today:
        rule = "Until the exam the cards that gain most for their time come first."
    text = (
        f"{rule} By our model of your memory you then recall {100 * expected:.0f} % of your cards on the exam day, "
        f"{beside}: a model's figure, not proven to teach more."
    )
    params = {"desired_retention": wanted, "expected_recall": expected, "usual_recall": usual}
    return {
        "desired_retention": wanted,
        "last_days_from": chosen["last_days_from"],
        "expected_recall": expected,
        "usual_recall": usual,
        "cards": chosen["cards"],
        "unseen": chosen["unseen"],
        "today": {reason: part[0] for reason, part in chosen["counts"].items()},
        "reviewed": chosen["reviewed"],
        "as_of": chosen["as_of"],
        "finding": {"code": MODEL_NOTE.code, "params": params, "text": text},
    }


def card_list(found: Mapping[str, Any]) -> dict[str, Any]:
    """The answer of `/plan/cards`: the day's list in order, with the reason of each."""
    chosen: Mapping[str, Any] | None = found["planned"]
    cards = [(*entry.split("/", 2), bool(done)) for entry, done in found["cards"]]
    left = sum(not done for *_, done in cards)
    if chosen is None:
        state, said = CardState.FIRST_USE, "No list: it takes an exam ahead, cards, and the night after them."
    elif not left:
        state, said = CardState.DONE, "All of today's list is reviewed."
    else:
        state, said = CardState.READY, f"{left} card{'' if left == 1 else 's'} left of today's list of {len(cards)}."
    as_of: str | None = None if chosen is None else chosen["as_of"]
    return {
        **card_fields(state, ("plan.cards", said), n=len(cards), as_of=as_of, model_version=VERSION,
                      params={"left": left, "listed": len(cards)}),
        "planned_on": chosen and chosen["planned_on"],
        "cards": [
            {"item_kind": kind, "item_id": item_id, "reason": {"code": f"plan.{code}", "params": {},
             "text": REASONS[code]}, "is_reviewed": done}
            for code, kind, item_id, done in cards
        ],
    }  # fmt: skip


def _card(found: Mapping[str, Any], body: Mapping[str, Any], topics: list[str]) -> dict[str, object]:
    n = sum(row["n"] for row in found["gaps"])
    as_of = max((row["as_of"] for row in found["gaps"]), default=None)
    shared: dict[str, Any] = {"n": n, "as_of": as_of, "model_version": VERSION}
    due = body["days"][0]["due"] if body["days"] else 0
    if body["block"] is None:
        if not found["gaps"] and not found["due"] and found["planned"] is None:
            text = "Nothing to plan from yet: what to study next is here a few minutes after the first answers."
            return card_fields(CardState.FIRST_USE, ("plan.first_use", text), **shared)
        return card_fields(CardState.DONE, ("plan.done", "Nothing due today, and no gap is open."), **shared)
    first = body["block"]["reason"]["text"]
    count = f"{len(topics)} topic{'s' if len(topics) != 1 else ''}"
    # A plan's own list says how many cards; what is due by the calendar is another count and would stand beside it.
    reviews = f", {due} review{'s' if due != 1 else ''}" if due and found["planned"] is None else ""
    text = f"Today: {body['minutes']:.0f} min, {count}{reviews}. {first}"
    judged = any(row["state"] in {"weak", "open"} for row in found["gaps"])
    state = CardState.READY if judged or not found["gaps"] else CardState.TOO_LITTLE
    params: dict[str, Any] = {"minutes": body["minutes"], "topics": len(topics), "due": due, "surety": body["surety"]}
    return card_fields(state, ("plan.today", text), params=params, **shared)
