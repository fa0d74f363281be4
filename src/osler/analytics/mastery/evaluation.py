"""What a topic's row says as of an instant: accuracy, retrieval strength, score, mastery, trend. Pure.

The live fold asks for the few topics of an answer, the nightly job for all topics of many learners: one function.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from math import isnan
from typing import Any
from uuid import UUID

import numpy as np

from osler.analytics.contract import ItemKey
from osler.analytics.mastery.model import AttemptTotals, Mastery, mastery_score, predict, totals_of_history
from osler.analytics.mastery.topics import TopicState, closed_memory_days
from osler.analytics.retrieval.items import Floats, Ints, columns, epoch_seconds, recall_of
from osler.analytics.retrieval.model import ItemMemory, elapsed_days, is_suspended, sm2_next
from osler.forecasts.parameters import Parameters
from osler.science import fsrs, fsrs_many
from osler.science.features import LearnerHistory
from osler.science.guessing import guess_floor
from osler.science.irt import widened_ability
from osler.science.item_easiness import Encoding
from osler.science.logits import PROBIT, Z90
from osler.science.logits_many import sigmoid_many
from osler.science.skill_trend import MIN_ATTEMPTS, WINDOW_DAYS, Trend, trend
from osler.science.topic_strength import Strengths, topic_strengths

FIRST_DAY_BACK = int(WINDOW_DAYS) - 1
KeyedItems = Sequence[tuple[ItemKey, ItemMemory]]

ROW = (
    "user_id", "topic_id", "as_of", "attempts_shared", "attempts", "correct", "first_attempts", "first_correct",
    "questions_attempted", "questions_correct", "materials_completed", "materials_total", "items_seen",
    "items_remembered", "first_attempt_accuracy", "overall_accuracy", "retrieval_strength", "retrieval_low",
    "retrieval_high", "material_completion", "mastery_score", "mastery_score_low", "mastery_score_high",
    "components_present", "mastery", "mastery_low", "mastery_high", "status", "trend", "skill_mean",
    "skill_variance", "ability_mean", "ability_variance", "recall_bias", "recent_mean", "last_index",
    "option_count", "guess_rate", "memory_days", "day_right", "day_wrong", "last_at", "last_local_date",
    "touched_at", "touched_local_date", "next_review_on", "sm2_interval_days", "sm2_next_review_at",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Asked:
    """A topic of a learner, to be evaluated as of an instant that falls on the local day `on`.

    `level_before` is (mean, variance) of ability plus skill at the start of the trend's window, None for the prior.
    """

    user_id: UUID
    topic_id: str
    state: TopicState
    as_of: datetime
    on: date
    items: KeyedItems
    materials_total: int
    desired_retention: float
    level_before: tuple[float, float] | None = None


def evaluate(asked: Sequence[Asked], parameters: Parameters) -> list[tuple[Any, ...]]:
    """The rows of topic_mastery, in the order of `ROW`."""
    if not asked:
        return []
    strengths, remembered = _strengths(asked)
    return [_row(one, strengths, int(remembered[index]), index, parameters) for index, one in enumerate(asked)]


def needs_trend(items: KeyedItems, on: date) -> bool:
    """Whether enough items were first met in the trend's window for a trend to be asked for."""
    return len(_in_window(items, on)) >= MIN_ATTEMPTS


def window_start(on: date) -> date:
    """The first local day of the trend's window that ends on a day."""
    return on - timedelta(days=FIRST_DAY_BACK)


def mastery_of(state: TopicState, topic_id: str, as_of: datetime, parameters: Parameters) -> Mastery:
    """Mastery of a topic under the learner's state that the topic holds."""
    return predict(
        state.learner,
        state.history,
        median_easiness=parameters.of_topic(topic_id),
        options=state.option_count if state.option_count > 1 else 0,
        at=epoch_seconds(as_of),
        parameters=parameters.irt,
    )


def mastery_many(eta: Floats, variance: Floats, options: Ints) -> tuple[Floats, Floats, Floats]:
    """(value, low, high) of many masteries: `model.predict` with the same values. Shapes: (n,) arrays."""
    floor = np.where(options > 1, 1.0 / np.maximum(options, 1), 0.0)
    half = Z90 * np.sqrt(variance)
    scale = np.sqrt(1.0 + PROBIT * variance)
    value, low, high = (
        np.clip((sigmoid_many(level / scale) - floor) / (1.0 - floor), 0.0, 1.0)
        for level in (eta, eta - half, eta + half)
    )
    return value, np.minimum(low, value), np.maximum(high, value)


def _strengths(asked: Sequence[Asked]) -> tuple[Strengths, Ints]:
    """Retrieval strength by topic, and how many of its items have a memory of their own.

    An item without one counts with the topic's memory, whose curve is FSRS-6's with the topic's own stability.
    """
    topic = np.repeat(np.arange(len(asked)), [len(one.items) for one in asked])
    items = columns([(key.kind, memory) for one in asked for key, memory in one.items])
    at_s = np.array([epoch_seconds(one.as_of) for one in asked])
    day = np.array([one.on.toordinal() for one in asked], dtype=np.int64)
    bias = np.array([one.state.bias for one in asked])
    recall = recall_of(items, at_s[topic], day[topic], bias[topic])
    days = np.array([elapsed_days(one.state.last_at, one.as_of) for one in asked])
    kept = np.array([closed_memory_days(one.state) for one in asked])
    answered = np.array([one.state.last_at is not None for one in asked], dtype=bool)
    memory = np.where(answered, fsrs_many.retrievability_many(kept, days), np.nan)
    each = np.where(items.remembered, recall, memory[topic])
    remembered = np.bincount(topic, items.remembered, minlength=len(asked))
    tau = np.array([one.state.tau for one in asked])
    return topic_strengths(each, topic, len(asked), tau=tau), remembered.astype(np.int64)


