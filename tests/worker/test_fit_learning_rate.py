"""Whose answers γ is fitted to: one's own where one is alone, else nobody's beyond a tenth, of twenty learners."""

from __future__ import annotations

from typing import Any

from osler.forecasts.parameters import LearningRates
from osler.worker.fit_learning_rate import _rates, evened


def rows_of(*answers: int) -> list[dict[str, Any]]:
    return [{"user_id": user, "place": n} for user, many in enumerate(answers) for n in range(many)]


def test_who_is_alone_counts_in_full() -> None:
    assert evened(rows_of(5_000)) == rows_of(5_000)


def test_nobody_is_more_than_a_tenth_and_the_first_answers_stay() -> None:
    kept = evened(rows_of(*[30] * 20, 100_000))
    own = [row["place"] for row in kept if row["user_id"] == 20]
    assert own == list(range(66))
    assert len(own) <= len(kept) / 10
    assert sum(row["user_id"] < 20 for row in kept) == 600


def test_few_learners_are_not_told_of_each_other() -> None:
    assert evened(rows_of(4_000, 4_000)) == []
    rates, said = _rates(rows_of(*[200] * 19), {})
    assert rates == LearningRates()
    assert said["reason"] == "too few: 3800 answers of 19 learners; needed 2000 of 20 learners, or of one alone"
