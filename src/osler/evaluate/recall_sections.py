"""Where do the recall forecasts hold? The report's figures by learner and by history, and its leak checks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from osler.evaluate.bootstrap import paired_by_learner
from osler.evaluate.metrics import Floats, log_losses
from osler.evaluate.recall_data import LearnerReviews
from osler.evaluate.recall_models import counts_before, online, trained
from osler.evaluate.recall_topics import topic_weeks
from osler.evaluate.report import SERVED
from osler.science import blend, guard

if TYPE_CHECKING:
    from osler.evaluate.recall import LearnerRun

MEAN = "running-mean"
EDGES = ((0, 0), (1, 5), (6, 20), (21, 10**9))
LEAK_ROWS = 600
NAMED = 10

Rows = dict[str, dict[str, Any]]


def sections(runs: Sequence[LearnerRun], names: Sequence[str], *, seed: int) -> Mapping[str, Rows]:
    """All sections of the report, by name."""
    return {
        "against_running_mean": against_running_mean(runs, seed=seed),
        "cold_start": cold_start(runs),
        "by_item_reviews": by_item_reviews(runs, names),
        "topic_weeks": topic_weeks(runs),
        "scales": {run.reviews.user: {"scale": run.reviews.scale.value} for run in runs},
        "leak_checks": leak_checks(min(runs, key=lambda run: run.reviews.history.rating.size).reviews),
    }


def against_running_mean(runs: Sequence[LearnerRun], *, seed: int) -> Rows:
    """For each learner: is Osler worse than their own running mean by more than the interval of the difference?

    The interval resamples whole local days, as reviews of one day hang together.
    """
    rows: Rows = {}
    for run in runs:
        day = run.reviews.local_day[run.scored]
        ours, theirs = _loss(run, SERVED, run.scored), _loss(run, MEAN, run.scored)
        gap = paired_by_learner(day, ours, theirs, seed=seed)
        rows[run.reviews.user] = {
            "n": int(run.scored.size),
            "osler": float(ours.mean()),
            "running_mean": float(theirs.mean()),
            "difference": gap.mean,
            "low": gap.low,
            "high": gap.high,
            "worse_beyond_noise": bool(gap.low > 0),
        }
    return rows


def worse_than_own_mean(rows: Rows) -> str:
    """The section `against_running_mean` in a sentence: who is served worse, and by more than the interval or not."""
    behind = [user for user, row in rows.items() if row["difference"] > 0]
    beyond = [user for user in behind if rows[user]["worse_beyond_noise"]]
    if beyond:
        return (
            f"{len(beyond)} of {len(rows)} learners are served worse than their own running mean by more than the "
            f"interval of the difference: {', '.join(beyond[:NAMED])}{' …' if len(beyond) > NAMED else ''}."
        )
    return (
        f"Of {len(rows)} learners {len(behind)} are served worse than their own running mean, none by more than the "
        "interval of the difference."
    )


def cold_start(runs: Sequence[LearnerRun]) -> Rows:
    """By next-day reviews of the learner so far, from the very first: before a fit as well as after."""
    rows: Rows = {}
    for low, high in (*EDGES[:3], (21, 63), (64, 999), (1000, 10**9)):
        parts = [(run, _learner_rows(run, low, high)) for run in runs]
        rows[_label(low, high)] = _compared(parts, (SERVED, MEAN, "fsrs6-default"))
    return rows


def by_item_reviews(runs: Sequence[LearnerRun], names: Sequence[str]) -> Rows:
    """By reviews of the item so far, over the scored rows."""
    rows: Rows = {}
    for low, high in EDGES[1:]:
        parts: list[tuple[LearnerRun, npt.NDArray[np.int64]]] = []
        for run in runs:
            before = counts_before(run.reviews.history)[0][run.scored]
            parts.append((run, run.scored[(before >= low) & (before <= high)]))
        rows[_label(low, high)] = _compared(parts, [name for name in names if name != "stated"])
    return rows


def leak_checks(reviews: LearnerReviews) -> Rows:
    """On one learner: no forecast may move when later outcomes change or later reviews come.

    Flips the outcome of a row and everything after it, and cuts the record behind it: forecasts up to and including
    that row must stay the same to the last bit.
    """
    short = _until(reviews, min(LEAK_ROWS, reviews.history.rating.size))
    n = short.history.rating.size
    cut, row = n // 2, n // 2 + n // 4
    forecasts = _served(short, cut, n)
    flipped = replace(
        short.history, rating=np.where(np.arange(n) >= row, 5 - short.history.rating, short.history.rating)
    )
    after_flip = _served(replace(short, history=flipped), cut, n)
    shorter = _served(_until(short, row + 1), cut, row + 1)
    head = row + 1 - cut
    return {
        "outcomes from a row on flipped: forecasts up to it unmoved": {"passed": _same(forecasts, after_flip, head)},
        "reviews after a row left out: forecasts up to it unmoved": {"passed": _same(forecasts, shorter, head)},
        "fold in waves equals one review after another": {"passed": _one_by_one_agrees(short)},
    }


def _served(reviews: LearnerReviews, cut: int, stop: int) -> dict[str, Floats]:
    block, history = trained(reviews, cut, stop), reviews.history
    served = guard.scan(block.forecasts[SERVED], history.passed[cut:stop], history.next_day[cut:stop])[0]
    return {**block.forecasts, "guarded": served}


def _one_by_one_agrees(reviews: LearnerReviews) -> bool:
    """Whether the population's served forecasts come out the same by the code that serves a single review."""
    history = reviews.history
    in_waves = online(reviews).forecasts["blend-default-bias"]
    memories: dict[int, blend.ItemMemory] = {}
    bias, alone = 0.0, np.full(history.rating.size, np.nan)
    columns = (history.item, history.local_days, history.days, history.rating)
    for row, (item, local, exact, rating) in enumerate(zip(*(c.tolist() for c in columns), strict=True)):
        memory = memories.get(item)
        forecast = blend.recall(memory, int(local), exact, bias=bias)
        if forecast is not None:
            alone[row] = forecast
            bias = blend.update_bias(bias, forecast, rating >= 2) if local >= 1 else bias
        memories[item] = blend.review(memory, int(local), exact, rating)
    return bool(np.allclose(in_waves, alone, rtol=1e-9, atol=0.0, equal_nan=True))


