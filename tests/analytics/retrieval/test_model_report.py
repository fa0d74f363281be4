"""What the retrieval page says of the parameters behind its forecasts."""

from __future__ import annotations

from typing import Any

import pytest

from osler.analytics.retrieval.model_report import OWN, POPULATION, model_report
from osler.analytics.retrieval.schemas import RecallModelReport
from osler.science import blend

AS_PUBLISHED = list(blend.POPULATION.fsrs.values)


def fit(fsrs: str, sbd: str, first: float = AS_PUBLISHED[0]) -> dict[str, Any]:
    return {
        "version": "memory-1", "fsrs_verdict": fsrs, "sbd_verdict": sbd, "reviews": 300, "fitted_on": "2026-11-16",
        "weights": [first, *AS_PUBLISHED[1:]], "sbd": list(blend.POPULATION.sbd),
    }  # fmt: skip


def test_before_a_fit_the_populations_parameters_serve_and_are_trusted_by_half():
    report = RecallModelReport.model_validate(model_report(None, None))
    assert (report.source, report.fitted_to, report.weight_of_model) == (POPULATION, 0, 0.5)
    assert "from 64 on; 0 next-day reviews" in report.says


@pytest.mark.parametrize(
    ("given", "source", "said"),
    [
        (fit("accepted", "refused", 0.1), OWN, "for FSRS-6:"),
        (fit("accepted", "accepted", 0.1), OWN, "FSRS-6 and SBD"),
        (fit("refused", "refused"), POPULATION, "did not forecast"),
        (fit("too_few", "too_few", 0.1), OWN, "before older reviews left the log"),
    ],
)
def test_what_the_last_fit_decided_is_told(given: dict[str, Any], source: str, said: str):
    report = RecallModelReport.model_validate(model_report(given, {"passed": 350, "n": 400, "advantage": 4.0}))
    assert (report.source, report.next_day_reviews) == (source, 400)
    assert said in report.says
    assert 0.98 < report.weight_of_model < 0.99
