# scikit-learn ships no types.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false, reportMissingTypeStubs=false
"""Does a model trained on past exams beat the closed form? Fitted forward by exam date; served only if it does.

Rows are snapshots of the brief's eight features 90, 60, 30, 14 and 7 days before an exam with its outcome. Each exam
date is forecast by models fitted on earlier exams alone, without the learners that sit it; a learner has one weight.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from osler.errors import Misconfigured
from osler.science.calibration import fit_calibration
from osler.science.exam_trained import TrainedExam, as_trees_read, design, learn_scaling, probability
from osler.science.serving_rule import Verdict, compare, enough_outcomes
from osler.science.threads import one_thread
from osler.science.trees import Boosted, Tree

Floats = npt.NDArray[np.float64]
Places = npt.NDArray[np.int64]
Verdicts = dict[str, Verdict]

TOO_FEW = "Too few exam results to train on; the closed form is served."
NONE_WON = "The trained models did not beat the closed form and the base rate; the closed form is served."
TREES = 300
MIN_LEAF = 10
MAX_BLOCKS = 5
MIN_EARLIER = 30
MIN_EARLIER_RARER = 5
RIVALS = ("closed_form", "base_rate")


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

    def rows(self, mask: npt.NDArray[np.bool_] | Places) -> Outcomes:
        """The same for some rows only, chosen by a mask or by their places."""
        return Outcomes(
            self.features[mask], self.closed_form[mask], self.passed[mask], self.score[mask], self.learner[mask],
            self.exam_on[mask],
        )  # fmt: skip


Recalibrate = Callable[[Outcomes, Places, Places], Floats]


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


def _library() -> tuple[Any, Any]:
    """scikit-learn's linear models and ensembles. Errors: Misconfigured without the `fit` extra."""
    try:
        from sklearn import ensemble, linear_model  # noqa: PLC0415 - an extra
    except ImportError as absent:
        raise Misconfigured("Training exam models needs the extra: pip install 'osler[fit]'.") from absent
    return linear_model, ensemble


def fit_logistic(rows: Outcomes, _seed: int) -> TrainedExam:
    """L2 logistic regression for passing, ridge for the score, both on standardised columns."""
    linear, _ = _library()
    scaling = learn_scaling(rows.features, rows.closed_form)
    x, weight = design(rows.features, rows.closed_form, scaling), learner_weights(rows)
    model = linear.LogisticRegression(C=1.0, max_iter=5000).fit(x, rows.passed, sample_weight=weight)
    known = np.isfinite(rows.score)
    score_weights: tuple[float, ...] = ()
    if known.sum() >= 30:
        ridge = linear.Ridge(alpha=1.0).fit(x[known], rows.score[known], sample_weight=weight[known])
        score_weights = (*map(float, ridge.coef_), float(ridge.intercept_))
    weights = (*map(float, model.coef_[0]), float(model.intercept_[0]))
    return TrainedExam("logistic", scaling, weights, score_weights, outcomes=len(set(rows.learner.tolist())))


def fit_forest(rows: Outcomes, seed: int) -> TrainedExam:
    """Random forest of 300 trees, leaf at least 10, for passing and for the score."""
    _, ensemble = _library()
    scaling = learn_scaling(rows.features, rows.closed_form)
    x = as_trees_read(design(rows.features, rows.closed_form, scaling))
    weight = learner_weights(rows)
    model = ensemble.RandomForestClassifier(TREES, min_samples_leaf=MIN_LEAF, random_state=seed)
    model.fit(x, rows.passed, sample_weight=weight)
    one = int(np.flatnonzero(np.asarray(model.classes_) > 0.5)[0])
    known = np.isfinite(rows.score)
    score_forest = None
    if known.sum() >= 30:
        grown = ensemble.RandomForestRegressor(TREES, min_samples_leaf=MIN_LEAF, random_state=seed)
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


def recalibrated(rows: Outcomes, known: Places, now: Places) -> Floats:
    """The closed form of the rows `now`, recalibrated on the results `known`."""
    return fit_calibration(rows.closed_form[known], rows.passed[known]).apply(rows.closed_form[now])


def forward(
    rows: Outcomes, seed: int, recalibrate: Recalibrate = recalibrated
) -> tuple[npt.NDArray[np.bool_], dict[str, Floats]]:
    """(rows that were forecast, forecasts by model, with the closed form as it is, recalibrated, and the base rate).

    At most five blocks of exam dates, in order; the first block only trains. A block is forecast by fits on earlier
    dates without the block's learners, once these hold 30 results with 5 of the rarer kind. `recalibrate` makes of the
    closed form what would be served.
    """
    done = np.zeros(rows.passed.size, dtype=bool)
    found = {name: np.zeros(rows.passed.size) for name in (*FITS, "recalibrated", "base_rate")}
    for block in exam_blocks(rows)[1:]:
        test = np.isin(rows.exam_on, block)
        places = np.flatnonzero((rows.exam_on < block[0]) & ~np.isin(rows.learner, rows.learner[test]))
        earlier = rows.rows(places)
        known = places[one_an_outcome(earlier)]
        came = rows.passed[known]
        if came.size < MIN_EARLIER or min(came.sum(), (1 - came).sum()) < MIN_EARLIER_RARER:
            continue
        done |= test
        now = rows.rows(test)
        for name, fit in FITS.items():
            found[name][test] = probability(fit(earlier, seed), now.features, now.closed_form)
        found["recalibrated"][test] = recalibrate(rows, known, np.flatnonzero(test))
        found["base_rate"][test] = np.average(earlier.passed, weights=learner_weights(earlier))
    return done, found | {"closed_form": rows.closed_form}


