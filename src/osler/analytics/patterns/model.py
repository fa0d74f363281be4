"""May what was found in a weekly look be said?

An insight exists only under the rules of docs/analytics/patterns.md: Benjamini–Hochberg over all of a weekly run (after
Holm inside each insight), an interval without 0, an effect of at least 2 points, two weekly runs in a row. What the
looks compare lies in `contrasts`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from osler.science.insight import Candidate
from osler.science.insights_math import benjamini_hochberg

FALSE_DISCOVERY = 0.003  # tuned by simulation of learners without effects (docs/decisions/0026, 0029)
MIN_EFFECT = 0.02
RUNS_TO_SHOW = 2
RUNS_TO_WITHDRAW = 2
MOST_SHOWN = 3
WINDOW_DAYS = 90


@dataclass(frozen=True, slots=True)
class Insight:
    """An insight's memory over weekly runs: whether it is shown, and how many runs in a row passed or failed.

    `passed_runs` and `failed_runs` count the latest row; one of them is 0. `since` is the first run of the passes.
    """

    insight: str
    week: date
    shown: bool
    passed_runs: int
    failed_runs: int
    since: date | None
    candidate: Candidate


def weekly_run(
    candidates: Sequence[Candidate], before: Mapping[str, Insight], week: date, *, q: float = FALSE_DISCOVERY
) -> dict[str, Insight]:
    """All insights after one weekly run; `before` is the state after the last one.

    An insight passes if it survives Benjamini–Hochberg over the run, its interval excludes 0 and |θ~| ≥ .02. Shown
    after two passes in a row, withdrawn after two failures; at most three, those of the largest lower bound first.
    A second run for the same week changes nothing that the first did not: pass `before` of the week before.
    """
    judged = [c for c in candidates if c.best is not None]
    survived = benjamini_hochberg([c.best.p_value for c in judged if c.best], q)
    passed = {c.insight for c, ok in zip(judged, survived, strict=True) if ok and _is_large(c)}
    after: dict[str, Insight] = {}
    for candidate in candidates:
        old = before.get(candidate.insight)
        passes = candidate.insight in passed
        runs = (old.passed_runs if old else 0) + 1 if passes else 0
        failures = 0 if passes else (old.failed_runs if old else 0) + 1
        eligible = runs >= RUNS_TO_SHOW or (old is not None and old.shown and failures < RUNS_TO_WITHDRAW)
        since = (old.since if old and old.passed_runs else week) if passes else (old.since if old else None)
        after[candidate.insight] = Insight(candidate.insight, week, eligible, runs, failures, since, candidate)
    ranked = sorted((i for i in after.values() if i.shown), key=lambda i: (-_lower_bound(i.candidate), i.insight))
    for surplus in ranked[MOST_SHOWN:]:
        after[surplus.insight] = replace(surplus, shown=False)
    return after


def _is_large(candidate: Candidate) -> bool:
    best = candidate.best
    return best is not None and best.effect.excludes_zero and abs(best.effect.value) >= MIN_EFFECT


def _lower_bound(candidate: Candidate) -> float:
    """The end of the interval that is nearer to 0: how large the effect is at least."""
    best = candidate.best
    return 0.0 if best is None else min(abs(best.effect.low), abs(best.effect.high))
