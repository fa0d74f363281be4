"""What is known about a learner just before an answer? 24 features, kept up to date in O(topics) an answer.

The same frozen states are folded live and in the backtest. `features` looks only at states from before the answer;
`observe` then returns the states after it. Sources of the features: PFA, Pavlik et al. 2009; Best-LR, Gervet et al.
2020; the ability and skill terms are those of `osler.science.irt`.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import log1p, sqrt
from typing import Any

import msgspec

from osler.science.irt import (
    DEFAULTS,
    AbilityState,
    Parameters,
    SkillState,
    combine,
    gains,
    moved_ability,
    moved_skill,
    widened_ability,
    widened_skill,
)  # fmt: skip
from osler.science.item_easiness import ItemPrior
from osler.science.logits import PROBIT, logit

NAMES = (
    "item_easiness", "topic_easiness", "log_item_answers", "ability_mean", "skill_mean", "ability_variance",
    "skill_variance", "forecast_logit", "log_right", "log_wrong", "log_topic_right", "log_topic_wrong",
    "log_item_right", "log_item_wrong", "recent_fast", "recent_slow", "topic_recent", "share_right",
    "topic_share_right", "topic_never_seen", "run", "log_since_topic", "same_topics", "several_topics",
)  # fmt: skip

FAST, SLOW, TOPIC = 0.2, 0.05, 0.3
NEVER_SEEN = 200
LONGEST_RUN = 8
CARDS_AT_MOST = 0.98
SECONDS_PER_DAY = 86_400.0


class Answer(msgspec.Struct, frozen=True, gc=False):
    """One submitted answer: item, topics, whether right, and when (epoch seconds; None where only order is known).

    `is_card`: the review of a card, which says something of its topics and nothing of the learner in general.
    """

    item: Any
    topics: tuple[Any, ...]
    correct: bool
    at: float | None = None
    is_card: bool = False


class LearnerHistory(msgspec.Struct, frozen=True, gc=False):
    """What a learner's answers so far say in general. Moving means are kept as distance from the population mean.

    Reviews of cards move `cards` alone, the distance of their moving mean from `Parameters.card_mean`.
    """

    ability: AbilityState = AbilityState()
    right: int = 0
    wrong: int = 0
    recent_fast: float = 0.0
    recent_slow: float = 0.0
    run: int = 0
    last_topics: tuple[Any, ...] = ()
    at: float | None = None
    cards: float = 0.0


class TopicHistory(msgspec.Struct, frozen=True, gc=False):
    """What a learner's answers so far say on one topic; `last_index` counts the learner's answers up to the latest."""

    skill: SkillState = SkillState()
    right: int = 0
    wrong: int = 0
    first_right: int = 0
    first_wrong: int = 0
    recent: float = 0.0
    last_index: int = 0
    at: float | None = None


class ItemHistory(msgspec.Struct, frozen=True, gc=False):
    """How often the learner got one item right and wrong so far."""

    right: int = 0
    wrong: int = 0


_NO_LEVEL = AbilityState(0.0, 0.0)
NEW_LEARNER, NEW_TOPIC, NEW_ITEM = LearnerHistory(), TopicHistory(), ItemHistory()


def opening(parameters: Parameters) -> LearnerHistory:
    """The history of a learner who has not answered anything."""
    return LearnerHistory(ability=AbilityState(0.0, parameters.ability_variance))


def opening_topic(parameters: Parameters, prior_mean: float = 0.0) -> TopicHistory:
    """The history of an unseen topic; `prior_mean` comes from its parent or its prerequisites where those are known."""
    return TopicHistory(skill=SkillState(prior_mean, parameters.skill_variance))


def elapsed_days(before: float | None, now: float | None) -> float:
    """Days between two instants, 0 where one is unknown or the clock went back."""
    return 0.0 if before is None or now is None else max(0.0, (now - before) / SECONDS_PER_DAY)


def card_prior(learner: LearnerHistory, parameters: Parameters = DEFAULTS) -> ItemPrior:
    """What is to be expected of a learner's next card, in logits: how their cards went lately.

    How many are passed is a matter of how soon they come back. Against this, a topic whose cards do better or worse
    than the learner's others stands out, and no schedule passes for ability (docs/decisions/0046).
    """
    passed = min(max(parameters.card_mean + learner.cards, 1.0 - CARDS_AT_MOST), CARDS_AT_MOST)
    easiness = logit(passed)
    return ItemPrior(easiness, easiness)


class Situation(msgspec.Struct, frozen=True, gc=False):
    """Ability and skills as of the moment of an answer, with the logits and variance of that answer."""

    ability: AbilityState
    skills: list[SkillState]
    eta: float
    variance: float


def situation(
    learner: LearnerHistory,
    topics: Sequence[TopicHistory],
    prior: ItemPrior,
    at: float | None = None,
    parameters: Parameters = DEFAULTS,
    *,
    is_card: bool = False,
) -> Situation:
    """Where the learner stands at `at`, before the answer: less sure than after the last one, never better.

    The general level has no part in a card: its `card_prior` is the learner's own already.
    """
    ability = learner.ability
    if at is None or learner.at is None:
        skills = [topic.skill for topic in topics]
    else:
        ability = widened_ability(ability, (at - learner.at) / SECONDS_PER_DAY, parameters)
        skills = [widened_skill(topic.skill, elapsed_days(topic.at, at), parameters) for topic in topics]
    eta, variance = combine(prior.easiness, _NO_LEVEL if is_card else ability, skills)
    return Situation(ability, skills, eta, variance)


def features(
    now: Situation,
    learner: LearnerHistory,
    topics: Sequence[TopicHistory],
    item: ItemHistory,
    *,
    prior: ItemPrior,
    mean: float,
    names: tuple[Any, ...],
) -> list[float]:
    """The 24 features of `NAMES`, from before the answer. `mean` is the population's share right.

    `topics` are the histories of the item's topics, in the order of their `names`. Topic values are means over them;
    an item without topics looks like one on an unseen topic.
    """
    ability, eta, right, wrong = now.ability, now.eta, learner.right, learner.wrong
    answered = right + wrong
    topical = _of_topic(topics[0], answered, mean) if len(topics) == 1 else _over_topics(topics, answered, mean)
    return [
        prior.easiness, prior.topic_easiness, prior.log_answers,
        ability.mean, eta - prior.easiness - ability.mean, ability.variance, now.variance - ability.variance,
        eta / sqrt(1.0 + PROBIT * now.variance),
        log1p(right), log1p(wrong), topical[0], topical[1], log1p(item.right), log1p(item.wrong),
        learner.recent_fast, learner.recent_slow, topical[2],
        (right + 5.0 * mean) / (answered + 5.0) - mean, topical[3], topical[4],
        float(learner.run), topical[5],
        1.0 if names and names == learner.last_topics else 0.0, 1.0 if len(topics) > 1 else 0.0,
    ]  # fmt: skip


def _of_topic(topic: TopicHistory, answered: int, mean: float) -> tuple[float, ...]:
    right, wrong = topic.right, topic.wrong
    seen = right + wrong
    return (
        log1p(right), log1p(wrong), topic.recent,
        (right + 3.0 * mean) / (seen + 3.0) - mean, 0.0 if seen else 1.0,
        log1p(answered - topic.last_index if seen else NEVER_SEEN),
    )  # fmt: skip


def _over_topics(topics: Sequence[TopicHistory], answered: int, mean: float) -> tuple[float, ...]:
    rows = [_of_topic(topic, answered, mean) for topic in topics or (NEW_TOPIC,)]
    return tuple(sum(column) / len(rows) for column in zip(*rows, strict=True))


def observe(
    now: Situation,
    learner: LearnerHistory,
    topics: Sequence[TopicHistory],
    item: ItemHistory,
    *,
    mean: float,
    answer: Answer,
    parameters: Parameters = DEFAULTS,
) -> tuple[LearnerHistory, list[TopicHistory], ItemHistory]:
    """The three histories after one answer; `topics` in the order of `answer.topics`.

    A repeat of an item moves ability and skill with `parameters.repeat_weight`, and is no first attempt. A card moves
    the skills with `parameters.card_weight` on top, and the ability not at all.
    """
    correct, share = answer.correct, parameters.card_weight if answer.is_card else 1.0
    at = later(learner.at, answer.at)
    right, wrong = (1, 0) if correct else (0, 1)
    is_first = not (item.right or item.wrong)
    first_right, first_wrong = (right, wrong) if is_first else (0, 0)
    weight = share if is_first else share * parameters.repeat_weight
    _, gradient, curvature = gains(now.eta, now.variance, correct, weight)
    surprise, run = right - mean, learner.run
    index, count = learner.right + learner.wrong + (0 if answer.is_card else 1), len(topics)
    drift = share * parameters.skill_drift
    after = [
        TopicHistory(
            moved_skill(skill, count, gradient, curvature, drift),
            topic.right + right,
            topic.wrong + wrong,
            topic.first_right + first_right,
            topic.first_wrong + first_wrong,
            topic.recent + TOPIC * (surprise - topic.recent),
            index,
            at,
        )
        for topic, skill in zip(topics, now.skills, strict=True)
    ]
    met = ItemHistory(item.right + right, item.wrong + wrong)
    if answer.is_card:
        return _after_card(now, learner, answer, at, parameters), after, met
    general = LearnerHistory(
        moved_ability(now.ability, gradient, curvature, parameters),
        learner.right + right,
        learner.wrong + wrong,
        learner.recent_fast + FAST * (surprise - learner.recent_fast),
        learner.recent_slow + SLOW * (surprise - learner.recent_slow),
        min(LONGEST_RUN, run + 1 if run > 0 else 1) if correct else max(-LONGEST_RUN, run - 1 if run < 0 else -1),
        answer.topics,
        at,
        learner.cards,
    )
    return general, after, met


def _after_card(
    now: Situation, learner: LearnerHistory, answer: Answer, at: float | None, parameters: Parameters
) -> LearnerHistory:
    surprise = float(answer.correct) - parameters.card_mean
    cards = learner.cards + SLOW * (surprise - learner.cards)
    return msgspec.structs.replace(learner, ability=now.ability, cards=cards, at=at)


def later(before: float | None, now: float | None) -> float | None:
    """The later of two instants, so that a clock that was set back cannot make time count twice."""
    if before is None or now is None:
        return before if now is None else now
    return max(before, now)
