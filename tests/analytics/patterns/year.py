"""A simulated learner's year of answers, breaks and reading as a frame, with effects that are planted or not."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from osler.analytics.patterns.frame import Frame, KindsOfDay
from osler.analytics.patterns.model import Insight, weekly_run
from osler.science.after_reading import Reading, first_later_answers
from osler.science.breaks import Break

MONDAY = date(2026, 1, 5)
TOPICS, ITEMS, ANSWERS, MINUTES = 12, 10, 30, 3.0
KINDS = ("text", "video")
HOURS = (8.0, 14.0, 19.0)


@dataclass(frozen=True)
class Planted:
    """Effects in probability; all 0 is a learner without any. `pauses_when_bad` makes breaks follow wrong answers.

    `break_minutes` are the lengths of breaks that the learner takes, `sessions` how many of 30 answers a day.
    """

    morning: float = 0.0
    notes: float = 0.0
    rest: float = 0.0
    pauses_when_bad: bool = False
    break_minutes: tuple[int, ...] = (7, 14, 24)
    sessions: int = 1


def year_of_study(rng: np.random.Generator, planted: Planted, *, weeks: int = 52) -> Frame:
    """Sessions of 30 answers on three topics, in half of them a break; two materials are read after each.

    A session has a good or bad form that all its answers share, a topic an error of the forecast that stays.
    """
    count = weeks * 7 * planted.sessions
    n = count * ANSWERS
    session = np.repeat(np.arange(count), ANSWERS)
    on = MONDAY.toordinal() + np.arange(count) // planted.sessions
    hour = np.sort(np.array([rng.permutation(HOURS)[: planted.sessions] for _ in range(weeks * 7)]), axis=1).ravel()
    topic, item = _what(rng, count)
    readings = _readings(rng, topic, on)
    day = np.repeat(on, ANSWERS)
    topics = [(f"t{t}",) for t in topic.tolist()]
    items = [f"t{t}q{i}" for t, i in zip(topic.tolist(), item.tolist(), strict=True)]
    told = first_later_answers(readings, day.tolist(), items, topics)
    noted = np.array([place >= 0 and readings[place].noted for place in told.tolist()])
    p = rng.uniform(0.45, 0.85, n)
    logit = np.log(p / (1 - p)) + np.repeat(rng.normal(0, 0.25, count), ANSWERS) + rng.normal(0, 0.15, TOPICS)[topic]
    true = 1 / (1 + np.exp(-logit)) + planted.morning * np.repeat(hour == HOURS[0], ANSWERS) + planted.notes * noted
    luck = rng.random(n)
    place, length = _breaks(rng, count, luck < true, planted)
    true += planted.rest * _soon_after(place, n)
    minute = np.tile(np.arange(ANSWERS) * MINUTES, count) + _passed(place, length, n)
    started = (day * 86_400.0 + np.repeat(hour * 3600, ANSWERS)).astype(np.float64)
    at = started + minute * 60
    return Frame(
        day=day,
        at=at,
        started_at=started,
        hour=np.repeat(hour, ANSWERS),
        correct=(luck < np.clip(true, 0.02, 0.98)).astype(float),
        forecast=p,
        is_card=np.zeros(n, dtype=bool),
        session=session,
        seconds=np.full(n, 60.0),
        items=items,
        topics=topics,
        breaks=[
            Break(float(at[each]) - 60, minutes * 60.0, is_between=False)
            for each, minutes in zip(place.tolist(), length.tolist(), strict=True)
        ],
        readings=readings,
        kinds=[KindsOfDay(d, {"text": 1500.0, "video": 600.0}) for d in on.tolist()],
        takes_notes=True,
    )


def simulated_year(rng: np.random.Generator, planted: Planted) -> dict[str, Insight]:
    """Every insight that was shown in any of forty weekly runs, as it was shown last."""
    frame = year_of_study(rng, planted)
    state: dict[str, Insight] = {}
    shown: dict[str, Insight] = {}
    for week in range(13, 53):
        monday = MONDAY + timedelta(weeks=week)
        state = weekly_run(frame.candidates(monday, seed=1), state, monday)
        shown |= {name: insight for name, insight in state.items() if insight.shown}
    return shown


def _what(rng: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Three topics a session, in blocks or mixed, and their items."""
    topic = np.concatenate(
        [
            np.sort(mixed) if rng.random() < 0.5 else mixed
            for mixed in (rng.choice(rng.choice(TOPICS, 3, replace=False), ANSWERS) for _ in range(count))
        ]
    )
    return topic, rng.integers(ITEMS, size=topic.size)


def _readings(rng: np.random.Generator, topic: np.ndarray, on: np.ndarray) -> list[Reading]:
    """Two materials a session on its topics; four a topic, of which this learner takes notes on two."""
    made: list[Reading] = []
    for number, (day, own) in enumerate(zip(on.tolist(), topic.reshape(-1, ANSWERS), strict=True)):
        for order in (2 * number, 2 * number + 1):
            about, which = int(rng.choice(own)), int(rng.integers(4))
            kind = KINDS[which // 2]
            made.append(Reading(f"t{about}m{which}", day, float(order), kind, which % 2 == 0, (f"t{about}",)))
    return made


def _breaks(rng: np.random.Generator, count: int, right: np.ndarray, planted: Planted) -> tuple[np.ndarray, np.ndarray]:
    """One break at most in a session, between two of the answers 11 to 21: where, and how long in minutes.

    Who pauses when it goes badly stops more readily the fewer of the last five answers were right.
    """
    hazard = np.full((count, 11), 0.06)
    if planted.pauses_when_bad:
        total = right.reshape(count, ANSWERS).cumsum(axis=1)
        hazard = 0.3 / 3.0 ** (total[:, 9:20] - total[:, 4:15])
    stops = rng.random(hazard.shape) < hazard
    chosen = np.flatnonzero(stops.any(axis=1))
    return chosen * ANSWERS + 10 + stops[chosen].argmax(axis=1), rng.choice(planted.break_minutes, chosen.size)


def _soon_after(place: np.ndarray, n: int) -> np.ndarray:
    soon = np.zeros(n)
    for k in range(10):
        soon[place + k] = 1.0
    return soon


def _passed(place: np.ndarray, length: np.ndarray, n: int) -> np.ndarray:
    """Minutes that breaks have taken out of a session by each answer."""
    taken = np.zeros(n)
    taken[place] = length
    return taken.reshape(-1, ANSWERS).cumsum(axis=1).ravel()
