"""Follows the log: moves ability, skills and reading with each event, and keeps the rows of what was touched."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import msgspec
import numpy as np

from osler.analytics.contract import Batch, Traced
from osler.analytics.mastery import states
from osler.analytics.mastery.evaluation import (
    ROW,
    Asked,
    evaluate,
    learner_as_of,
    mastery_many,
    needs_trend,
    window_start,
)  # fmt: skip
from osler.analytics.mastery.reading import Progress, material_of, progress_of_row, read_on
from osler.analytics.mastery.topics import TopicState, answered
from osler.analytics.retrieval.attempts import CARD
from osler.analytics.retrieval.folding import Folded, Judged, items_after
from osler.analytics.retrieval.items import epoch_seconds
from osler.analytics.retrieval.queries import OF_ASKED_TOPICS, by_topic
from osler.db.session import WriteSession
from osler.domain.events import LoggedEvent
from osler.forecasts.predictions import NEXT_ANSWER, Prediction
from osler.science import irt, next_answer
from osler.science.features import (
    NEW_LEARNER,
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
from osler.science.item_easiness import Encoding
from osler.science.logits import averaged_sigmoid

NAME = "mastery"
MODEL = "adf-2"


class LearnerState(msgspec.Struct, frozen=True):
    """What mastery keeps of a learner beside the topics. The offset puts a later instant on their wall clock."""

    history: LearnerHistory = NEW_LEARNER
    utc_offset_minutes: int = 0


@dataclass(frozen=True, slots=True)
class Evaluated:
    """The rows of topic_mastery that a fold has made, in the order of `evaluation.ROW`, by topic."""

    rows: dict[str, tuple[Any, ...]]

    def figures(self, topic_id: str, names: Sequence[str]) -> dict[str, Any] | None:
        """Some columns of a topic's row; None for a topic that was not touched."""
        row = self.rows.get(topic_id)
        return None if row is None else {name: row[ROW.index(name)] for name in names}


@dataclass(slots=True)
class Progressing:
    """The fold at work: what is known so far, what was touched, and the last state of each (topic, day).

    `groups` has the topic at the top of each, where an answer has several topics.
    """

    learner: LearnerHistory
    encoding: Encoding
    irt: irt.Parameters
    bias: float
    tau: float
    topics: dict[str, TopicState]
    materials: dict[str, Progress]
    touched: set[str] = field(default_factory=set[str])
    days: dict[tuple[str, date], TopicState] = field(default_factory=dict[tuple[str, date], TopicState])
    asked: list[tuple[LoggedEvent, next_answer.Asked]] = field(default_factory=lambda: [])
    predictions: list[Prediction] = field(default_factory=list[Prediction])
    groups: Mapping[str, str] = field(default_factory=dict[str, str])


async def fold(session: WriteSession, batch: Batch) -> None:
    """Fold the batch's answers and reading; evaluate each touched topic as of its last event."""
    folded = batch.shared(Folded) or Folded()
    if batch.is_fresh:
        await states.forget(session, batch.user_id)
    if batch.reached is None:
        return
    stored = batch.states.get(NAME)
    before = msgspec.convert(stored, LearnerState) if stored else LearnerState(opening(batch.parameters.irt))
    work = _known(batch, folded, before)
    if any(len(one.topic_ids) > 1 for one in folded.judged):
        work.groups = await states.groups(session, batch.catalogue)
    run(batch, folded, work)
    work.predictions += _forecast(batch, work)
    batch.states[NAME] = msgspec.to_builtins(LearnerState(work.learner, batch.reached.utc_offset_minutes))
    await _write(session, batch, folded, work)
    batch.predictions += work.predictions


def run(batch: Batch, folded: Folded, work: Progressing) -> None:
    """Fold the batch's events onto `work`, in order. Pure but for `work` itself."""
    judged = {one.event.event_id: one for one in folded.judged}
    for event in batch.events:
        one = judged.get(event.event_id)
        if one is not None:
            work.bias, work.tau = one.bias, one.tau
            (_answer if one.counts else _touch)(work, one, batch)
        elif (material := material_of(event)) is not None:
            _read(work, material, event, batch.topics_of("material", material))


