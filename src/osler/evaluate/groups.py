"""Do the forecasts hold for every class, every group, every topic? Figures by what a file says of learners and items.

A table may have a column for the learner's cohort and one for a group in which fairness is to be looked at; Osler's own
log says who belongs to which cohort. Neither is ever a feature, nor is a topic of recall.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from osler.evaluate.bootstrap import MIN_LEARNERS
from osler.evaluate.metrics import Floats, auc, log_loss, score

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "cohort": ("cohort", "cohort_id", "class"),
    "group": ("group", "fairness_group", "subgroup"),
}
NOT_STATED = "not stated"
NO_TOPIC = "no topic"
MIN_TOPIC_ROWS, MOST_TOPICS = 100, 60

Labels = Mapping[str, Mapping[str, str]]
"""What is said of learners: "cohort" or "group" → learner → value."""


def stated(said: Mapping[str, Sequence[tuple[str, str]]]) -> dict[str, dict[str, str]]:
    """Labels from (learner, value) pairs of each kind: the first value that is not empty counts; empty kinds go."""
    found: dict[str, dict[str, str]] = {}
    for kind, pairs in said.items():
        for learner, value in pairs:
            if value:
                found.setdefault(kind, {}).setdefault(learner, value)
    return found


def sections(
    labels: Labels,
    learner: npt.NDArray[Any],
    outcome: Floats,
    forecasts: Mapping[str, Floats],
    *,
    served: str,
    beside: Sequence[str],
) -> dict[str, dict[str, dict[str, Any]]]:
    """`by_cohort` and `by_group` of a report, each where the data state it: the served model's figures, others' loss.

    Rows are pooled inside a group. `status` is "insufficient" under 30 learners: such figures are shown with their n
    and compared with nothing. Shapes: (n,) arrays.
    """
    others = {name: p for name in beside if (p := forecasts.get(name)) is not None and name != served}
    made: dict[str, dict[str, dict[str, Any]]] = {}
    for kind, of in labels.items():
        value = np.array([of.get(str(name), NOT_STATED) for name in learner], dtype=np.str_)
        rows = made.setdefault(f"by_{kind}", {})
        for one in np.unique(value).tolist():
            inside = value == one
            losses = {f"log_loss_{name}": _loss(outcome[inside], p[inside]) for name, p in others.items()}
            rows[str(one)] = {**_figures(learner[inside], outcome[inside], forecasts[served][inside]), **losses}
    return made


def topics(
    topic: npt.NDArray[Any],
    outcome: Floats,
    forecasts: Mapping[str, Floats],
    *,
    served: str,
    beside: Sequence[str],
) -> dict[str, dict[str, dict[str, Any]]]:
    """`by_topic` of a report, where the data state any: log loss by topic, the one with most rows first.

    Topics under 100 rows are left out, and all behind the first 60. `topic` is "" where none is stated. Shapes: (n,).
    """
    names, code = np.unique(topic, return_inverse=True)
    if names.tolist() in ([], [""]):
        return {}
    counts = np.bincount(code.ravel())
    compared = [name for name in (served, *beside) if name in forecasts]
    rows: dict[str, dict[str, Any]] = {}
    most: list[int] = np.argsort(-counts, kind="stable")[:MOST_TOPICS].tolist()
    for one in most:
        if counts[one] < MIN_TOPIC_ROWS:
            break
        inside = code.ravel() == one
        rows[str(names[one]) or NO_TOPIC] = {
            "n": int(counts[one]),
            f"{served}_auc": auc(outcome[inside], forecasts[served][inside]),
            **{name: _loss(outcome[inside], forecasts[name][inside]) for name in dict.fromkeys(compared)},
        }
    return {"by_topic": rows}


def _figures(learner: npt.NDArray[Any], outcome: Floats, p: Floats) -> dict[str, Any]:
    own = score(outcome, p)
    learners = int(np.unique(learner).size)
    return {
        "n": own.n, "learners": learners, "status": "ok" if learners >= MIN_LEARNERS else "insufficient",
        "base_rate": own.base_rate, "mean_forecast": float(p.mean()),
        "log_loss": own.log_loss, "auc": own.auc, "brier": own.brier, "ece": own.ece,
    }  # fmt: skip


def _loss(outcome: Floats, p: Floats) -> float | None:
    """The log loss of a model that forecasts every row; None of one that is silent on some."""
    return log_loss(outcome, p) if bool(np.isfinite(p).all()) else None
