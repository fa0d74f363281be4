"""What do the results of one exam teach about its forecasts? From frozen snapshots to everything that serving needs.

Recalibration and widths come from one snapshot of each result; the trained models from all of them, one weight a
learner. A drop-out has no result and no row.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from osler.errors import Misconfigured
from osler.evaluate.exam_training import Outcomes, Places, Training, one_an_outcome, train
from osler.science.calibration import MIN_LOGISTIC, Calibration, fit_calibration, shift_in_the_large, shifted
from osler.science.conformal import conformal_factor, conformal_factors_by_cohort
from osler.science.exam_learned import ExamModel
from osler.science.exam_score import Z_90, Floats, normal_cdf

UNCHECKED = "No forecast of this exam has been checked against results yet."
FEW = "Too few results to recalibrate on: it takes 30."


@dataclass(frozen=True, slots=True)
class Results:
    """Snapshots of one exam with what came of it; (n,) arrays.

    `outcomes` holds features, P(pass) of the closed form, result, learner and day; `passed` is NaN where only a score
    is known, its `score` NaN where only the result is. `expected` and `sd` are the closed form's score (share of
    points), `cohort` the learner's group or "".
    """

    outcomes: Outcomes
    expected: Floats
    sd: Floats
    cohort: npt.NDArray[np.str_]

    def rows(self, mask: npt.NDArray[np.bool_] | Places) -> Results:
        """The same for some rows only."""
        return Results(self.outcomes.rows(mask), self.expected[mask], self.sd[mask], self.cohort[mask])


@dataclass(frozen=True, slots=True)
class Widths:
    """How far scores fell from what was expected: on the whole (logits), model error (variance), half-widths in sd."""

    shift: float = 0.0
    error_variance: float = 0.0
    factor: float = Z_90
    by_cohort: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Mark:
    """The pass mark, as a share of points, and how far it may move."""

    cut: float
    sd: float

    def chance(self, rows: Results, widths: Widths) -> Floats:
        """P(pass) of the closed form with its model error, before it is recalibrated."""
        return normal_cdf((rows.expected - self.cut) / np.sqrt(rows.sd**2 + widths.error_variance + self.sd**2))


def fit_exam(
    found: Results, exam_id: str, *, cut: float | None, cut_sd: float, seed: int, trained_until: str
) -> ExamModel:
    """Everything that the results of one exam teach, by their number: under 30 nothing but the count."""
    one = found.rows(one_an_outcome(found.outcomes))
    scored = one.rows(np.isfinite(one.outcomes.score))
    judged = one.rows(np.isfinite(one.outcomes.passed))
    widths = learn_widths(scored)
    calibration, says = Calibration("uncalibrated", judged.outcomes.passed.size), FEW if judged.sd.size else UNCHECKED
    brier: dict[str, float] = {}
    beats: bool | None = None
    trained = None
    if cut is not None and judged.outcomes.passed.size >= MIN_LOGISTIC:
        mark = Mark(cut, cut_sd)
        calibration = fit_calibration(mark.chance(judged, widths), judged.outcomes.passed)
        training = _trained(found.rows(np.isfinite(found.outcomes.passed)), mark, seed)
        trained, says, brier, beats = training.served, training.says, training.brier, training.beats_base_rate
    return ExamModel(
        exam_id=exam_id,
        cut=cut,
        outcomes=int(one.sd.size),
        scores=int(scored.sd.size),
        calibration=calibration,
        interval_factor=widths.factor,
        cohort_factors=dict(widths.by_cohort),
        error_variance=widths.error_variance,
        score_shift=widths.shift,
        beats_base_rate=beats,
        trained=trained,
        says=says,
        brier=brier,
        trained_until=trained_until,
    )


def _trained(found: Results, mark: Mark, seed: int) -> Training:
    """The trained models under their rule; without the library that trains them the closed form is served."""

    def as_served(_: Outcomes, known: Places, now: Places) -> Floats:
        before, after = found.rows(known), found.rows(now)
        widths = learn_widths(before.rows(np.isfinite(before.outcomes.score)))
        learned = fit_calibration(mark.chance(before, widths), before.outcomes.passed)
        return learned.apply(mark.chance(after, widths))

    try:
        return train(found.outcomes, seed=seed, recalibrate=as_served)
    except Misconfigured as absent:
        return Training(None, "closed_form", f"{absent.text} The closed form is served.", {}, {})


def learn_widths(scored: Results) -> Widths:
    """What scores say of expected ones; nothing under 30 of them. Residuals are those of the shifted expectation.

    Practice that a forecast does not see shifts them all alike: left in, it would widen every interval. Model error is
    what squared residuals hold beyond the closed form's own variance; widths by split conformal, with residuals as
    large as if each result had been left out of the shift.
    """
    n = scored.sd.size
    if n < MIN_LOGISTIC:
        return Widths()
    shift = shift_in_the_large(scored.expected, scored.outcomes.score)
    residual = (scored.outcomes.score - shifted(scored.expected, shift)) * n / (n - 1)
    error = max(0.0, float(np.mean(residual**2 - scored.sd**2)))
    scaled = np.abs(residual) / np.sqrt(scored.sd**2 + error)
    own = conformal_factors_by_cohort(scaled, scored.cohort)
    return Widths(shift, error, conformal_factor(scaled) or Z_90, tuple(sorted((k, v) for k, v in own.items() if k)))


def from_columns(columns: Mapping[str, Sequence[object]], features: Sequence[str]) -> Results:
    """Results from columns of rows; None is missing. `exam_on` are ordinals of the exam's local day."""

    def numbers(name: str) -> Floats:
        return np.array([np.nan if value is None else value for value in columns[name]], dtype=np.float64)

    def names(name: str) -> npt.NDArray[np.str_]:
        return np.array([str(value or "") for value in columns[name]], dtype=np.str_)

    outcomes = Outcomes(
        features=np.column_stack([numbers(name) for name in features]),
        closed_form=numbers("closed_form"),
        passed=numbers("passed"),
        score=numbers("score"),
        learner=names("learner"),
        exam_on=numbers("exam_on").astype(np.int64),
    )
    return Results(outcomes, numbers("expected"), numbers("score_sd"), names("cohort_id"))
