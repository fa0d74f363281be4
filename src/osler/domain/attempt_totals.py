"""A learner's answers on a topic, counted: how many, how many right, how many of them first attempts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from osler.errors import InvalidModelInput


class JudgedAttempt(Protocol):
    """One answer as the score counts it."""

    @property
    def is_correct(self) -> bool: ...  # noqa: D102 - the class says it
    @property
    def is_first_attempt(self) -> bool: ...  # noqa: D102 - the class says it


@dataclass(frozen=True, slots=True)
class AttemptTotals:
    """A learner's answers on a topic, counted. Two windows of the same learner add up with `merge`."""

    total: int = 0
    correct: int = 0
    first_attempt_total: int = 0
    first_attempt_correct: int = 0

    def __post_init__(self) -> None:
        repeats, repeats_correct = self.repeats
        if not (0 <= self.first_attempt_correct <= self.first_attempt_total and 0 <= repeats_correct <= repeats):
            raise InvalidModelInput("Counts contradict each other: right answers cannot outnumber answers.")

    @property
    def repeats(self) -> tuple[int, int]:
        """(answers, right answers) that were no first attempts."""
        return self.total - self.first_attempt_total, self.correct - self.first_attempt_correct


def merge(a: AttemptTotals, b: AttemptTotals) -> AttemptTotals:
    """The totals of two windows that do not overlap."""
    return AttemptTotals(
        a.total + b.total,
        a.correct + b.correct,
        a.first_attempt_total + b.first_attempt_total,
        a.first_attempt_correct + b.first_attempt_correct,
    )


def totals_of(attempts: AttemptTotals | Iterable[JudgedAttempt]) -> AttemptTotals:
    """Attempts counted; totals pass through."""
    if isinstance(attempts, AttemptTotals):
        return attempts
    judged = [(attempt.is_correct, attempt.is_first_attempt) for attempt in attempts]
    return AttemptTotals(
        total=len(judged),
        correct=sum(correct for correct, _ in judged),
        first_attempt_total=sum(first for _, first in judged),
        first_attempt_correct=sum(correct and first for correct, first in judged),
    )
