"""What the fold keeps of one topic between answers. Pure."""

from __future__ import annotations

from datetime import date, datetime

import msgspec

from osler.science.features import LearnerHistory, TopicHistory
from osler.science.topic_memory import START_DAYS, TopicMemory, span_at_close
from osler.science.topic_strength import START_TAU


class TopicState(msgspec.Struct, frozen=True, gc=False):
    """A topic as the fold knows it after its last event.

    `touched_at` and `touched_on` are of the last event that touched the topic; `learner`, `bias` and `tau` are the
    learner's general state as of the row. `day_right` and `day_wrong` are of the last local day with answers, which
    has not moved `memory_days` yet. `option_count` is that of the last question, 0 where there were only cards.
    `shared` are the answers that count under an earlier topic of the same group as well.
    """

    history: TopicHistory
    learner: LearnerHistory
    bias: float
    touched_at: datetime
    touched_on: date
    questions_attempted: int = 0
    questions_correct: int = 0
    materials_completed: int = 0
    memory_days: float = START_DAYS
    day_right: int = 0
    day_wrong: int = 0
    last_at: datetime | None = None
    last_on: date | None = None
    option_count: int = 0
    shared: int = 0
    tau: float = START_TAU


def answered(
    before: TopicState,
    history: TopicHistory,
    learner: LearnerHistory,
    bias: float,
    tau: float,
    *,
    correct: bool,
    option_count: int | None,
    at: datetime,
    on: date,
    is_shared: bool = False,
) -> TopicState:
    """The topic after one answer whose `history` is already folded. `option_count` is None for a card.

    `is_shared` says that an earlier topic of the same group counts the answer as well.
    """
    is_new_day = before.last_on is not None and on > before.last_on
    is_question = option_count is not None
    return TopicState(
        history=history,
        learner=learner,
        bias=bias,
        touched_at=at,
        touched_on=on,
        questions_attempted=before.questions_attempted + is_question,
        questions_correct=before.questions_correct + (is_question and correct),
        materials_completed=before.materials_completed,
        memory_days=closed_memory_days(before) if is_new_day else before.memory_days,
        day_right=correct + (0 if is_new_day else before.day_right),
        day_wrong=(not correct) + (0 if is_new_day else before.day_wrong),
        last_at=at if before.last_at is None else max(before.last_at, at),
        last_on=on if before.last_on is None else max(before.last_on, on),
        option_count=before.option_count if option_count is None else option_count,
        shared=before.shared + is_shared,
        tau=tau,
    )


def closed_memory_days(state: TopicState) -> float:
    """Stability of the topic's memory, in days, with its last day counted (`osler.science.topic_memory`)."""
    return span_at_close(TopicMemory(state.memory_days, None, state.day_right, state.day_wrong))