def _touch(work: Progressing, one: Judged, _: Batch) -> None:
    """A review that says nothing new of its topics has still moved an item's memory: their rows are as of now."""
    for topic in one.topic_ids:
        work.topics[topic] = _touched(work, _topic(work, topic, one.event), one.event)
        work.touched.add(topic)


def _answer(work: Progressing, one: Judged, batch: Batch) -> None:
    event, topics = one.event, one.topic_ids
    at = epoch_seconds(event.effective_at)
    histories = [_topic(work, topic, event).history for topic in topics]
    is_card, mean = one.key.kind == CARD, work.encoding.mean
    prior = card_prior(work.learner, work.irt) if is_card else work.encoding.prior(one.key.item_id, topics)
    now = situation(work.learner, histories, prior, at, work.irt, is_card=is_card)
    item = ItemHistory(one.right_before, one.wrong_before)
    if not is_card and _is_looked_at(batch, event):
        values = features(now, work.learner, histories, item, prior=prior, mean=mean, names=topics)
        asked = next_answer.Asked(values, one.key.item_id, list(zip(topics, histories, strict=True)))
        work.asked.append((event, asked))
        if batch.traced is not None:
            batch.traced.append(Traced(asked, one.correct, event.event_ts))
    elif not batch.is_told(NEXT_ANSWER, event.event_id):
        work.predictions.append(_by_model_alone(batch, event, averaged_sigmoid(now.eta, now.variance)))
    answer = Answer(one.key.item_id, topics, one.correct, at, is_card)
    work.learner, after, _ = observe(now, work.learner, histories, item, mean=mean, answer=answer, parameters=work.irt)
    _keep(work, one, zip(topics, after, strict=True))


def _is_looked_at(batch: Batch, event: LoggedEvent) -> bool:
    """Whether the 24 features of an answer are wanted: to forecast it by a trained model, or to train one."""
    if batch.traced is not None:
        return True
    return batch.parameters.next_answer is not None and not batch.is_told(NEXT_ANSWER, event.event_id)


def _by_model_alone(batch: Batch, event: LoggedEvent, chance: float) -> Prediction:
    version = f"{MODEL}/{batch.parameters.version}"
    return Prediction(event.event_ts, str(event.event_id), NEXT_ANSWER, version, chance)


def _forecast(batch: Batch, work: Progressing) -> list[Prediction]:
    """The trained model's forecasts of the questions that were asked, each from before its answer."""
    served = batch.parameters.next_answer
    if served is None:
        return []
    version = f"{served.version}/{batch.parameters.version}"
    chances = next_answer.predict_each(served.model, [asked for _, asked in work.asked])
    return [
        Prediction(event.event_ts, str(event.event_id), NEXT_ANSWER, version, chance)
        for (event, _), chance in zip(work.asked, chances, strict=True)
    ]


def _keep(work: Progressing, one: Judged, after: Iterable[tuple[str, TopicHistory]]) -> None:
    event, general = one.event, learner_as_of(work.learner)
    option_count = one.option_count if one.key.kind == "question" else None
    seen = set[str]()
    for topic, history in after:
        group = work.groups.get(topic, topic)
        state = answered(
            work.topics[topic],
            history,
            general,
            one.bias,
            one.tau,
            correct=one.correct,
            option_count=option_count,
            at=event.effective_at,
            on=event.local_date,
            is_shared=group in seen,
        )
        seen.add(group)
        work.topics[topic] = work.days[topic, event.local_date] = state
        work.touched.add(topic)


def _read(work: Progressing, material: str, event: LoggedEvent, topics: tuple[str, ...]) -> None:
    before = work.materials.get(material)
    after = work.materials[material] = read_on(before, event)
    if after.completed_at is None or (before is not None and before.completed_at is not None):
        return
    for topic in topics:
        state = _touched(work, _topic(work, topic, event), event)
        work.topics[topic] = msgspec.structs.replace(state, materials_completed=state.materials_completed + 1)
        work.touched.add(topic)


def _touched(work: Progressing, state: TopicState, event: LoggedEvent) -> TopicState:
    return msgspec.structs.replace(
        state,
        learner=learner_as_of(work.learner),
        bias=work.bias,
        tau=work.tau,
        touched_at=event.effective_at,
        touched_on=event.local_date,
    )