def _row(one: Asked, strengths: Strengths, remembered: int, index: int, parameters: Parameters) -> tuple[Any, ...]:
    state, history = one.state, one.state.history
    totals = totals_of_history(history)
    retrieval = float(strengths.value[index])
    known = not isnan(retrieval)
    completion = state.materials_completed / one.materials_total if one.materials_total else None
    score = mastery_score(
        totals,
        retrieval_strength=retrieval if known else None,
        retrieval_variance=float(strengths.variance[index]) if known else 0.0,
        material_completion=None if completion is None else min(completion, 1.0),
    )
    mastery = mastery_of(state, one.topic_id, one.as_of, parameters)
    ability = widened_ability(
        state.learner.ability, max(0.0, epoch_seconds(one.as_of) - (state.learner.at or 0.0)) / 86_400.0, parameters.irt
    )
    sm2_days, sm2_at = _next_by_sm2(one.items)
    return (
        one.user_id, one.topic_id, one.as_of, state.shared, *_counts(totals), state.questions_attempted,
        state.questions_correct, state.materials_completed, one.materials_total, int(strengths.n[index]), remembered,
        score.components.get("first_attempt_accuracy"), score.components.get("overall_accuracy"),
        retrieval if known else None, float(strengths.low[index]) if known else None,
        float(strengths.high[index]) if known else None, score.components.get("material_completion"),
        score.value, score.low, score.high, list(score.components_present),
        *_shown(mastery), _trend_label(one, parameters), history.skill.mean, history.skill.variance,
        ability.mean, ability.variance, state.bias, history.recent, history.last_index, state.option_count,
        guess_floor(state.option_count) if state.option_count > 1 else 0.0,
        state.memory_days, state.day_right, state.day_wrong, state.last_at, state.last_on, state.touched_at,
        state.touched_on, _next_review(one), sm2_days, sm2_at,
    )  # fmt: skip


def _counts(totals: AttemptTotals) -> tuple[int, int, int, int]:
    return totals.total, totals.correct, totals.first_attempt_total, totals.first_attempt_correct


def _shown(mastery: Mastery) -> tuple[float | None, float | None, float | None, str]:
    """Mastery with its interval and status; nothing is said of a topic without an answer."""
    if mastery.n == 0:
        return None, None, None, "not_available"
    return mastery.value, min(mastery.low, mastery.value), max(mastery.high, mastery.value), mastery.status


def _in_window(items: KeyedItems, on: date) -> list[tuple[ItemKey, ItemMemory]]:
    start = window_start(on)
    return [
        (key, memory)
        for key, memory in items
        if memory.first_correct is not None and start <= memory.first_local_date <= on
    ]


def trend_of(
    items: KeyedItems,
    topic_id: str,
    on: date,
    level_before: tuple[float, float] | None,
    *,
    parameters: Parameters,
    user_id: UUID,
) -> Trend:
    """The trend of a topic's first attempts over the 28 local days that end on a day."""
    firsts = [
        (key.kind, key.item_id, memory.first_local_date.toordinal(), bool(memory.first_correct))
        for key, memory in _in_window(items, on)
    ]
    return trend_of_firsts(firsts, topic_id, level_before, parameters, parameters.encoding(user_id))


def trend_of_firsts(
    firsts: Sequence[tuple[str, str, int, bool]],
    topic_id: str,
    level_before: tuple[float, float] | None,
    parameters: Parameters,
    encoding: Encoding,
) -> Trend:
    """The same from the first attempts alone: kind, item, ordinal of the local day, whether right.

    `encoding` is the learner's (`Parameters.encoding`).
    """
    mean, variance = level_before or (0.0, parameters.irt.ability_variance + parameters.irt.skill_variance)
    return trend(
        [parameters.prior(kind, item, (topic_id,), encoding).easiness for kind, item, _, _ in firsts],
        [day for _, _, day, _ in firsts],
        [correct for *_, correct in firsts],
        prior_mean=mean,
        prior_variance=variance,
    )


def _trend_label(one: Asked, parameters: Parameters) -> str:
    if not needs_trend(one.items, one.on):
        return "insufficient_data"
    found = trend_of(one.items, one.topic_id, one.on, one.level_before, parameters=parameters, user_id=one.user_id)
    return found.label


def _next_review(one: Asked) -> date | None:
    """Earliest due day of an item; where no item has a memory of its own, the day that the topic's memory calls.

    None where all there is are suspended cards.
    """
    due = [memory.due_on for _, memory in one.items if memory.due_on is not None]
    if due:
        return min(due)
    if one.state.last_on is None or _are_suspended(one.items):
        return None
    wait = fsrs.interval(closed_memory_days(one.state), one.desired_retention, cap_days=365)
    return one.state.last_on + timedelta(days=wait)


def _are_suspended(items: KeyedItems) -> bool:
    """Whether all that is remembered are suspended cards; one that was set back, or only crammed, calls for nothing."""
    remembered = [(key.kind, memory) for key, memory in items if key.kind != "card" or memory.state]
    return bool(remembered) and all(is_suspended(kind, memory) for kind, memory in remembered)


def _next_by_sm2(items: KeyedItems) -> tuple[int, datetime | None]:
    pending = [
        (at, memory.sm2_interval_days) for key, memory in items if (at := sm2_next(key.kind, memory)) is not None
    ]
    if not pending:
        return 0, None
    at, days = min(pending)
    return days, at.astimezone(UTC)


def learner_as_of(learner: LearnerHistory) -> LearnerHistory:
    """The part of a learner's history that mastery of a topic rests on: ability and when it was seen."""
    return LearnerHistory(ability=learner.ability, at=learner.at)
