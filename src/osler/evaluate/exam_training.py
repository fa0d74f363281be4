# scikit-learn ships no types.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false, reportMissingTypeStubs=false
"""Does a model trained on past exams beat the closed form? Fitted forward by exam date; served only if it does.

Rows are snapshots of the brief's eight features 90, 60, 30, 14 and 7 days before an exam with its outcome. Each exam
date is forecast by models fitted on earlier exams alone, without the learners that sit it; a learner has one weight.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.linear_model import LogisticRegression, Ridge

from osler.science.exam_trained import TrainedExam, as_trees_read, design, learn_scaling, probability
from osler.science.serving_rule import Verdict, enough_outcomes, may_serve
from osler.science.trees import Boosted, Tree

Floats = npt.NDArray[np.float64]

SNAPSHOT_DAYS = (90, 60, 30, 14, 7)
TREES = 300
MIN_LEAF = 10
MAX_BLOCKS = 5


@dataclass(frozen=True, slots=True)
class Outcomes:
    """Snapshots with what came of them; (n,) arrays but `features` (n, 8) in the brief's order, NaN where missing.

    `exam_on` orders exams (days as integers); `closed_form` is P(pass) of the closed form as of the snapshot; `score`
    is the share of points, NaN where only passing is known. A drop-out is no outcome and has no row.
    """

    features: Floats
    closed_form: Floats
    passed: Floats
    score: Floats
    learner: npt.NDArray[np.str_]
    exam_on: npt.NDArray[np.int64]

    def rows(self, mask: npt.NDArray[np.bool_]) -> Outcomes:
        """The same for some rows only."""
        return Outcomes(
            self.features[mask], self.closed_form[mask], self.passed[mask], self.score[mask], self.learner[mask],
            self.exam_on[mask],
        )  # fmt: skip


def learner_weights(rows: Outcomes) -> Floats:
    """One weight a learner, shared by their snapshots."""
    _, code, counts = np.unique(rows.learner, return_inverse=True, return_counts=True)
    return 1.0 / counts[code]


def _plain_trees(model: Any, tree_value: Callable[[Any], Floats]) -> Boosted:
    """A forest as arrays; each leaf's value divided by the number of trees."""
    trees: list[Tree] = []
    for grown in model.estimators_:
        nodes = grown.tree_
        value = tree_value(nodes) / len(model.estimators_)
        inner = nodes.children_left >= 0
        trees.append(
            Tree(
                feature=tuple(np.where(inner, nodes.feature, -1).tolist()),
                threshold=tuple(np.where(inner, nodes.threshold, 0.0).tolist()),
                left=tuple(nodes.children_left.tolist()),
                right=tuple(nodes.children_right.tolist()),
                value=tuple(np.where(inner, 0.0, value).tolist()),
            )
        )
    return Boosted(0.0, tuple(trees))


def fit_logistic(rows: Outcomes, _seed: int) -> TrainedExam:
    """L2 logistic regression for passing, ridge for the score, both on standardised columns."""
    scaling = learn_scaling(rows.features, rows.closed_form)
    x, weight = design(rows.features, rows.closed_form, scaling), learner_weights(rows)
    model = LogisticRegression(C=1.0, max_iter=5000).fit(x, rows.passed, sample_weight=weight)
    known = np.isfinite(rows.score)
    score_weights: tuple[float, ...] = ()
    if known.sum() >= 30:
        ridge = Ridge(alpha=1.0).fit(x[known], rows.score[known], sample_weight=weight[known])
        score_weights = (*map(float, ridge.coef_), float(ridge.intercept_))
    weights = (*map(float, model.coef_[0]), float(model.intercept_[0]))
    return TrainedExam("logistic", scaling, weights, score_weights, outcomes=len(set(rows.learner.tolist())))


