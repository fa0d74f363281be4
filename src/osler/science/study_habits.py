"""How does a learner study: efficiency, focus, rates, streak, spacing, interleaving, cramming?

Each function takes the figures of a window (sessions, days, attempts) and answers one question; too little data is
None, never 0. Definitions: docs/analytics/efficiency.md.
Source: this project's definitions; the circular mean and Poisson rates are cited where they live.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from datetime import date, timedelta
from itertools import pairwise

import numpy as np

STREAK_MINUTES = 10.0
STREAK_ATTEMPTS = 10
CRAMMING_DAYS = 28


def efficiency(active_seconds: Sequence[float], total_seconds: Sequence[float]) -> float | None:
    """Sum of active over sum of total time of the sessions of a window, 0 to 1 (a ratio of sums, not a mean of ratios).

    >>> efficiency([60, 0], [60, 240])
    0.2
    """
    total = sum(total_seconds)
    return min(1.0, sum(active_seconds) / total) if total > 0 else None


def focus_score(
    efficiency_share: float | None, interruptions: int, active_hours: float, *, signals: bool
) -> float | None:
    """100 · efficiency · (1 − .5 · min(1, h/12)), h = interruptions per active hour; a heuristic, labelled as one.

    None when the client sent neither pause nor visibility events: then interruptions are unknown.

    >>> focus_score(0.8, 12, 2.0, signals=True)
    60.0
    """
    if not signals or efficiency_share is None or active_hours <= 0:
        return None
    return 100 * efficiency_share * (1 - 0.5 * min(1.0, interruptions / active_hours / 12))


def is_study_day(active_minutes: float, attempts: int) -> bool:
    """Whether a local day counts for the streak: 10 active minutes or 10 attempts (start)."""
    return active_minutes >= STREAK_MINUTES or attempts >= STREAK_ATTEMPTS


def streak(study_days: Iterable[date], today: date) -> int:
    """Consecutive study days up to today; a day still open does not break it.

    >>> streak([date(2026, 3, 1), date(2026, 3, 2)], date(2026, 3, 3))
    2
    >>> streak([date(2026, 3, 1), date(2026, 3, 2)], date(2026, 3, 4))
    0
    """
    days = set(study_days)
    day = today if today in days else today - timedelta(days=1)
    run = 0
    while day in days:
        run += 1
        day -= timedelta(days=1)
    return run


def longest_streak(study_days: Iterable[date]) -> int:
    """The longest run of consecutive study days."""
    best = run = 0
    before: date | None = None
    for day in sorted(set(study_days)):
        run = run + 1 if before is not None and day - before == timedelta(days=1) else 1
        best, before = max(best, run), day
    return best


def consistency(study_days: Iterable[date], today: date, window_days: int = 28) -> tuple[int, int]:
    """Study days among the last `window_days` up to today, and the window: 19 of 28."""
    first = today - timedelta(days=window_days - 1)
    return sum(first <= day <= today for day in set(study_days)), window_days


def spacing_index(repeats_after_days: Sequence[int]) -> float | None:
    """Share of repeats that come at least 1 local day after the item's last attempt; None without repeats.

    >>> spacing_index([0, 0, 1, 5])
    0.5
    """
    if not repeats_after_days:
        return None
    return sum(days >= 1 for days in repeats_after_days) / len(repeats_after_days)


def interleaving_index(topics_by_session: Sequence[Sequence[Hashable]], minimum: int = 20) -> float | None:
    """Topic changes between neighbouring attempts of a session over those expected under shuffling; 1 = as shuffled.

    Expected in a session of n attempts with n_k on topic k: (n−1)(1 − Σ n_k(n_k−1)/(n(n−1))). Changes and
    expectations are summed over sessions. None under `minimum` attempts, or where there is only one topic.

    >>> round(interleaving_index([["a", "b"] * 10]), 4)
    1.9
    """
    changes, expected, attempts = 0, 0.0, 0
    for topics in topics_by_session:
        n = len(topics)
        attempts += n
        if n < 2:
            continue
        changes += sum(a != b for a, b in pairwise(topics))
        same = sum(count * (count - 1) for count in Counter(topics).values())
        expected += (n - 1) * (1 - same / (n * (n - 1)))
    return changes / expected if attempts >= minimum and expected > 0 else None


def cramming_index(active_minutes: Mapping[date, float], exam_on: date) -> float | None:
    """Share of the minutes of the 28 days before an exam that fell in the last 7 of them; even pace is .25.

    >>> cramming_index({date(2026, 5, 30): 30, date(2026, 5, 10): 90}, date(2026, 6, 1))
    0.25
    """
    before = {(exam_on - day).days: minutes for day, minutes in active_minutes.items()}
    last_28 = sum(minutes for days, minutes in before.items() if 1 <= days <= CRAMMING_DAYS)
    last_7 = sum(minutes for days, minutes in before.items() if 1 <= days <= 7)
    return last_7 / last_28 if last_28 > 0 else None


def quartiles(values: Sequence[float]) -> tuple[float, float, float] | None:
    """25 %, 50 % and 75 % points (linear between order statistics); None without values."""
    if not values:
        return None
    low, middle, high = np.quantile(np.asarray(values, dtype=np.float64), [0.25, 0.5, 0.75])
    return float(low), float(middle), float(high)


def preference(
    active_by_session: Sequence[Mapping[str, float]], *, seed: int, draws: int = 500
) -> dict[str, tuple[float, float, float]]:
    """Share of active time by kind of material with its 90 % interval, bootstrapped by session.

    Returns kind → (share, low, high); empty without active time. Under 5 sessions the interval is 0 to 1.
    """
    kinds = sorted({kind for session in active_by_session for kind in session})
    seconds = np.array([[session.get(kind, 0.0) for kind in kinds] for session in active_by_session], dtype=np.float64)
    if seconds.size == 0 or seconds.sum() <= 0:
        return {}
    shares = seconds.sum(axis=0) / seconds.sum()
    if len(seconds) < 5:
        return {kind: (float(share), 0.0, 1.0) for kind, share in zip(kinds, shares, strict=True)}
    drawn = np.random.default_rng(seed).multinomial(len(seconds), np.full(len(seconds), 1 / len(seconds)), size=draws)
    sums = drawn @ seconds
    sums = sums[sums.sum(axis=1) > 0]
    low, high = np.quantile(sums / sums.sum(axis=1, keepdims=True), [0.05, 0.95], axis=0)
    return {kind: (float(s), float(a), float(b)) for kind, s, a, b in zip(kinds, shares, low, high, strict=True)}


def is_clearly_used_more(
    active_by_session: Sequence[Mapping[str, float]], more: str, less: str, *, seed: int, draws: int = 500
) -> bool:
    """Whether one kind of material is used more than another beyond doubt.

    The lead in active time, bootstrapped by session, lies above 0 in 95 % of the draws. False under 5 sessions.
    """
    lead = np.array([one.get(more, 0.0) - one.get(less, 0.0) for one in active_by_session], dtype=np.float64)
    if lead.size < 5:
        return False
    drawn = np.random.default_rng(seed).multinomial(lead.size, np.full(lead.size, 1 / lead.size), size=draws)
    return float(np.quantile(drawn @ lead, 0.05)) > 0