def _same(a: Mapping[str, Floats], b: Mapping[str, Floats], head: int) -> bool:
    return all(np.array_equal(a[name][:head], b[name][:head], equal_nan=True) for name in a)


def _until(reviews: LearnerReviews, stop: int) -> LearnerReviews:
    return replace(
        reviews,
        history=reviews.history.until(stop),
        local_day=reviews.local_day[:stop],
        quality=reviews.quality[:stop],
        stated=reviews.stated[:stop],
        topic=reviews.topic[:stop],
    )


def _learner_rows(run: LearnerRun, low: int, high: int) -> npt.NDArray[np.int64]:
    counted = run.reviews.history.next_day
    before = np.cumsum(counted) - counted
    return np.flatnonzero(counted & (before >= low) & (before <= high))


def _compared(
    parts: Sequence[tuple[LearnerRun, npt.NDArray[np.int64]]], names: Sequence[str]
) -> dict[str, float | int | None]:
    n = sum(int(rows.size) for _, rows in parts)
    row: dict[str, float | int | None] = {"n": n}
    for name in names:
        losses = np.concatenate([_loss(run, name, rows) for run, rows in parts]) if n else np.zeros(0)
        row[name] = float(losses.mean()) if n else None
    return row


def _loss(run: LearnerRun, name: str, rows: npt.NDArray[np.int64]) -> Floats:
    return log_losses(run.reviews.history.passed[rows], run.forecasts[name][rows])


def _label(low: int, high: int) -> str:
    return str(low) if low == high else f"{low}+" if high >= 10**9 else f"{low}-{high}"