def fit_forest(rows: Outcomes, seed: int) -> TrainedExam:
    """Random forest of 300 trees, leaf at least 10, for passing and for the score."""
    scaling = learn_scaling(rows.features, rows.closed_form)
    x = as_trees_read(design(rows.features, rows.closed_form, scaling))
    weight = learner_weights(rows)
    model = RandomForestClassifier(TREES, min_samples_leaf=MIN_LEAF, random_state=seed)
    model.fit(x, rows.passed, sample_weight=weight)
    one = int(np.flatnonzero(np.asarray(model.classes_) > 0.5)[0])
    known = np.isfinite(rows.score)
    score_forest = None
    if known.sum() >= 30:
        grown = RandomForestRegressor(TREES, min_samples_leaf=MIN_LEAF, random_state=seed)
        grown.fit(x[known], rows.score[known], sample_weight=weight[known])
        score_forest = _plain_trees(grown, lambda nodes: nodes.value[:, 0, 0])
    forest = _plain_trees(model, lambda nodes: nodes.value[:, 0, one] / nodes.value[:, 0, :].sum(axis=1))
    return TrainedExam(
        "random_forest", scaling, forest=forest, score_forest=score_forest, outcomes=len(set(rows.learner.tolist()))
    )


FITS: dict[str, Callable[[Outcomes, int], TrainedExam]] = {"logistic": fit_logistic, "random_forest": fit_forest}


def exam_blocks(rows: Outcomes) -> list[npt.NDArray[np.int64]]:
    """The exam dates in at most six blocks in order; the first only trains."""
    return [b for b in np.array_split(np.unique(rows.exam_on), MAX_BLOCKS + 1) if b.size]


def forward(rows: Outcomes, seed: int) -> tuple[npt.NDArray[np.bool_], dict[str, Floats]]:
    """(rows that were forecast, forecasts by model, base rate among them): at most five blocks of exam dates, in order.

    The first block only trains. A block is forecast by fits on earlier dates without the block's learners.
    """
    done = np.zeros(rows.passed.size, dtype=bool)
    found = {name: np.zeros(rows.passed.size) for name in (*FITS, "base_rate")}
    for block in exam_blocks(rows)[1:]:
        test = np.isin(rows.exam_on, block)
        earlier = rows.rows((rows.exam_on < block[0]) & ~np.isin(rows.learner, rows.learner[test]))
        if not enough_outcomes(_one_a_learner(earlier)):
            continue
        done |= test
        now = rows.rows(test)
        for name, fit in FITS.items():
            found[name][test] = probability(fit(earlier, seed), now.features, now.closed_form)
        found["base_rate"][test] = np.average(earlier.passed, weights=learner_weights(earlier))
    return done, found


def _one_a_learner(rows: Outcomes) -> Floats:
    _, first = np.unique(rows.learner, return_index=True)
    return rows.passed[first]


@dataclass(frozen=True, slots=True)
class Training:
    """What came of training: the model to serve or None (then the closed form is served), why, and the evidence."""

    served: TrainedExam | None
    source: str
    says: str
    verdicts: dict[str, dict[str, Verdict]]
    brier: dict[str, float]


def train(rows: Outcomes, *, seed: int) -> Training:
    """Trains forward in time, applies the serving rule against closed form and base rate, refits the winner on all.

    At least 100 learners with outcomes, 20 of the rarer kind, both before the first forecast and among those forecast.
    """
    closed = Training(None, "closed_form", "Too few exam results to train on; the closed form is served.", {}, {})
    if not enough_outcomes(_one_a_learner(rows)):
        return closed
    done, found = forward(rows, seed)
    tested = rows.rows(done)
    if not enough_outcomes(_one_a_learner(tested)):
        return closed
    weight, y = learner_weights(tested), tested.passed
    forecasts = {name: p[done] for name, p in found.items()} | {"closed_form": tested.closed_form}
    brier = {name: float(np.average((p - y) ** 2, weights=weight)) for name, p in forecasts.items()}
    rivals: dict[str, npt.ArrayLike] = {name: forecasts[name] for name in ("closed_form", "base_rate")}
    verdicts: dict[str, dict[str, Verdict]] = {}
    allowed: list[str] = []
    for name in FITS:
        passes, verdicts[name] = may_serve(y, forecasts[name], rivals, tested.learner, seed=seed)
        allowed += [name] if passes else []
    if not allowed:
        says = "The trained models did not beat the closed form and the base rate; the closed form is served."
        return Training(None, "closed_form", says, verdicts, brier)
    best = min(allowed, key=lambda name: brier[name])
    says = f"{best} beat the closed form and the base rate on exams that it had not seen."
    return Training(FITS[best](rows, seed), best, says, verdicts, brier)
