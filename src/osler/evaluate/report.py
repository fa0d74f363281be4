"""What does a backtest say? Its result as a value, as JSON, and the sentences on where a baseline wins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from osler.evaluate.bootstrap import Difference
from osler.evaluate.metrics import CalibrationBin

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
    `answer` is what it comes to, in sentences that are read before any table; `status` says of an outcome whether it
    can be told (ok, cannot_tell, insufficient_data), None where the question is not asked.
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
    answer: Sequence[str] = ()
    status: str | None = None

    def to_json(self) -> dict[str, Any]:
        """The report as plain values, ready for `json.dumps`."""
        return {
            "task": self.task,
            **({} if self.status is None else {"status": self.status}),
            "answer": list(self.answer),
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
