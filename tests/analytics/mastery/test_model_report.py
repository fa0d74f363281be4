"""What the mastery page says of the model behind its forecasts."""

from __future__ import annotations

from typing import Any

import pytest

from osler.analytics.mastery.model_report import BLEND, ONLINE, model_report
from osler.analytics.mastery.schemas import AnswerModelReport

FIGURES = {
    "log_loss": 0.51, "ece": 0.01, "adf_log_loss": 0.53, "adf_ece": 0.02, "difference": -0.02,
    "difference_upper": -0.011, "held_back_learners": 41.0, "held_back_rows": 8_300.0,
    "reason": "ahead of ADF on learners held back",
}  # fmt: skip


def trial(*, is_served: bool, is_accepted: bool = True, metrics: dict[str, Any] = FIGURES) -> dict[str, Any]:
    return {
        "version": "next-answer-1", "is_served": is_served, "is_accepted": is_accepted, "trained_on": "2026-11-16",
        "learners": 160, "answers": 40_000, "metrics": metrics,
    }  # fmt: skip


def test_before_a_trial_the_online_model_serves_and_says_so():
    report = AnswerModelReport.model_validate(model_report(None))
    assert (report.version, report.source, report.log_loss) == (None, ONLINE, {})
    assert "No model has been fitted" in report.says


def test_a_model_that_serves_stands_with_its_figures_on_learners_held_back():
    report = AnswerModelReport.model_validate(model_report(trial(is_served=True)))
    assert (report.version, report.source) == ("next-answer-1", BLEND)
    assert report.log_loss == {ONLINE: 0.53, BLEND: 0.51}
    assert (report.held_back_learners, report.held_back_answers) == (41, 8_300)
    assert "-0.0200" in report.says
    assert "41 learners held back" in report.says


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (trial(is_served=False), "until the next refold"),
        (trial(is_served=False, is_accepted=False, metrics={**FIGURES, "reason": "not ahead of ADF"}), "not ahead"),
        (trial(is_served=False, is_accepted=False, metrics={"reason": "too few: 3 learners"}), "too few: 3 learners"),
    ],
)
def test_where_no_trained_model_serves_the_reason_is_given(given: dict[str, Any], said: str):
    report = AnswerModelReport.model_validate(model_report(given))
    assert (report.version, report.source) == (None, ONLINE)
    assert said in report.says
