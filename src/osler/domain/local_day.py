"""Which study day an instant belongs to: 04:00 to 04:00 on the learner's wall clock."""

from __future__ import annotations

from datetime import date, datetime, timedelta

DEFAULT_DAY_START_MINUTES = 240
FIRST_DAY, LAST_DAY = date(2000, 1, 1), date(2100, 12, 31)
"""Days that are taken at all: beyond them a clock or a keyboard is wrong, and sums of days run off the calendar."""


def local_day(wall_clock: datetime, day_start_minutes: int = DEFAULT_DAY_START_MINUTES) -> date:
    """The local day of an instant that is already on the learner's wall clock.

    The day start is subtracted on the wall clock, not on the instant, so that days of 23 or 25 hours need no care.

    Units: `day_start_minutes` 0 to 360.
    Source: ingestion contract, section 8 (golden cases in tests/domain/test_local_day.py).

    >>> local_day(datetime(2026, 3, 29, 3, 59, 59)).isoformat()
    '2026-03-28'
    >>> local_day(datetime(2026, 3, 29, 4, 0)).isoformat()
    '2026-03-29'
    """
    return (wall_clock.replace(tzinfo=None) - timedelta(minutes=day_start_minutes)).date()
