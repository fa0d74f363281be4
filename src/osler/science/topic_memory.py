"""What becomes of a topic that is practised with ever new questions and then left alone? Skill that decays."""

from __future__ import annotations

from dataclasses import dataclass, replace

from osler.science.fsrs import FSRS6

START_DAYS = 30.0
FACTOR = 1.3
DAYS = (7.0, 365.0)
SKILL_DRIFT = 0.002
ABILITY_DRIFT = 0.0005


@dataclass(frozen=True, slots=True)
class TopicMemory:
    """A topic's memory span S_k in days, and the local day that is open: its answers right and wrong so far.

    The span moves once for each local day, by what most of that day's answers were.
    """

    span_days: float = START_DAYS
    open_day: int | None = None
    right: int = 0
    wrong: int = 0


def answered(memory: TopicMemory, local_day: int, correct: bool) -> TopicMemory:
    """The memory after one answer on a local day (its number). A new day first closes the one that was open."""
    if memory.open_day != local_day:
        memory = TopicMemory(span_at_close(memory), local_day)
    return replace(memory, right=memory.right + correct, wrong=memory.wrong + (not correct))


def span_at_close(memory: TopicMemory) -> float:
    """S_k once the open day is over: x 1.3 where most answers were right, / 1.3 where most were wrong, in 7..365."""
    if memory.right == memory.wrong:
        return memory.span_days
    moved = memory.span_days * FACTOR if memory.right > memory.wrong else memory.span_days / FACTOR
    return min(max(moved, DAYS[0]), DAYS[1])


def decayed_skill(skill: float, days: float, span_days: float) -> float:
    """m_k after `days` without practice. Only a positive one decays: waiting never makes a weak topic better.

    Source: science page, 2.9, with the curve of FSRS-6.
    """
    if skill <= 0.0 or days <= 0.0:
        return skill
    return float(skill * (1.0 + FSRS6.factor * days / span_days) ** -FSRS6.values[20])


def widened(variance: float, days: float, *, prior: float, drift: float = SKILL_DRIFT) -> float:
    """A variance after `days` without practice: it grows by `drift` a day and never above the prior's."""
    return max(variance, min(prior, variance + drift * max(days, 0.0)))
