"""How far can an exam forecast be trusted: the spread of its AUC, the calibration error of perfect forecasts?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np

from osler.evaluate.bootstrap import auc_interval
from osler.evaluate.exam_oulad import Floats, Strings
from osler.evaluate.metrics import ece, score
from osler.evaluate.report import ModelResult
from osler.science.serving_rule import compare

ECE_DRAWS = 200
ECE_TOLERANCE = 0.02
AUC_TIE = 0.0005
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class DatedResult(ModelResult):
    """A model's figures over all days, with those of each day under `by_day` in the JSON."""

    by_day: Mapping[str, Mapping[str, Any]] = field(default_factory=dict[str, Mapping[str, Any]])

    def to_json(self) -> dict[str, Any]:
        """The figures of the report's other models, and `by_day`."""
        return {**ModelResult.to_json(self), "by_day": {day: dict(row) for day, row in self.by_day.items()}}


def dated(result: ModelResult, by_day: Mapping[str, Mapping[str, Any]], *, learners: bool) -> DatedResult:
    """The result with the figures of each day; without those of each learner where `learners` is false."""
    kept = {f.name: getattr(result, f.name) for f in fields(ModelResult)}
    if not learners:
        kept["by_learner"] = {}
    return DatedResult(**kept, by_day=by_day)


def perfect_ece(p: Floats, seed: int) -> float:
    """The mean calibration error of forecasts that are exactly right, over simulated outcomes of the same size."""
    rng = np.random.default_rng(seed)
    return float(np.mean([ece((rng.random(p.size) < p).astype(np.float64), p) for _ in range(ECE_DRAWS)]))


def figures(learner: Strings, y: Floats, p: Floats, seed: int) -> Row:
    """One model's flat figures on one day's test rows, AUC with its interval."""
    own = score(y, p)
    interval = auc_interval(learner, y, p, seed=seed)
    return {
        "n": own.n, "log_loss": own.log_loss, "auc": own.auc, "brier": own.brier, "ece": own.ece,
        "auc_low": None if interval is None else interval[0], "auc_high": None if interval is None else interval[1],
        "calibration_slope": own.slope, "calibration_intercept": own.intercept,
    }  # fmt: skip


def rule_verdicts(learner: Strings, y: Floats, forecasts: Mapping[str, Floats], seed: int) -> Row:
    """The serving rule on outcomes that no model had seen: Brier less that of the constant, and its upper bound."""
    base = (forecasts["constant"] - y) ** 2
    rows: Row = {}
    for name, p in forecasts.items():
        if name != "constant":
            verdict = compare((p - y) ** 2, base, learner, seed=seed)
            rows[name] = {"brier_difference": verdict.difference, "upper": verdict.upper, "passes": verdict.ahead}
    return rows


def targets(by_model: Mapping[str, Row], p: Floats, train_rate: float, test_rate: float, seed: int) -> Row:
    """Whether the served forecasts keep to what is promised for a day: AUC beside the better baseline, calibration."""
    served = by_model["osler"]
    better = max(("logistic", "random_forest"), key=lambda name: by_model[name]["auc"] or 0.0)
    rival = by_model[better]
    floor = perfect_ece(p, seed)
    excess = served["ece"] - floor
    row: Row = {
        "better_baseline": better,
        "auc": served["auc"], "auc_of_better": rival["auc"],
        "auc_interval_of_better": [rival["auc_low"], rival["auc_high"]],
        "auc_within": served["auc"] is not None and rival["auc_low"] is not None and served["auc"] >= rival["auc_low"],
        "ece": served["ece"], "ece_of_perfect_forecasts": floor, "ece_excess": excess,
        "ece_within": excess <= ECE_TOLERANCE,
        "base_rate_train": train_rate, "base_rate_test": test_rate, "base_rate_moved": test_rate - train_rate,
    }  # fmt: skip
    if excess > ECE_TOLERANCE:
        row["says"] = (
            f"Calibration is off by {excess:.3f} more than chance; the share at risk moved by "
            f"{100 * (test_rate - train_rate):+.1f} points between training and test."
        )
    return row
