"""The reviews that a fit of memory sees: all of a whole log, and the same ones of a log that was cut."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

import msgspec
import numpy as np

from osler.analytics.retrieval.attempts import CARD, QUESTION, paced, review_of
from osler.analytics.retrieval.history import Start, history_of, start_of
from osler.analytics.retrieval.model import LearnerMemory, update
from osler.domain.events import LoggedEvent

FIRST = datetime.fromisoformat("2026-03-02T08:00:00+00:00")


def logged(number: int, kind: str, data: dict, is_correct: bool | None = None) -> LoggedEvent:
    at = FIRST + timedelta(hours=5 * number)
    return LoggedEvent(
        UUID(int=1), UUID(int=number + 1), at, kind, at, 0, at.date(), None, None, "ms", at, data,
        is_correct=is_correct,
    )  # fmt: skip


def study(n: int = 240) -> list[LoggedEvent]:
    """Cards and questions, crams and resets, answers of very different speed."""
    rng, events = np.random.default_rng(1), list[LoggedEvent]()
    for number in range(n):
        item = int(rng.integers(0, 12))
        if number % 29 == 28:
            events.append(logged(number, "flashcard_reset", {"card_id": f"c{item}"}))
        elif number % 3:
            data = {"card_id": f"c{item}", "rating": int(rng.integers(1, 5)), "affects_schedule": number % 7 > 0}
            events.append(logged(number, "flashcard_review", data))
        else:
            seconds = float(rng.choice([4.0, 30.0, 200.0]))
            data = {"question_id": f"q{item}", "time_to_answer_seconds": seconds}
            events.append(logged(number, "question_submit", data, bool(rng.random() < 0.6)))
    return events


def kept_after(events: list[LoggedEvent]) -> Start:
    """What a checkpoint of the fold would have kept, through JSON as it lies there."""
    learner, items = LearnerMemory(), {}
    for event in events:
        review = review_of(event, learner, {})
        learner = paced(learner, event)
        if review is not None:
            items[review.key] = update(items.get(review.key), review, 0.0).memory
    rows = [
        {
            "item_kind": key.kind, "item_id": key.item_id, "attempts": m.attempts,
            "last_at": m.last_at, "last_local_date": m.last_local_date,
            "last_rating": m.state and m.state.sbd.last + 1,
            "fsrs_stability": m.state and m.state.fsrs.stability,
            "fsrs_difficulty": m.state and m.state.fsrs.difficulty,
            "sbd_log_stability": m.state and m.state.sbd.log_s, "sbd_failures": m.state and m.state.sbd.fails,
        }
        for key, m in items.items()
    ]  # fmt: skip
    raw = msgspec.json.decode(msgspec.json.encode({"learner": learner, "items": rows}))
    return start_of(raw["learner"], raw["items"])


def test_a_log_that_was_cut_gives_the_reviews_of_the_whole_one_from_the_cut_on():
    events = study()
    whole = history_of(events, {})
    for cut in (1, 60, 150, 239):
        start = kept_after(events[:cut])
        left = history_of(events[cut:], {}, start)
        size = left.rating.size - len(start.items)
        for name in ("local_days", "days", "rating", "is_first", "next_day"):
            there = getattr(left, name)[len(start.items) :]
            np.testing.assert_array_equal(there, getattr(whole, name)[whole.rating.size - size :], err_msg=name)
        assert left.is_first[: len(start.items)].all()
        assert left.carried.fsrs[0].size == left.carried.sbd[1].size == len(start.items)


def test_the_pace_of_answers_before_the_cut_still_grades_those_after_it():
    """Slow and right is Hard only where the learner's median is known."""
    quick, slow = ({"question_id": "q1", "time_to_answer_seconds": seconds} for seconds in (20.0, 200.0))
    before = [logged(n, "question_submit", quick, True) for n in range(20)]
    after = [logged(30, "question_submit", slow, True)]
    assert history_of(after, {}, kept_after(before)).rating[-1] == 2
    assert history_of(after, {}).rating[-1] == 3


def test_a_card_reset_before_the_cut_begins_anew_and_one_reset_after_it_too():
    card = {"card_id": "c1", "rating": 3, "affects_schedule": True}
    before = [logged(0, "flashcard_review", card), logged(1, "flashcard_reset", {"card_id": "c1"})]
    after = [logged(9, "flashcard_review", card)]
    assert kept_after(before).items == []
    assert history_of(after, {}, kept_after(before)).is_first.tolist() == [True]
    again = [logged(8, "flashcard_reset", {"card_id": "c1"}), *after]
    assert history_of(again, {}, kept_after(before[:1])).is_first.tolist() == [True, True]


def test_a_question_and_a_card_of_one_id_are_two_items():
    events = [
        logged(0, "flashcard_review", {"card_id": "x", "rating": 3, "affects_schedule": True}),
        logged(1, "question_submit", {"question_id": "x"}, True),
    ]
    assert {item.item_kind for item in kept_after(events).items} == {CARD, QUESTION}
    assert history_of(events, {}).is_first.all()