def one_an_outcome(rows: Outcomes) -> Places:
    """One snapshot of each result, so that results count once and every distance to an exam takes part.

    Which of a learner's snapshots follows from their name alone: drawn once, the same in every run.
    """
    draw = np.array([zlib.crc32(f"{learner} {day} {i}".encode()) for i, learner, day in _numbered(rows)], np.int64)
    order = np.lexsort((draw, rows.exam_on, rows.learner))
    learner, day = rows.learner[order], rows.exam_on[order]
    first = np.ones(order.size, dtype=bool)
    first[1:] = (learner[1:] != learner[:-1]) | (day[1:] != day[:-1])
    return np.sort(order[first])


def _numbered(rows: Outcomes) -> list[tuple[int, str, int]]:
    """The rows as (number among the learner's rows of that exam, learner, exam day)."""
    seen: dict[tuple[str, int], int] = {}
    found: list[tuple[int, str, int]] = []
    for learner, day in zip(rows.learner.tolist(), rows.exam_on.tolist(), strict=True):
        number = seen[learner, day] = seen.get((learner, day), -1) + 1
        found.append((number, learner, day))
    return found


def enough(rows: Outcomes) -> bool:
    """At least 100 results with 20 of the rarer kind."""
    return enough_outcomes(rows.passed[one_an_outcome(rows)])


def verdicts_on(
    rows: Outcomes, done: npt.NDArray[np.bool_], found: dict[str, Floats], name: str, seed: int
) -> Verdicts:
    """A forecast held against the closed form and the base rate on the rows that nobody had seen."""
    y = rows.passed[done]
    loss = (found[name][done] - y) ** 2
    return {rival: compare(loss, (found[rival][done] - y) ** 2, rows.learner[done], seed=seed) for rival in RIVALS}


def winners(rows: Outcomes, done: npt.NDArray[np.bool_], found: dict[str, Floats], seed: int) -> list[str]:
    """The trained models that may be served, best first.

    Ahead of the closed form and the base rate beyond chance, and no worse than what would be served instead: the
    closed form recalibrated on earlier results.
    """
    if not done.any():
        return []
    brier = brier_of(rows, done, found)
    won = [
        name
        for name in FITS
        if all(verdict.ahead for verdict in verdicts_on(rows, done, found, name, seed).values())
        and brier[name] <= brier["recalibrated"]
    ]
    return sorted(won, key=lambda name: brier[name])


def brier_of(rows: Outcomes, done: npt.NDArray[np.bool_], found: dict[str, Floats]) -> dict[str, float]:
    """Brier score of each forecast on the rows that nobody had seen, one weight a learner."""
    tested = rows.rows(done)
    weight = learner_weights(tested)
    return {name: float(np.average((p[done] - tested.passed) ** 2, weights=weight)) for name, p in found.items()}


@dataclass(frozen=True, slots=True)
class Training:
    """What came of training: the model to serve or None (then the closed form is served), why, and the evidence."""

    served: TrainedExam | None
    source: str
    says: str
    verdicts: dict[str, Verdicts]
    brier: dict[str, float]
    beats_base_rate: bool | None = None


def train(rows: Outcomes, *, seed: int, recalibrate: Recalibrate = recalibrated) -> Training:
    """Trains forward in time, applies the serving rule, refits the winner on all.

    From 100 results with 20 of the rarer kind. `beats_base_rate` says of the recalibrated closed form whether it is
    ahead of the base rate beyond chance, so that no forecast is given where none is worth anything.
    """
    if not enough(rows):
        return Training(None, "closed_form", TOO_FEW, {}, {})
    with one_thread():
        done, found = forward(rows, seed, recalibrate)
    if not done.any():
        return Training(None, "closed_form", TOO_FEW, {}, {})
    brier = brier_of(rows, done, found)
    verdicts = {name: verdicts_on(rows, done, found, name, seed) for name in (*FITS, "recalibrated")}
    beats = verdicts["recalibrated"]["base_rate"].ahead
    allowed = winners(rows, done, found, seed)
    if not allowed:
        return Training(None, "closed_form", NONE_WON, verdicts, brier, beats)
    best = allowed[0]
    says = f"{best} beat the closed form and the base rate on exams that it had not seen."
    return Training(FITS[best](rows, seed), best, says, verdicts, brier, beats)
