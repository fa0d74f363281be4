"""May this model of the next answer be served? Fitted on four learners of five, judged on the fifth, beside ADF.

The rows come from the live fold. Every learner is encoded without their own fold, as they are when they are served.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from osler.evaluate.exam_figures import perfect_ece
from osler.evaluate.metrics import Floats, ece, log_loss, log_losses
from osler.evaluate.next_answer_data import Ints
from osler.evaluate.next_answer_models import FORECAST, MIN_LEARNERS, MIN_ROWS
from osler.evaluate.next_answer_rows import TEST_ONE_IN
from osler.science import boosting, next_answer, next_answer_fit, serving_rule
from osler.science.item_easiness import fold_of
from osler.science.logits_many import sigmoid_many
from osler.science.next_answer import NextAnswerModel
from osler.science.next_answer_fit import Collected

SPLIT_NAME = "osler:"
MIN_HELD_BACK = 30
MOST_MISCALIBRATED = 0.02  # beyond what perfectly calibrated forecasts of the same size show


def is_held_back(user_id: object) -> bool:
    """Whether a learner is never trained on: the same one in five every week, so that later models can be judged."""
    return fold_of(f"{SPLIT_NAME}{user_id}", TEST_ONE_IN) == 0


@dataclass(frozen=True, slots=True)
class Trial:
    """A model with what it did on learners held back, or why none was made. `accepted`: it may be served."""

    accepted: bool
    reason: str
    model: NextAnswerModel | None = None
    learners: int = 0
    rows: int = 0
    metrics: dict[str, float] | None = None


def tried(collected: Collected, learner: Ints, held_back: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Trial:
    """Fit and judge. Shapes: `learner` (n,) codes of the rows, `held_back` (n,) whether the row's learner is.

    Too few answers or learners, or one outcome alone: not fitted. Accepted where the mean log loss over learners held
    back is below that of ADF with the upper 95 % bound of the difference, and the calibration error is no worse than
    ADF's or .02. Without the `fit` extra the regression is fitted and judged alone.
    """
    train, test = np.flatnonzero(~held_back), np.flatnonzero(held_back)
    taught, judges = (int(np.unique(learner[rows]).size) for rows in (train, test))
    if train.size < MIN_ROWS or taught < MIN_LEARNERS or judges < MIN_HELD_BACK:
        needed = f"{MIN_ROWS} of {MIN_LEARNERS} learners, and {MIN_HELD_BACK} held back, one in {TEST_ONE_IN}"
        return Trial(False, f"too few: {train.size} answers of {taught} learners, {judges} held back; needed {needed}")
    rows, tested = collected.rows.take(train), collected.rows.take(test)
    if np.ptp(rows.correct) == 0:
        return Trial(False, "all answers have the same outcome")
    model = next_answer_fit.fit(
        rows, collected.items, collected.topics, with_trees=boosting.AVAILABLE,
        weight=next_answer_fit.learner_weights(learner[train]),
    )  # fmt: skip
    blend = next_answer.predict_many(model, tested, collected.items, collected.topics)
    alone = sigmoid_many(tested.features[:, FORECAST])
    verdict = serving_rule.compare(log_losses(tested.correct, blend), log_losses(tested.correct, alone), learner[test])
    metrics = {
        "difference": verdict.difference, "difference_upper": verdict.upper, "held_back_learners": float(judges),
        "held_back_rows": float(test.size), **_figures("", tested.correct, blend),
        **_figures("adf_", tested.correct, alone),
    }  # fmt: skip
    calibrated = metrics["ece"] <= max(perfect_ece(blend, seed=0) + MOST_MISCALIBRATED, metrics["adf_ece"])
    reason = f"{'ahead' if verdict.ahead else 'not ahead'} of ADF on learners held back"
    if verdict.ahead and not calibrated:
        reason += ", but further off in calibration"
    return Trial(verdict.ahead and calibrated, reason, model, taught, int(train.size), metrics)


def _figures(prefix: str, outcome: Floats, forecast: Floats) -> dict[str, float]:
    return {f"{prefix}log_loss": log_loss(outcome, forecast), f"{prefix}ece": ece(outcome, forecast)}
