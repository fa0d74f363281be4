"""When is a job due, and for which period? Arithmetic alone: the time and what succeeded are arguments."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum

from osler.errors import InvalidInput

LOOKBACK_DAYS = 35


class Cadence(StrEnum):
    """How often a job has a period."""

    DAILY = "daily"
    WEEKLY = "weekly"


@dataclass(frozen=True, slots=True)
class Window:
    """Hours of the night, UTC: `opens` is part of it, `closes` is not. It may cross midnight."""

    opens: time = time(2)
    closes: time = time(5)

    def contains(self, at: datetime) -> bool:
        """Whether heavy work should run at this instant."""
        clock = at.astimezone(UTC).time()
        if self.opens <= self.closes:
            return self.opens <= clock < self.closes
        return clock >= self.opens or clock < self.closes


NIGHT = Window()


def period_key(day: date) -> str:
    """A period as it is stored: the day of its night, `2026-11-22`."""
    return day.isoformat()


def parse_period(key: str) -> date:
    """The day of a stored period. Errors: InvalidInput when it is none."""
    try:
        return date.fromisoformat(key)
    except ValueError as failed:
        msg = f"{key!r} is no period; write the day of the night, e.g. 2026-11-22"
        raise InvalidInput(msg, code="job.period") from failed


def last_opened(at: datetime, cadence: Cadence, window: Window = NIGHT) -> date:
    """The newest period whose window has opened by `at`: a day, or a week's Monday."""
    moment = at.astimezone(UTC)
    day = moment.date() if moment.time() >= window.opens else moment.date() - timedelta(days=1)
    return day if cadence is Cadence.DAILY else day - timedelta(days=day.weekday())


def due_periods(
    at: datetime,
    cadence: Cadence,
    succeeded: Collection[date],
    *,
    first: date | None = None,
    each: bool = False,
    window: Window = NIGHT,
) -> list[date]:
    """Periods without success, oldest first; found from what succeeded, never from ticks that were heard or missed.

    A job that works off marks needs its newest period alone; `each` names every missed one, back to `first` or 35
    days. A period is due from the opening of its window on, also after the window closed: late is better than never.
    """
    newest = last_opened(at, cadence, window)
    if not each:
        return [] if newest in succeeded else [newest]
    step = timedelta(days=1 if cadence is Cadence.DAILY else 7)
    oldest = max(first or date.min, newest - timedelta(days=LOOKBACK_DAYS))
    count = max(0, (newest - oldest) // step + 1)
    return [day for day in (newest - step * back for back in reversed(range(count))) if day not in succeeded]