def _topic(work: Progressing, topic: str, event: LoggedEvent) -> TopicState:
    """The topic's state, made where the learner meets it for the first time."""
    if topic not in work.topics:
        work.topics[topic] = TopicState(
            history=opening_topic(work.irt),
            learner=learner_as_of(work.learner),
            bias=work.bias,
            tau=work.tau,
            touched_at=event.effective_at,
            touched_on=event.local_date,
        )
    return work.topics[topic]


def _known(batch: Batch, folded: Folded, before: LearnerState) -> Progressing:
    """What is stored of the topics and materials that the batch may touch; nothing when the fold starts anew."""
    return Progressing(
        before.history,
        batch.parameters.encoding(batch.user_id),
        batch.parameters.irt,
        folded.bias_before,
        folded.tau_before,
        {row["topic_id"]: states.state_of(row) for row in batch.found(states.ASKED_TOPICS) or ()},
        {row["material_id"]: progress_of_row(row) for row in batch.found(states.ASKED_MATERIALS) or ()},
    )


async def _write(session: WriteSession, batch: Batch, folded: Folded, work: Progressing) -> None:
    user_id = batch.user_id
    read = [_material_row(batch, name, work) for name in _materials_read(batch, work)]
    batch.writes.append((states.MATERIALS, read))
    days = _day_rows(batch, work)
    touched = sorted(work.touched)
    if not touched:
        batch.writes.append((states.DAYS, days))
        return
    stored = by_topic(batch.found(OF_ASKED_TOPICS) or (), folded.learner.parameters)
    items = items_after(stored, folded, work.touched)
    totals = await states.materials_by_topic(session, touched, batch.catalogue)
    trending = [
        (user_id, topic, window_start(work.topics[topic].touched_on))
        for topic in touched
        if needs_trend(items.get(topic, ()), work.topics[topic].touched_on)
    ]
    if trending and min((day for _, day in work.days), default=date.max) < max(start for *_, start in trending):
        await states.DAYS.write(session, days)  # a trend starts from a day of this batch
    else:
        batch.writes.append((states.DAYS, days))
    levels = await states.levels_before(session, trending)
    asked = [
        Asked(
            user_id=user_id,
            topic_id=topic,
            state=work.topics[topic],
            as_of=work.topics[topic].touched_at,
            on=work.topics[topic].touched_on,
            items=items.get(topic, ()),
            materials_total=totals.get(topic, 0),
            desired_retention=batch.settings.desired_retention,
            level_before=levels.get((user_id, topic)),
        )
        for topic in touched
    ]
    rows = evaluate(asked, batch.parameters)
    batch.writes.append((states.TOPICS, rows))
    batch.share(Evaluated(dict(zip(touched, rows, strict=True))))


def _materials_read(batch: Batch, work: Progressing) -> list[str]:
    named = {material for event in batch.events if (material := material_of(event)) is not None}
    return sorted(named & work.materials.keys())


def _material_row(batch: Batch, name: str, work: Progressing) -> tuple[Any, ...]:
    p = work.materials[name]
    return batch.user_id, name, p.progress, p.active_seconds, p.first_at, p.last_at, p.completed_at


def _day_rows(batch: Batch, work: Progressing) -> list[tuple[Any, ...]]:
    """Mastery after the last answer of each (topic, day): a year of a learner has thousands, so all at once."""
    touched = sorted(work.days)
    if not touched:
        return []
    kept = [work.days[place] for place in touched]
    level = np.array([state.learner.ability.mean + state.history.skill.mean for state in kept])
    variance = np.array([state.learner.ability.variance + state.history.skill.variance for state in kept])
    easiness = np.array([batch.parameters.of_topic(topic) for topic, _ in touched])
    value, low, high = mastery_many(easiness + level, variance, np.array([state.option_count for state in kept]))
    counts = [state.history.right + state.history.wrong for state in kept]
    return [
        (batch.user_id, topic, day, *numbers)
        for (topic, day), *numbers in zip(
            touched, counts, value.tolist(), low.tolist(), high.tolist(), level.tolist(), variance.tolist(), strict=True
        )
    ]
