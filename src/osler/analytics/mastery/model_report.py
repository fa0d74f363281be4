"""What is known of the worth of the forecasts behind mastery: which model makes them, judged on whom, and why. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

ONLINE, BLEND = "online", "blend"


def model_report(trial: Mapping[str, Any] | None) -> dict[str, Any]:
    """The report from the trial that decides: of the model that serves this learner, else the newest one.

    `trial` is None before the first. A trial with too few learners has no figures, only its reason.
    """
    if trial is None:
        trial = {"version": None, "is_served": False, "metrics": {}, "learners": 0, "answers": 0, "trained_on": None}
    metrics: Mapping[str, Any] = trial["metrics"]
    judged = "log_loss" in metrics
    return {
        "version": trial["version"] if trial["is_served"] else None,
        "source": BLEND if trial["is_served"] else ONLINE,
        "learners": trial["learners"] or 0,
        "answers": trial["answers"] or 0,
        "held_back_learners": int(metrics.get("held_back_learners", 0)),
        "held_back_answers": int(metrics.get("held_back_rows", 0)),
        "trained_until": trial["trained_on"],
        "says": _says(trial, metrics, judged=judged),
        "log_loss": {ONLINE: metrics["adf_log_loss"], BLEND: metrics["log_loss"]} if judged else {},
        "calibration_error": {ONLINE: metrics["adf_ece"], BLEND: metrics["ece"]} if judged else {},
    }


def _says(trial: Mapping[str, Any], metrics: Mapping[str, Any], *, judged: bool) -> str:
    if trial["version"] is None:
        return "No model has been fitted to answers here yet: the online model serves alone."
    if not judged:
        return f"The online model serves alone; the last trial said: {metrics.get('reason', 'nothing')}."
    figures = (
        f"log loss {metrics['difference']:+.4f} against the online model's, at most "
        f"{metrics['difference_upper']:+.4f}, on {metrics['held_back_learners']:.0f} learners held back"
    )
    if trial["is_served"]:
        return f"The model trained on answers here serves: {figures}."
    if trial["is_accepted"]:
        return f"The online model serves until the next refold; the trained model was accepted: {figures}."
    return f"The online model serves alone; the trained model was {metrics['reason']}: {figures}."
