"""Who needs a look, and why: by the pass line of the learner's own exam."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from osler.analytics.cohort.answer import learners_answer


def row(**more: Any) -> dict[str, Any]:
    same = {"score": 49.0, "score_low": 37.0, "coverage": 0.4, "active_days_28d": 17, "topics_weak": 3, "as_of": None}
    return {"user_id": UUID(int=7), "score_high": 58.0, "pass_line": 60.0, **same, **more}


@pytest.mark.parametrize(
    ("more", "reasons"),
    [
        ({}, ["forecast surely low"]),
        ({"score_high": 60.0}, []),
        ({"pass_line": None}, []),
        ({"pass_line": None, "score_high": 49.0}, ["forecast surely low"]),
        ({"score_high": None, "active_days_28d": 3}, ["few active days"]),
        ({"score_high": None, "active_days_28d": None, "pass_line": None}, []),
    ],
)
def test_a_forecast_is_surely_low_when_all_of_it_lies_under_the_pass_line(more: dict[str, Any], reasons: list[str]):
    answer = learners_answer("spring", [row(**more)])
    assert answer["learners"][0]["reasons"] == reasons
    assert answer["finding"]["text"] == f"{len(reasons)} of 1 need a look."
