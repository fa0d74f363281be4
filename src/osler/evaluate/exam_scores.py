"""How near did the forecast of a score come, and did its intervals hold? By days before the exam, beside plain guesses.

The closed form learns nothing, so that it is scored on every result. `recalibrated` is what is served of it once 30
results are known: shifted and widened by those of earlier exam dates, without the learners of the date. Beside it the
mean of those earlier scores, and the learner's own share of right first answers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from osler.evaluate.exam_fitting import Results, Widths, learn_widths
from osler.evaluate.exam_training import Places, exam_blocks, one_an_outcome
from osler.evaluate.metrics import Floats, interval_scores
from osler.science.calibration import MIN_LOGISTIC, shifted
from osler.science.exam_score import Z_90
from osler.science.intervals import wilson

Row = dict[str, Any]
MIN_SCORES = 10
MIN_FOR_R = 3
Z_95 = 1.959963984540054
TARGET_R, TARGET_MAE, TARGET_COVERAGE = 0.80, 5.0, (0.88, 0.92)
TOLD_FIRST = (30, 7)


@dataclass(frozen=True, slots=True)
class Forecasts:
    """Scores that came, what was expected and the half-width of its 90 % interval; (n,) shares, NaN for none."""

    came: Floats
    expected: Floats
    half: Floats | None


def score_section(found: Results, days: Places) -> dict[str, Row]:
    """Rows "closed_form, 30 days before" and so on with their figures; empty under 10 scores.

    `days` (n,) before the exam, 0 where the records do not say.
    """
    known = np.isfinite(found.outcomes.score) & np.isfinite(found.expected) & np.isfinite(found.sd)
    rows, before = found.rows(known), days[known]
    if one_an_outcome(rows.outcomes).size < MIN_SCORES:
        return {}
    section: dict[str, Row] = {}
    for name, made in _forecasts(rows).items():
        for day in sorted(set(before.tolist()), reverse=True):
            mine = (before == day) & np.isfinite(made.expected)
            if mine.sum() >= MIN_SCORES:
                told = name if day == 0 else f"{name}, {day} days before"
                half = None if made.half is None else made.half[mine]
                section[told] = score_figures(made.came[mine], made.expected[mine], half)
    return section


def _forecasts(rows: Results) -> Mapping[str, Forecasts]:
    came = rows.outcomes.score
    expected, half, mean = (np.full(came.size, np.nan) for _ in range(3))
    for block in exam_blocks(rows.outcomes)[1:]:
        now = np.isin(rows.outcomes.exam_on, block)
        earlier = (rows.outcomes.exam_on < block[0]) & ~np.isin(rows.outcomes.learner, rows.outcomes.learner[now])
        taught = rows.rows(earlier)
        one = taught.rows(one_an_outcome(taught.outcomes)) if earlier.any() else taught
        if one.sd.size >= MIN_LOGISTIC:
            expected[now], half[now] = as_served(rows.rows(now), learn_widths(one))
            mean[now] = one.outcomes.score.mean()
    first_answers = rows.outcomes.features[:, 5]
    return {
        "closed_form": Forecasts(came, rows.expected, Z_90 * rows.sd),
        "recalibrated": Forecasts(came, expected, half),
        "mean of earlier scores": Forecasts(came, mean, None),
        "share of right first answers": Forecasts(came, first_answers, None),
    }


def as_served(rows: Results, widths: Widths) -> tuple[Floats, Floats]:
    """(expected share of points, half-width of its interval) of the closed form with what results taught."""
    sd = np.sqrt(rows.sd**2 + widths.error_variance)
    factor = np.array([dict(widths.by_cohort).get(name, widths.factor) for name in rows.cohort.tolist()])
    return shifted(rows.expected, widths.shift), factor * sd


def score_figures(came: Floats, expected: Floats, half: Floats | None) -> Row:
    """r, mean absolute error and bias in points of 100, and of the 90 % intervals coverage, width and score.

    `reaches_target` is that of the science page, 5.2: r of .80 or more, an error of 5 points or less, and a coverage
    whose own 95 % interval meets .88 to .92.
    """
    both_vary = came.size >= MIN_FOR_R and float(came.std()) > 0 and float(expected.std()) > 0
    row: Row = {
        "n": int(came.size),
        "r": float(np.corrcoef(came, expected)[0, 1]) if both_vary else None,
        "mae_points": float(100 * np.abs(came - expected).mean()),
        "bias_points": float(100 * (expected - came).mean()),
    }
    if half is None:
        return row
    intervals = interval_scores(came, np.clip(expected - half, 0, 1), np.clip(expected + half, 0, 1))
    held = round(intervals.coverage * came.size)
    around = wilson(held, came.size, z=Z_95)
    low, high = (around.low, around.high) if around is not None else (0.0, 1.0)
    row |= {
        "interval_coverage": intervals.coverage,
        "coverage_low": low,
        "coverage_high": high,
        "interval_width_points": 100 * intervals.mean_width,
        "interval_score_points": 100 * intervals.score,
    }
    is_near = (row["r"] or 0.0) >= TARGET_R and row["mae_points"] <= TARGET_MAE
    return row | {"reaches_target": is_near and low <= TARGET_COVERAGE[1] and high >= TARGET_COVERAGE[0]}


def sentences(section: Mapping[str, Row]) -> list[str]:
    """What the section comes to at 30 and at 7 days before the exam, in words."""
    said: list[str] = []
    for day in TOLD_FIRST:
        for name in ("recalibrated", "closed_form"):
            row = section.get(f"{name}, {day} days before")
            if row is not None:
                said.append(_sentence(name, day, row))
                break
    return said


def _sentence(name: str, day: int, row: Row) -> str:
    which = "after 30 earlier results" if name == "recalibrated" else "with no result to learn from"
    r = "" if row["r"] is None else f", r {row['r']:.2f}"
    return (
        f"{day} days before the exam ({row['n']} scores, {which}) the forecast of the score is off by "
        f"{row['mae_points']:.1f} points on average{r}; its 90 % intervals, {row['interval_width_points']:.0f} points "
        f"wide, held {100 * row['interval_coverage']:.0f} % ({100 * row['coverage_low']:.0f} to "
        f"{100 * row['coverage_high']:.0f} %)."
    )
