"""When is an item due by SM-2: the brief's rule to the letter, and a scheduler without its known faults."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from numbers import Integral

import numpy as np
import numpy.typing as npt

from osler.errors import InvalidModelInput

CAP_DAYS = 365
EASE_AT_3 = 1.3
EASE_PER_QUALITY = 0.2


def sm2_interval(quality: int, previous_interval: int) -> int:
    """Days until the next review, as the brief writes SM-2.

    Known faults, kept on purpose: quality 3 never leaves 2 and 3 days, several answers on one day each count as a
    success, elapsed time is ignored, nothing caps it. It is served in `sm2_*` fields only; see `SafeSchedule`.

    Units: quality 0 to 5, interval in whole days.
    Errors: InvalidModelInput (a ValueError) for a quality outside 0..5 or an interval below 0, or either no integer.
    Source: Wozniak 1990, simplified by the project's brief; golden cases in tests/golden/sm2.json.

    >>> sm2_interval(4, 6)
    9
    """
    if not _is_whole(quality) or not 0 <= quality <= 5:
        raise InvalidModelInput(f"SM-2 quality must be an integer from 0 to 5, not {quality!r}.")
    if not _is_whole(previous_interval) or previous_interval < 0:
        raise InvalidModelInput(f"The previous interval must be a whole number of days, not {previous_interval!r}.")
    if quality < 3 or previous_interval == 0:
        return 1
    if previous_interval == 1:
        return 6
    # The brief's floating-point expression: it equals integer tenths for every interval from 2 to 36,500.
    return int(previous_interval * (EASE_AT_3 + (quality - 3) * EASE_PER_QUALITY))


def calculate_next_review(last_review: datetime, previous_interval: int, quality: int) -> tuple[datetime, int]:
    """The next review and its interval in days, under the brief's name and with its arguments.

    Errors: as `sm2_interval`.
    """
    interval = sm2_interval(quality, previous_interval)
    return last_review + timedelta(days=interval), interval


def sm2_interval_many(
    quality: npt.NDArray[np.int64], previous_interval: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    """`sm2_interval` for (n,) arrays, with the same values and errors."""
    if quality.size and not (quality.min() >= 0 and quality.max() <= 5):
        raise InvalidModelInput("SM-2 quality must be an integer from 0 to 5.")
    if previous_interval.size and previous_interval.min() < 0:
        raise InvalidModelInput("The previous interval must not be negative.")
    grown = (previous_interval * (EASE_AT_3 + (quality - 3) * EASE_PER_QUALITY)).astype(np.int64)
    passed = np.where(previous_interval == 0, 1, np.where(previous_interval == 1, 6, grown))
    return np.where(quality < 3, 1, passed)


def sm2_retrievability(elapsed_days: float, interval_days: float) -> float:
    """0.9^(t/interval): **our assumption** where a curve is needed, as SM-2 itself has none."""
    return float(0.9 ** (elapsed_days / interval_days))


@dataclass(frozen=True, slots=True)
class SafeSchedule:
    """An item's schedule under the safe rule: interval in days, due local day, local day of the last change.

    `due_on` is None where no day is left before the exam.
    """

    interval_days: int
    due_on: date | None
    changed_on: date | None


NEW = SafeSchedule(interval_days=0, due_on=None, changed_on=None)


def sm2_safe(state: SafeSchedule, quality: int, on: date, *, exam_on: date | None = None) -> SafeSchedule:
    """The schedule after one answer on the local day `on`.

    One promotion for each local day, an interval from 2 days on always grows, none exceeds a year, and nothing falls
    on the exam day or later. A fall in quality always counts.

    Units: days, local days (osler.domain.local_day).
    Errors: as `sm2_interval`.
    Source: this project (decision: the brief's rule is served beside it); golden runs in tests/golden/sm2.json.
    """
    grown = sm2_interval(quality, state.interval_days)
    if quality >= 3 and state.changed_on == on:
        return state
    if quality >= 3:
        if state.interval_days >= 2:
            grown = max(grown, state.interval_days + 1)
        grown = min(grown, CAP_DAYS)
    return _placed(grown, on, exam_on)


def _placed(interval_days: int, on: date, exam_on: date | None) -> SafeSchedule:
    if exam_on is None:
        return SafeSchedule(interval_days, on + timedelta(days=interval_days), on)
    last = (exam_on - on).days - 1
    if last < 1:
        return SafeSchedule(interval_days, None, on)
    within = min(interval_days, last)
    return SafeSchedule(within, on + timedelta(days=within), on)


def _is_whole(value: object) -> bool:
    return type(value) is int or (type(value) is not bool and isinstance(value, Integral))
