"""What does a backtest say? Its result as a value, as JSON, and whether it keeps a recorded champion's level."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from osler.errors import InvalidInput, UnreadableSource
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
    CalibrationBin,
    Floats,
    auc_within,
    calibration_table,
    log_losses,
    rows_by_learner,
    score,
)

SERVED = "osler"
Figures = Mapping[str, float | int | None]


@dataclass(frozen=True, slots=True)
class ModelResult:
    """One model's figures in a backtest.

    `figures` are further flat numbers (auc_within, rmse_bins, slope, …); `ci` holds 95 % intervals by figure;
    `by_learner` holds each learner's own figures, at least `n` and `log_loss`; `against_served` is the loss of Osler
    minus the loss of this model (below 0: Osler is ahead), None for Osler itself.
    """

    log_loss: float
    auc: float | None
    brier: float
    ece: float
    ci: Mapping[str, tuple[float, float]] = field(default_factory=dict[str, tuple[float, float]])
    by_learner: Mapping[str, Figures] = field(default_factory=dict[str, Figures])
    figures: Figures = field(default_factory=dict[str, float | int | None])
    calibration: Sequence[CalibrationBin] = ()
    against_served: Difference | None = None
    adjusted_p: float | None = None
    description: str = ""

    def to_json(self) -> dict[str, Any]:
        """The flat figures first, then intervals, learners, calibration table and comparison."""
        flat = {"log_loss": self.log_loss, "auc": self.auc, "brier": self.brier, "ece": self.ece, **self.figures}
        return {
            **flat,
            "ci": {name: list(bounds) for name, bounds in self.ci.items()},
            "by_learner": {name: dict(figures) for name, figures in self.by_learner.items()},
            "calibration": [asdict(b) for b in self.calibration],
            "osler_minus_this": _difference_json(self.against_served, self.adjusted_p),
            "description": self.description,
        }


FIGURE_NAMES = {"log_loss": "log loss", "auc": "AUC"}


@dataclass(frozen=True, slots=True)
class CardText:
    """What a model card says beside the figures: written by the task that serves the model."""

    name: str
    title: str
    question: str
    inputs: str
    method: str
    choices: str
    limits: Sequence[str]
    sources: Sequence[str]
    model: str = SERVED


@dataclass(frozen=True, slots=True)
class Report:
    """The result of one backtest. `sections` holds figures by group: cold start, day, subgroup, leak checks.

    `sections` maps a section's name to rows {group: {figure: number}}; they appear in the JSON under their own names.
    """

    task: str
    n: int
    learners: int
    split: str
    models: Mapping[str, ModelResult]
    data_sha256: str
    versions: Mapping[str, str]
    seed: int
    wall_seconds: float
    notes: Sequence[str] = ()
    sections: Mapping[str, Mapping[str, Mapping[str, Any]]] = field(
        default_factory=dict[str, Mapping[str, Mapping[str, Any]]]
    )
    cards: Sequence[CardText] = ()

    def to_json(self) -> dict[str, Any]:
        """The report as plain values, ready for `json.dumps`."""
        return {
            "task": self.task,
            "n": self.n,
            "learners": self.learners,
            "split": self.split,
            "models": {name: model.to_json() for name, model in self.models.items()},
            **{name: {group: dict(row) for group, row in rows.items()} for name, rows in self.sections.items()},
            "where_a_baseline_wins": self.losses(),
            "data_sha256": self.data_sha256,
            "versions": dict(self.versions),
            "seed": self.seed,
            "wall_seconds": self.wall_seconds,
            "notes": list(self.notes),
        }

    def losses(self, model: str = SERVED) -> list[str]:
        """A sentence for every figure on which a baseline is ahead of the served model; empty where none is."""
        served = self.models.get(model)
        if served is None:
            return []
        said: list[str] = []
        for name, other in self.models.items():
            said.extend(_lost(model, served, name, other) if name != model else [])
        for day, rows in self.sections.get("by_day", {}).items():
            said.extend(_lost_on(day, model, rows))
        return said

    def to_html(self) -> str:
        """A page of its own: tables, calibration plots and comparisons as inline SVG, no script, nothing to load."""
        from osler.evaluate.page import render_report  # noqa: PLC0415 - the template engine is needed for pages only

        return render_report(self, SERVED)

    def model_cards(self) -> dict[str, str]:
        """The Markdown of each served model's card, by file name: what stands in docs/models/<name>.md."""
        from osler.evaluate.page import render_card  # noqa: PLC0415 - the template engine is needed for pages only

        return {f"{card.name}.md": render_card(self, card) for card in self.cards}


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
) -> dict[str, ModelResult]:
    """Scores every model on the same rows and compares each with the served one, by learner.

    Shapes: (n,) arrays. A forecast of NaN means that a model says nothing there: it is scored and compared on the
    rows where it speaks (`figures["n"]`), and left out where it never does. `weight` "rows" pools the rows,
    "learners" makes log loss, Brier, AUC and ECE unweighted means over learners. `figures` adds flat numbers to a
    model. P-values are adjusted over the models (Holm).
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


def _difference_json(gap: Difference | None, adjusted_p: float | None) -> dict[str, Any] | None:
    return None if gap is None else {**asdict(gap), "status": gap.status, "holm_p": adjusted_p}


def _lost(model: str, served: ModelResult, name: str, other: ModelResult) -> list[str]:
    said: list[str] = []
    gap = other.against_served
    # On the rows that both forecast: a model that speaks on fewer rows may look better for having easier ones.
    if gap is not None and gap.mean > 0:
        how = "beyond the interval" if gap.low > 0 else "within the interval"
        span = f"[{gap.low:+.4f}, {gap.high:+.4f}], {how}" if gap.learners > 1 else "(one learner: no interval)"
        said.append(f"{model} loses to {name} on log loss by {gap.mean:.4f} {span}.")
    same_rows = other.figures.get("n") == served.figures.get("n")
    if same_rows and other.auc is not None and served.auc is not None and other.auc > served.auc:
        said.append(f"{model} loses to {name} on AUC: {served.auc:.4f} against {other.auc:.4f}.")
    return said


def _lost_on(day: str, model: str, rows: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """What pooled figures hide: where a baseline is ahead as of one day."""
    served, said = rows.get(model, {}), list[str]()
    for name, other in rows.items():
        pairs = [(figure, served.get(figure), other.get(figure)) for figure in ("log_loss", "auc")]
        ahead = [
            f"{FIGURE_NAMES[figure]}: {ours:.4f} against {theirs:.4f}"
            for figure, ours, theirs in pairs
            if ours is not None and theirs is not None and (theirs < ours if figure == "log_loss" else theirs > ours)
        ]
        if ahead:
            said.append(f"As of day {day} {model} loses to {name} on {'; on '.join(ahead)}.")
    return said


def against_champion(report: Report, champion: Path, *, weight: Weight, seed: int) -> Difference:
    """Osler now minus Osler as recorded, by learner: the gate passes where `high` is at most 0.

    `champion` is a JSON report of the same task on the same data.
    Errors: UnreadableSource for a file that is no report, InvalidInput for one of another task or other learners.
    """
    try:
        recorded = json.loads(champion.read_text())
        theirs: dict[str, dict[str, float]] = recorded["models"][SERVED]["by_learner"]
        task, data = str(recorded["task"]), str(recorded["data_sha256"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UnreadableSource(f"{champion.name} is not a report of osler evaluate: {error}") from error
    mine = report.models[SERVED].by_learner
    if (task, data) != (report.task, report.data_sha256) or set(theirs) != set(mine):
        raise InvalidInput(
            f"{champion.name} was recorded on another task, other data or other learners; record a champion anew."
        )
    names = sorted(mine)
    counts = [1 if weight == "learners" else int(mine[name]["n"] or 0) for name in names]
    learner = np.repeat(np.array(names), counts)
    return paired_by_learner(
        learner,
        np.repeat([float(mine[name]["log_loss"] or 0.0) for name in names], counts),
        np.repeat([float(theirs[name]["log_loss"]) for name in names], counts),
        seed=seed,
        weight=weight,
    )
