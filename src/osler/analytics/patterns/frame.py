"""What is known of one learner's answers, breaks, reading and sleep, and what a weekly look makes of it; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from osler.analytics.patterns import contrasts
from osler.analytics.patterns.contrasts import Answers, Later
from osler.analytics.patterns.model import WINDOW_DAYS
from osler.science import topic_weeks
from osler.science.after_reading import NOT_READ, Reading, first_later_answers
from osler.science.breaks import Break, Series, Splits, splits
from osler.science.insight import Candidate, Mask
from osler.science.insights_math import Floats

Ints = npt.NDArray[np.int64]
ACTIVE_GAP_SECONDS = 120.0
BREAK_SECONDS = 300.0


class KindsOfDay(NamedTuple):
    """A session's local day (as a count of days) and its active seconds by kind of work."""

    day: int
    seconds: Mapping[str, float]


@dataclass(frozen=True)
class Frame:
    """One learner's answers as columns in time order, with what lay around them.

    `day` counts days (`date.toordinal`), `at` and `started_at` (of the session) are seconds, `forecast` is NaN where
    none was stored. `slept` is reported sleep in minutes by day; `takes_notes` whether a note on a material is known.
    """

    day: Ints
    at: Floats
    started_at: Floats
    hour: Floats
    correct: Floats
    forecast: Floats
    is_card: Mask
    session: Ints
    seconds: Floats
    items: Sequence[str]
    topics: Sequence[tuple[str, ...]]
    breaks: Sequence[Break] = ()
    readings: Sequence[Reading] = ()
    kinds: Sequence[KindsOfDay] = ()
    slept: Mapping[int, float] = field(default_factory=dict[int, float])
    takes_notes: bool = False

    def candidates(self, week: date, *, seed: int) -> list[Candidate]:
        """What the weekly run of that Monday looks at: the 90 days before it."""
        first, end = (week - timedelta(days=WINDOW_DAYS)).toordinal(), week.toordinal()
        inside = (self.day >= first) & (self.day < end) & np.isfinite(self.forecast)
        forecast = self._level(inside)
        answers, days = self._answers(inside, forecast), self.day[inside]
        kinds = [one.seconds for one in self.kinds if first <= one.day < end]
        slept = np.array([self.slept.get(day, np.nan) for day in days.tolist()]) if self.slept else None
        later = self._later(inside, forecast)
        made = [
            contrasts.best_time_of_day(answers),
            contrasts.ideal_session_length(answers),
            contrasts.notes_and_retention(later, takes_notes=self.takes_notes),
            contrasts.unbroken_hour(answers),
            contrasts.sleep(answers, days, slept),
            contrasts.preferred_and_retained(later, kinds, seed=seed),
            contrasts.rest(self._splits(inside, forecast)),
        ]
        for name, (index, topic_week) in self._weeks.items():
            made.append(contrasts.index_and_retention(name, index[inside], topic_week[inside], answers))
        return made

    @property
    def first_topics(self) -> list[str | None]:
        """The first topic of each answer; None where its item has none."""
        return [topics[0] if topics else None for topics in self.topics]

    def _level(self, inside: Mask) -> Floats:
        """The forecasts, moved so that those inside hold on average, of questions and of cards each.

        Otherwise a model that is a little too sure of cards would make the hour at which cards are done look worse.
        """
        level = self.forecast.copy()
        for kind in (self.is_card, ~self.is_card):
            own = inside & kind
            if own.any():
                level[own] += (self.correct - self.forecast)[own].mean()
        return level

    def _answers(self, inside: Mask, forecast: Floats) -> Answers:
        return Answers(
            correct=self.correct[inside],
            forecast=forecast[inside],
            session=self.session[inside],
            hour=self.hour[inside],
            active_minutes=self._active_minutes[inside],
            unbroken_minutes=self._unbroken_minutes[inside],
        )

    @cached_property
    def _active_minutes(self) -> Floats:
        """Active minutes since the session's first answer, at each answer."""
        gap = np.diff(self.at, prepend=self.at[:1]).clip(min=0)
        begins = np.diff(self.session, prepend=-1) != 0
        active = np.where(begins, self.seconds, np.minimum(gap, np.maximum(ACTIVE_GAP_SECONDS, self.seconds)))
        return _running(active, begins) / 60

    @cached_property
    def _unbroken_minutes(self) -> Floats:
        """Minutes since the session's start, or since a break of 5 min or more in it, at each answer."""
        ends = np.array([-np.inf, *sorted(one.ended_at for one in self.breaks if one.seconds >= BREAK_SECONDS)])
        last = ends[np.searchsorted(ends, self.at, side="right") - 1]
        return (self.at - np.maximum(self.started_at, last)).clip(min=0) / 60

    def _later(self, inside: Mask, forecast: Floats) -> Later | None:
        """Of the answers inside, those that tell what was kept of something read; None where nothing was read."""
        if not self.readings:
            return None
        told = inside & (self._reading != NOT_READ)
        places: list[int] = self._reading[told].tolist()
        readings = [self.readings[place] for place in places]
        numbers = {name: n for n, name in enumerate(sorted({reading.material for reading in readings}))}
        return Later(
            correct=self.correct[told],
            forecast=forecast[told],
            material=np.array([numbers[reading.material] for reading in readings], dtype=np.int64),
            session=self.session[told],
            noted=np.array([reading.noted for reading in readings], dtype=np.bool_),
            kind=np.array([reading.kind for reading in readings], dtype=np.str_),
        )

    @cached_property
    def _reading(self) -> Ints:
        return first_later_answers(self.readings, self.day.tolist(), self.items, self.topics)

    def _splits(self, inside: Mask, forecast: Floats) -> Splits:
        series = Series(
            at=self.at[inside],
            started_at=self.started_at[inside],
            residual=(self.correct - forecast)[inside],
            correct=self.correct[inside],
            session=self.session[inside],
            day=self.day[inside],
        )
        return splits(series, self.breaks)

    @cached_property
    def _weeks(self) -> dict[str, tuple[Floats, Ints]]:
        """Spacing and interleaving of each answer's topic in the week before."""
        days, topics = self.day.tolist(), self.first_topics
        found: dict[str, Any] = {
            "spacing": topic_weeks.spacing(days, self.items, topics),
            "interleaving": topic_weeks.interleaving(days, self.session.tolist(), topics),
        }
        return {name: topic_weeks.index_of_week_before(index, days, topics) for name, index in found.items()}


def _running(values: Floats, restarts: npt.NDArray[np.bool_]) -> Floats:
    """Cumulative sums that begin anew where `restarts` says so."""
    total = np.cumsum(values)
    before = np.where(restarts, total - values, 0.0)
    return total - np.maximum.accumulate(before) if values.size else total
