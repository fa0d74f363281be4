"""Which model is better on these rows, and by how much? Every model scored alike, and held against the served one."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from osler.evaluate.bootstrap import (
    Difference,
    Weight,
    auc_interval,
    ece_interval,
    holm,
    mean_interval,
    paired_by_learner,
)
from osler.evaluate.metrics import (
    MIN_WITHIN,
    Floats,
    auc_within,
    calibration_table,
    log_losses,
    rows_by_learner,
    score,
)
from osler.evaluate.report import SERVED, Figures, ModelResult

NO_RANKS = 0.5  # the AUC of a forecast that is the same for all


def judge(
    learner: npt.NDArray[Any],
    y: npt.ArrayLike,
    forecasts: Mapping[str, npt.ArrayLike],
    *,
    seed: int,
    served: str = SERVED,
    weight: Weight = "rows",
    descriptions: Mapping[str, str] | None = None,
    figures: Mapping[str, Figures] | None = None,
    unranked: Collection[str] = (),
) -> dict[str, ModelResult]:
    """Scores every model on the same rows and compares each with the served one, by learner.

    Shapes: (n,) arrays. A forecast of NaN means that a model says nothing there: it is scored and compared on the
    rows where it speaks (`figures["n"]`), and left out where it never does. `weight` "rows" pools the rows,
    "learners" makes log loss, Brier, AUC and ECE unweighted means over learners. `figures` adds flat numbers to a
    model. `unranked` are models that forecast one number for each stretch of rows: they tell no two rows of a stretch
    apart, and their AUC is .5; pooled, it would rank the stretches. P-values are adjusted over the models (Holm).
    """
    outcome = np.asarray(y, dtype=np.float64)
    known = {name: np.asarray(p, dtype=np.float64) for name, p in forecasts.items()}
    known = {name: p for name, p in known.items() if bool(np.isfinite(p).any())}
    gaps = {
        name: _gap(learner, outcome, known[served], p, seed=seed, weight=weight)
        for name, p in known.items()
        if name != served and served in known
    }
    tested = [name for name, gap in gaps.items() if gap.p_value is not None]
    adjusted = dict(zip(tested, holm([gaps[name].p_value or 0.0 for name in tested]), strict=True))
    results: dict[str, ModelResult] = {}
    for name, p in known.items():
        rows = np.isfinite(p)
        result = _scored(learner[rows], outcome[rows], p[rows], weight=weight, seed=seed)
        if name in unranked:
            result = _without_ranks(result)
        results[name] = replace(
            result,
            against_served=gaps.get(name),
            adjusted_p=adjusted.get(name),
            description=(descriptions or {}).get(name, ""),
            figures={**result.figures, **(figures or {}).get(name, {})},
        )
    return results


def _gap(
    learner: npt.NDArray[Any], outcome: Floats, served: Floats, other: Floats, *, seed: int, weight: Weight
) -> Difference:
    rows = np.isfinite(other) & np.isfinite(served)
    return paired_by_learner(
        learner[rows],
        log_losses(outcome[rows], served[rows]),
        log_losses(outcome[rows], other[rows]),
        seed=seed,
        weight=weight,
    )


def _scored(learner: npt.NDArray[Any], outcome: Floats, p: Floats, *, weight: Weight, seed: int) -> ModelResult:
    pooled = score(outcome, p)
    mine = {name: _own_figures(outcome[rows], p[rows]) for name, rows in rows_by_learner(learner).items()}
    head: dict[str, float | None] = {
        "log_loss": pooled.log_loss, "auc": pooled.auc, "brier": pooled.brier, "ece": pooled.ece
    }  # fmt: skip
    if weight == "learners":
        head = {name: _mean([m[name] for m in mine.values()]) for name in head}
    return ModelResult(
        log_loss=head["log_loss"] or 0.0,
        auc=head["auc"],
        brier=head["brier"] or 0.0,
        ece=head["ece"] or 0.0,
        ci=_intervals(learner, outcome, p, mine, weight=weight, seed=seed),
        by_learner=mine,
        figures={
            "n": pooled.n,
            "learners": len(mine),
            "auc_within": auc_within(learner, outcome, p),
            "brier_skill": pooled.brier_skill,
            "calibration_slope": pooled.slope,
            "calibration_intercept": pooled.intercept,
            "log_loss_pooled": pooled.log_loss,
        },
        calibration=calibration_table(outcome, p),
    )


def _without_ranks(result: ModelResult) -> ModelResult:
    """The same with AUCs of one half, wherever there is one."""
    mine = {name: {**m, "auc": None if m["auc"] is None else NO_RANKS} for name, m in result.by_learner.items()}
    ci = {name: (NO_RANKS, NO_RANKS) if name.startswith("auc") else bounds for name, bounds in result.ci.items()}
    within = None if result.figures["auc_within"] is None else NO_RANKS
    auc = None if result.auc is None else NO_RANKS
    return replace(result, auc=auc, ci=ci, by_learner=mine, figures={**result.figures, "auc_within": within})


def _intervals(
    learner: npt.NDArray[Any], y: Floats, p: Floats, mine: Mapping[str, Figures], *, weight: Weight, seed: int
) -> dict[str, tuple[float, float]]:
    """95 % intervals by a bootstrap over learners, of every figure at the head that has one."""
    found: dict[str, tuple[float, float] | None] = {
        "log_loss": mean_interval(learner, log_losses(y, p), seed=seed, weight=weight),
        "brier": mean_interval(learner, (p - y) ** 2, seed=seed, weight=weight),
    }
    if weight == "rows":
        found |= {"auc": auc_interval(learner, y, p, seed=seed), "ece": ece_interval(learner, y, p, seed=seed)}
    else:
        found |= {name: _mean_interval([m[name] for m in mine.values()], seed) for name in ("auc", "ece")}
    within = [m["auc"] for m in mine.values() if (m["n"] or 0) >= MIN_WITHIN]
    found["auc_within"] = _mean_interval(within, seed)
    return {name: interval for name, interval in found.items() if interval is not None}


def _mean_interval(values: Sequence[float | int | None], seed: int) -> tuple[float, float] | None:
    """The interval of a mean over learners, of those who have the figure; None without any."""
    known = np.array([value for value in values if value is not None], dtype=np.float64)
    return mean_interval(np.arange(known.size), known, seed=seed) if known.size else None


def _own_figures(y: Floats, p: Floats) -> Figures:
    own = score(y, p)
    return {"n": own.n, "log_loss": own.log_loss, "auc": own.auc, "brier": own.brier, "ece": own.ece}


def _mean(values: Sequence[float | int | None]) -> float | None:
    known = [v for v in values if v is not None]
    return float(np.mean(known)) if known else None
