"""The words of the exam task: what its models are, how choices were made, what its figures do not say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from osler.evaluate.report import CardText

DESCRIPTIONS = {
    "osler": "what would be served on that day: chosen and recalibrated on training presentations, else the base rate",
    "constant": "share at risk of the training rows",
    "logistic": "L2 logistic regression (C = .5) on dummy-coded, standardised features",
    "random_forest": "100 trees, leaf at least 10, on the same features",
}
NOTES = (
    "At risk means Fail or Withdrawn; forecasts are as of the day, from what had been handed in.",
    "Candidates, recalibration and choice use out-of-run forecasts of the training presentations alone.",
    "date_unregistration decides only who was still registered on the day; it is no feature.",
    "The pooled figures mix days and count a learner once a day; read by_day.",
    "A backtest shows forecasting, not learning: nothing here says that acting on a forecast helps.",
)
CARD = CardText(
    name="exam",
    title="Exam outcome from coursework",
    question="Will this learner fail or withdraw, as far as can be told on a given day of the course?",
    inputs="Demographics at registration; submissions up to the day, relative to the learner's own run of the module.",
    method=(
        "Mean logit of a logistic regression and a random forest on standing within the run (distance from the run's "
        "mean in its spreads), or whichever candidate wins; logistic recalibration."
    ),
    choices=(
        "Made on the training presentations alone, by out-of-run log loss: each module's presentation is forecast by "
        "models that saw none of it and none of its learners. A candidate that does not beat the base rate is refused."
    ),
    limits=(
        "A university's distance courses, not medicine; the product's own forecast is readiness's closed form.",
        "Standing within a run needs the other learners of that run as of the same day.",
        "Demographic features forecast, they do not explain; figures by group are in the report.",
    ),
    sources=("Kuzilek, Hlosta, Zdrahal 2017", "Platt 1999", "Breiman 2001"),
)


def told(day: str, target: Mapping[str, Any], served: str) -> str:
    """One day's row of the section `targets` in a sentence; `served` is the chosen model, "constant" the refusal."""
    moved = f"the share at risk moved by {100 * target['base_rate_moved']:+.1f} points between training and test"
    if served == "constant":
        return f"Day {day}: we can't tell. No model beat the base rate on past presentations beyond chance; {moved}."
    if target["auc"] is None:
        return f"Day {day}: everybody tested came out alike, so that order cannot be judged; {moved}."
    low, high = target["auc_interval_of_better"]
    return (
        f"Day {day}: {served} is served, with an AUC of {target['auc']:.3f}; the better baseline, "
        f"{target['better_baseline']}, has {target['auc_of_better']:.3f} ({low:.3f} to {high:.3f}). Calibration is off "
        f"by {target['ece']:.3f}, that of perfect forecasts by {target['ece_of_perfect_forecasts']:.3f}; {moved}."
    )
