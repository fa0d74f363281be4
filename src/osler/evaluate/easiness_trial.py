"""May these counts say how easy questions are? Only where they forecast better than taking all to be equally easy.

Every learner judges, by the fold that serves and under what the folds without them counted; each has one weight. As for
the model of the next answer, the log loss must be lower beyond chance, and the calibration error no worse.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from osler.evaluate.exam_figures import perfect_ece
from osler.evaluate.metrics import ece, log_loss, log_losses
from osler.evaluate.next_answer_trial import MOST_MISCALIBRATED
from osler.evaluate.prior_variances_trial import Taught, forecasts
from osler.science import serving_rule
from osler.science.irt import DEFAULTS
from osler.science.item_easiness import START_MEAN, Encoding
from osler.science.voices import VOICES


@dataclass(frozen=True, slots=True)
class EasinessTrial:
    """Whether the counts may serve, and why."""

    accepted: bool
    reason: str
    metrics: dict[str, float] | None = None


def tried(learners: Sequence[Taught]) -> EasinessTrial:
    """Judges counts by the answers of learners who are folded under them. From ten learners on."""
    judges = [one for one in learners if one.answers]
    if len(judges) < VOICES:
        return EasinessTrial(False, f"too few: {len(judges)} learners; needed {VOICES}")
    learner = np.repeat(np.arange(len(judges)), [len(one.answers) for one in judges])
    outcome = np.array([float(answer.correct) for one in judges for answer in one.answers])
    counted = forecasts(judges, DEFAULTS)
    start = forecasts([replace(one, encoding=Encoding(START_MEAN)) for one in judges], DEFAULTS)
    verdict = serving_rule.compare(log_losses(outcome, counted), log_losses(outcome, start), learner)
    metrics = {
        "difference": verdict.difference, "difference_upper": verdict.upper, "judges": float(len(judges)),
        "rows": float(outcome.size), "log_loss": log_loss(outcome, counted), "ece": ece(outcome, counted),
        "start_log_loss": log_loss(outcome, start), "start_ece": ece(outcome, start),
    }  # fmt: skip
    calibrated = metrics["ece"] <= max(perfect_ece(counted, seed=0) + MOST_MISCALIBRATED, metrics["start_ece"])
    reason = f"{'ahead' if verdict.ahead else 'not ahead'} of taking all questions to be equally easy"
    if verdict.ahead and not calibrated:
        reason += ", but further off in calibration"
    return EasinessTrial(verdict.ahead and calibrated, reason, metrics)
