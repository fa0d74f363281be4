"""How fast is the memory science, as ratios to a thing run beside it in the same process, on one core?

Each function gives `{"ratio", "runs", "beside", "target", ...}`: the median of interleaved rounds, in processor time of
all threads: what waits for a processor on a busy machine is not slow. `wall_seconds` stands beside it.
Run alone: `python bench/science_memory.py [--json]`.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before NumPy is loaded: a ratio to one thread

import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import fsrs as py_fsrs
import fsrs_rs_python
import numpy as np

from command import several
from osler.science import blend, fsrs, fsrs_many, fsrs_rs, memory_fit, sm2
from osler.science.waves import waves_of

ROUNDS = 5
CARDS = 1_000_000
BESIDE = 10_000
START = datetime(2024, 1, 1, tzinfo=UTC)
SCHEDULER = py_fsrs.Scheduler(learning_steps=(), relearning_steps=(), enable_fuzzing=False)

Measure = dict[str, Any]


def interleaved(
    mine: Callable[[], object], beside: Callable[[], object], rounds: int = ROUNDS
) -> tuple[list[float], list[float]]:
    """Processor seconds of both sides, taken in turns after a warm-up of each."""
    mine()
    beside()
    seconds: tuple[list[float], list[float]] = ([], [])
    for _ in range(rounds):
        for run, kept in zip((mine, beside), seconds, strict=True):
            began = time.process_time()
            run()
            kept.append(time.process_time() - began)
    return seconds


def ratio(
    mine: Callable[[], object],
    beside: Callable[[], object],
    *,
    n_mine: int,
    n_beside: int,
    name: str,
    target: float,
    rounds: int = ROUNDS,
) -> Measure:
    """How many times as fast one unit is as one unit of what runs beside it."""
    ours, theirs = interleaved(mine, beside, rounds)
    each = [(b / n_beside) / (a / n_mine) for a, b in zip(ours, theirs, strict=True)]
    return {
        "ratio": round(statistics.median(each), 2),
        "target": target,
        "runs": [round(r, 2) for r in each],
        "beside": name,
        "ns_each": round(statistics.median(ours) / n_mine * 1e9, 1),
        "ns_each_beside": round(statistics.median(theirs) / n_beside * 1e9, 1),
    }


def _states(n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    s, d = rng.uniform(0.5, 200, n), rng.uniform(1, 10, n)
    t = np.rint(rng.exponential(1, n) * s)
    return s, d, t, rng.choice([1, 2, 3, 4], n, p=[0.1, 0.1, 0.7, 0.1])


def _cards(s: np.ndarray, d: np.ndarray) -> list[py_fsrs.Card]:
    # With ids: Card() without one sleeps a millisecond, and the comparison would be unfair.
    return [
        py_fsrs.Card(card_id=i, state=py_fsrs.State.Review, stability=a, difficulty=b, last_review=START, due=START)
        for i, (a, b) in enumerate(zip(s.tolist(), d.tolist(), strict=True))
    ]


def fsrs_step() -> Measure:
    """Vectorised FSRS-6 step, a million cards, per review, against py-fsrs `review_card`."""
    s, d, t, g = _states(CARDS)
    cards = _cards(s[:BESIDE], d[:BESIDE])
    ratings = [py_fsrs.Rating(r) for r in g[:BESIDE].tolist()]
    at = [START + timedelta(days=days) for days in t[:BESIDE].tolist()]

    def beside() -> None:
        for card, rating, moment in zip(cards, ratings, at, strict=True):
            SCHEDULER.review_card(card, rating, moment)

    return ratio(
        lambda: fsrs_many.step_many(s, d, t, g), beside,
        n_mine=CARDS, n_beside=BESIDE, name="py-fsrs review_card", target=100,
    )  # fmt: skip


def retrievability() -> Measure:
    """Vectorised R, a million cards, per read, against py-fsrs `get_card_retrievability`."""
    s, d, t, _ = _states(CARDS)
    cards = _cards(s[:BESIDE], d[:BESIDE])
    at = [START + timedelta(days=days) for days in t[:BESIDE].tolist()]

    def beside() -> None:
        for card, moment in zip(cards, at, strict=True):
            SCHEDULER.get_card_retrievability(card, moment)

    return ratio(
        lambda: fsrs_many.retrievability_many(s, t), beside,
        n_mine=CARDS, n_beside=BESIDE, name="py-fsrs get_card_retrievability", target=20,
    )  # fmt: skip


def _histories(cards: int, reviews: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    item = np.tile(np.arange(cards), reviews)
    days = np.ceil(rng.exponential(9, item.size))
    days[:cards] = 0
    return item, days, rng.choice([1, 2, 3, 4], item.size, p=[0.12, 0.08, 0.7, 0.1])


def fold() -> Measure:
    """NumPy fold of whole histories, sorting included, per review, against fsrs-rs `memory_state_batch`."""
    cards, reviews = 20_000, 8
    item, days, rating = _histories(cards, reviews)
    by_card = np.argsort(item, kind="stable").reshape(cards, reviews)
    items = [
        fsrs_rs_python.FSRSItem([fsrs_rs_python.FSRSReview(int(rating[r]), int(days[r])) for r in rows])
        for rows in by_card[:4000].tolist()
    ]
    model = fsrs_rs_python.FSRS(list(fsrs.DEFAULTS))
    return ratio(
        lambda: fsrs_many.fold(waves_of(item), days, rating), lambda: model.memory_state_batch(items),
        n_mine=item.size, n_beside=4000 * reviews, name="fsrs-rs memory_state_batch", target=1,
    )  # fmt: skip


def _learner(n: int) -> memory_fit.History:
    rng = np.random.default_rng(1)
    cards = n // 5
    rows: list[tuple[float, int, int, int]] = []
    for card in range(cards):
        memory, day = None, int(rng.integers(0, 300))
        for i in range(5):
            gap = int(np.ceil(rng.exponential(3.0**i / 2))) if i else 0
            day += gap
            chance = 0.6 if memory is None else fsrs.retrievability(memory.stability, 2 * gap)
            rating = int(rng.choice([2, 3, 4], p=[0.1, 0.8, 0.1])) if rng.random() < chance else 1
            memory = fsrs.first(rating) if memory is None else fsrs.step(memory, gap, rating)
            rows.append((day * 86400.0 + rng.random() * 7200, card, day, rating))
    rows.sort()
    ts, card, day, rating = (np.array(column) for column in zip(*rows, strict=True))
    return memory_fit.history_of(card, ts, day, rating)


def _one_pass(history: memory_fit.History) -> Callable[[], None]:
    cards = {int(card): py_fsrs.Card(card_id=int(card), due=START) for card in np.unique(history.item)}
    ratings = [py_fsrs.Rating(g) for g in history.rating.tolist()]
    at, now = [], dict.fromkeys(cards, START)
    for card, days in zip(history.item.tolist(), history.local_days.tolist(), strict=True):
        now[card] += timedelta(days=days)
        at.append(now[card])

    def run() -> None:
        state = dict(cards)
        for card, rating, moment in zip(history.item.tolist(), ratings, at, strict=True):
            state[card] = SCHEDULER.review_card(state[card], rating, moment)[0]

    return run


def fit_with_extra(n: int = 10_000) -> Measure:
    """FSRS parameters of a learner with 10,000 reviews by fsrs-rs, against one pass of py-fsrs over them (share)."""
    history = _learner(n)
    return _fit(lambda: memory_fit.fit_fsrs(history), history, with_extra=True, target=1.0, limit=0.5)


def fit_without_extra(n: int = 10_000) -> Measure:
    """The same by our own gradient, as without the fitting extra; the limit is 2 s."""
    history = _learner(n)
    return _fit(lambda: memory_fit.fit_fsrs(history), history, with_extra=False, target=None, limit=2.0)


def fit_whole(n: int = 10_000) -> Measure:
    """All that serving a learner takes: both models, fitted twice, accepted on held-back reviews."""
    history = _learner(n)
    return _fit(lambda: memory_fit.fit_learner(history), history, with_extra=True, target=None, limit=0.5)


def fit_whole_without_extra(n: int = 10_000) -> Measure:
    """The same without the fitting extra."""
    history = _learner(n)
    return _fit(lambda: memory_fit.fit_learner(history), history, with_extra=False, target=None, limit=2.0)


def _fit(
    run: Callable[[], object], history: memory_fit.History, *, with_extra: bool, target: float | None, limit: float
) -> Measure:
    before, fsrs_rs.AVAILABLE = fsrs_rs.AVAILABLE, with_extra
    try:
        ours, theirs = interleaved(run, _one_pass(history))
        began = time.perf_counter()
        run()
        wall = time.perf_counter() - began
    finally:
        fsrs_rs.AVAILABLE = before
    each = [a / b for a, b in zip(ours, theirs, strict=True)]
    return {
        "ratio": round(statistics.median(each), 3),
        "target": target,
        "runs": [round(r, 3) for r in each],
        "beside": "one pass of py-fsrs over the same reviews (a share: less is better)",
        "seconds": round(statistics.median(ours), 3),
        "wall_seconds": round(wall, 3),
        "seconds_limit": limit,
    }


def refold_against_live() -> Measure:
    """Nightly refold of the served memory, per event, against the live update of the same events one by one."""
    item, days, rating = _histories(1000, 5)
    passed, next_day = rating >= 2, days >= 1

    def live() -> None:
        memory: dict[int, blend.ItemMemory] = {}
        bias = 0.0
        for card, t, g in zip(item.tolist(), days.tolist(), rating.tolist(), strict=True):
            forecast = blend.recall(memory.get(card), int(t), t, bias=bias)
            if forecast is not None:
                bias = blend.update_bias(bias, forecast, g >= 2)
            memory[card] = blend.review(memory.get(card), int(t), t, g)

    def nightly() -> None:
        blend.scan_bias(blend.fold(item, days, days, rating).logit, passed, next_day)

    return ratio(nightly, live, n_mine=item.size, n_beside=item.size, name="live update one by one", target=10)


def sm2_table() -> Measure:
    """Vectorised SM-2 intervals per item against the brief's function."""
    rng = np.random.default_rng(0)
    quality, previous = rng.integers(0, 6, CARDS), rng.integers(0, 400, CARDS)
    rows = list(zip(quality[:BESIDE].tolist(), previous[:BESIDE].tolist(), strict=True))
    return ratio(
        lambda: sm2.sm2_interval_many(quality, previous), lambda: [sm2.sm2_interval(q, p) for q, p in rows],
        n_mine=CARDS, n_beside=BESIDE, name="sm2_interval one by one", target=10,
    )  # fmt: skip


BENCHES: dict[str, Callable[[], Measure]] = {
    "fsrs_step": fsrs_step,
    "retrievability": retrievability,
    "fold": fold,
    "fit_with_extra": fit_with_extra,
    "fit_without_extra": fit_without_extra,
    "fit_whole": fit_whole,
    "fit_whole_without_extra": fit_whole_without_extra,
    "refold_against_live": refold_against_live,
    "sm2_table": sm2_table,
}


if __name__ == "__main__":
    several(BENCHES, __doc__)
