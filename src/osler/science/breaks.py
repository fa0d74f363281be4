"""Are answers better after a break? Ten answers after and ten before it, and the same where no break was taken.

Source: this project's definition (docs/analytics/patterns.md); the control is for regression to the mean (Galton 1886).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from osler.science.insights_math import Floats

AROUND = 10
"""Answers on each side."""
NO_BREAK = "none"
INSIDE_MINUTES = ((5, 10), (10, 20), (20, 30))
BETWEEN_MINUTES = (30, 120)
BREAK_KINDS = (*(f"{low}-{high}" for low, high in INSIDE_MINUTES), "{}-{}".format(*BETWEEN_MINUTES))


@dataclass(frozen=True, slots=True)
class Break:
    """A break inside a session or between two; `ended_at` in seconds, on the clock that the answers are on."""

    ended_at: float
    seconds: float
    is_between: bool

    @property
    def kind(self) -> str | None:
        """Its length as one of `BREAK_KINDS`; None for a length that is not looked at where it lay.

        >>> Break(0.0, 540.0, is_between=False).kind, Break(0.0, 540.0, is_between=True).kind
        ('5-10', None)
        """
        minutes = self.seconds / 60
        bins = (BETWEEN_MINUTES,) if self.is_between else INSIDE_MINUTES
        return next((f"{low}-{high}" for low, high in bins if low <= minutes < high), None)


@dataclass(frozen=True, slots=True)
class Splits:
    """Places between two answers, with ten answers on each side; (n,) arrays.

    `before` and `after` are mean residuals of the ten answers, `right` the share right of the ten after. `kind` is one
    of `BREAK_KINDS` or "none", `minute` the session minute of the last answer before, `session` numbers the session
    of the first answer after.
    """

    before: Floats
    after: Floats
    right: Floats
    kind: npt.NDArray[np.str_]
    minute: Floats
    session: npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Series:
    """A learner's answers in time order; (n,) arrays, `at` and `started_at` (of the session) in seconds."""

    at: Floats
    started_at: Floats
    residual: Floats
    correct: Floats
    session: npt.NDArray[np.int64]
    day: npt.NDArray[np.int64]


def splits(series: Series, breaks: Sequence[Break]) -> Splits:
    """Every place with a break of a known length, or with none, and no break among the ten answers before it.

    The ten before lie in one session, the ten after too: the same one, or after a break between two sessions the
    next of the same local day. Later breaks are not asked for: who goes on well does not pause, so places that are
    chosen by what came after would look better than they were.
    """
    n = series.at.size
    kind = _kinds(series.at, breaks)
    places = np.arange(AROUND, max(AROUND, n - AROUND + 1))
    first, last = places - AROUND, places + AROUND - 1
    rests = np.concatenate(([0], np.cumsum(kind != NO_BREAK)))
    earlier = rests[places] - rests[first + 1]
    whole = (series.session[first] == series.session[places - 1]) & (series.session[places] == series.session[last])
    same = series.session[places - 1] == series.session[places]
    between = (kind[places] == BREAK_KINDS[-1]) & (series.day[places - 1] == series.day[places])
    inside = np.isin(kind[places], (NO_BREAK, *BREAK_KINDS[:-1])) & same
    chosen = places[(earlier == 0) & whole & (inside | (between & ~same))]
    residual, right = (np.concatenate(([0.0], np.cumsum(each))) for each in (series.residual, series.correct))
    return Splits(
        before=(residual[chosen] - residual[chosen - AROUND]) / AROUND,
        after=(residual[chosen + AROUND] - residual[chosen]) / AROUND,
        right=(right[chosen + AROUND] - right[chosen]) / AROUND,
        kind=kind[chosen],
        minute=(series.at[chosen - 1] - series.started_at[chosen - 1]) / 60,
        session=series.session[chosen],
    )


def _kinds(at: Floats, breaks: Sequence[Break]) -> npt.NDArray[np.str_]:
    """What lay before each answer: the kind of the longest break since the answer before, "other" or "none"."""
    kinds = np.full(at.size, NO_BREAK, dtype="<U6")
    for one in sorted(breaks, key=lambda b: b.seconds):
        place = int(np.searchsorted(at, one.ended_at))
        if place < at.size:
            kinds[place] = one.kind or "other"
    return kinds


def carried_over(found: Splits) -> float:
    """How much of the ten answers before is met again in the ten after where no break lay between: a slope, 0 to 1.

    It is what a form of the day, and the model's error on a topic, carry over; the rest of a bad stretch is chance and
    would have passed without a break too.
    """
    quiet = found.kind == NO_BREAK
    x, y = found.before[quiet], found.after[quiet]
    spread = float(((x - x.mean()) ** 2).sum()) if x.size > 1 else 0.0
    if spread <= 0:
        return 0.0
    return float(np.clip(((x - x.mean()) @ (y - y.mean())) / spread, 0.0, 1.0))
