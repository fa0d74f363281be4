"""A learner's whole answering history as one frozen value, and the fold that makes it answer by answer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from osler.science.features import (
    NEW_ITEM,
    Answer,
    ItemHistory,
    LearnerHistory,
    TopicHistory,
    card_prior,
    features,
    observe,
    opening,
    opening_topic,
    situation,
)  # fmt: skip
from osler.science.irt import DEFAULTS, Parameters
from osler.science.item_easiness import Encoding


class Trace(Protocol):
    """What receives the features of each answer: a list for a backtest, a queue of one for serving."""

    def append(self, features: list[float], /) -> None:
        """Take the 24 features of one answer."""
        ...


@dataclass(frozen=True, slots=True)
class Histories:
    """The learner in general, by topic, and by item. Not to be changed in place; `fold` returns a new one."""

    learner: LearnerHistory = field(default_factory=LearnerHistory)
    topics: Mapping[Any, TopicHistory] = field(default_factory=dict[Any, TopicHistory])
    items: Mapping[Any, ItemHistory] = field(default_factory=dict[Any, ItemHistory])


def initial(parameters: Parameters = DEFAULTS) -> Histories:
    """The learner who has not answered anything."""
    return Histories(opening(parameters))


def read(state: Histories, item: Any, topics: tuple[Any, ...], encoding: Encoding, *, at: float | None = None,
         is_card: bool = False, parameters: Parameters = DEFAULTS) -> list[float]:  # fmt: skip
    """The 24 features of a possible next answer."""
    fresh = opening_topic(parameters)
    mine = [state.topics.get(topic, fresh) for topic in topics]
    prior = card_prior(state.learner, parameters) if is_card else encoding.prior(item, topics)
    now = situation(state.learner, mine, prior, at, parameters, is_card=is_card)
    return features(
        now, state.learner, mine, state.items.get(item, NEW_ITEM), prior=prior, mean=encoding.mean, names=topics
    )


def update(state: Histories, answer: Answer, encoding: Encoding, parameters: Parameters = DEFAULTS) -> Histories:
    """The histories after one more answer."""
    return fold(state, (answer,), encoding, parameters)


def fold(
    state: Histories, answers: Iterable[Answer], encoding: Encoding, parameters: Parameters = DEFAULTS,
    trace: Trace | None = None,
) -> Histories:  # fmt: skip
    """The histories after many answers in the order of their time, copied once instead of once an answer.

    `trace`, if given, receives the 24 features of each answer from just before it: the backtest's rows.
    """
    learner, topics, items = state.learner, dict(state.topics), dict(state.items)
    fresh, mean, priors = opening_topic(parameters), encoding.mean, encoding.items
    for answer in answers:
        names = answer.topics
        mine = [topics.get(name, fresh) for name in names]
        item = items.get(answer.item, NEW_ITEM)
        if answer.is_card:
            prior = card_prior(learner, parameters)
        else:
            prior = priors.get(answer.item) or encoding.prior(answer.item, names)
        now = situation(learner, mine, prior, answer.at, parameters, is_card=answer.is_card)
        if trace is not None:
            trace.append(features(now, learner, mine, item, prior=prior, mean=mean, names=names))
        learner, mine, items[answer.item] = observe(
            now, learner, mine, item, mean=mean, answer=answer, parameters=parameters
        )
        if len(names) == 1:  # nearly all items, and a third of a microsecond
            topics[names[0]] = mine[0]
        else:
            topics.update(zip(names, mine, strict=True))
    return Histories(learner, topics, items)
