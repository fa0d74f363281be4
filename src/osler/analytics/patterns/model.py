"""Which habits go with a learner's results, and may that be said?

An insight is a set of contrasts between two kinds of the learner's own answers. It exists only under the rules of
docs/analytics/patterns.md: residuals against the stored forecast (so question mix and level are taken out), variances
between sessions, shrinkage, Holm inside an insight and Benjamini–Hochberg over all of a weekly run, an effect of at
least 2 points, two weekly runs in a row. What lacks data says which event would enable it; nothing is invented.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import numpy.typing as npt

from osler.science.insight import Candidate, Groups, Mask, compare
from osler.science.insights_math import Floats, benjamini_hochberg

FALSE_DISCOVERY = 0.005  # tuned by simulation of null learners (docs/decisions/0026): at .05, 23 % were shown something
MIN_EFFECT = 0.02
RUNS_TO_SHOW = 2
RUNS_TO_WITHDRAW = 2
MOST_SHOWN = 3
WINDOW_DAYS = 90

NEEDS = {
    "sleep": "day_report.sleep_minutes",
    "notes": "note_taken",
    "preferred_material": "material_open",
    "rest": "session_pause",
}


@dataclass(frozen=True, slots=True)
class Answers:
    """A learner's answers of the window with what had been forecast of them; (n,) arrays in time order.

    `forecast` was stored before the answer, without features of time or session. `session` numbers sessions, `hour` is
    wall clock 0 to 24, `active_minutes` since the session's start, `unbroken_minutes` since a break of 5 min or more.
    """

    correct: Floats
    forecast: Floats
    session: npt.NDArray[np.int64]
    hour: Floats
    active_minutes: Floats
    unbroken_minutes: Floats

    @property
    def residual(self) -> Floats:
        """E = y − p."""
        return self.correct - self.forecast


PARTS_OF_DAY = {"mornings": (5, 12), "afternoons": (12, 17), "evenings": (17, 22), "nights": (22, 5)}
LENGTHS = ((30, 45), (45, 60), (60, 90), (90, 120))


def _in_part(hour: Floats, part: tuple[int, int]) -> Mask:
    start, end = part
    return (hour >= start) & (hour < end) if start < end else (hour >= start) | (hour < end)


def best_time_of_day(answers: Answers) -> Candidate:
    """Insight 1: each part of the day against the rest; 5 sessions and 100 answers inside and outside."""
    groups = [
        Groups(name, mask, ~mask, 5, 100)
        for name, part in PARTS_OF_DAY.items()
        if (mask := _in_part(answers.hour, part)).any()
    ]
    return compare("best_time_of_day", answers.residual, answers.correct, answers.session, groups)


def ideal_session_length(answers: Answers) -> Candidate:
    """Insight 2: answers late in a session against its first 30 active minutes; 8 sessions and 80 answers in the bin.

    `extra.ideal_minutes` is the start of the first bin whose upper bound is below 0; without one, `seen_up_to_minutes`
    says how long sessions were looked at without falling accuracy.
    """
    first = answers.active_minutes < 30
    groups = [
        Groups(f"{a}–{b} min", (answers.active_minutes >= a) & (answers.active_minutes < b), first, 8, 80)
        for a, b in LENGTHS
    ]
    found = compare("ideal_session_length", answers.residual, answers.correct, answers.session, groups)
    if found.status != "ok":
        return found
    falling = [c for c in found.comparisons if c.effect.high < 0]
    ends = {f"{a}–{b} min": (a, b) for a, b in LENGTHS}
    seen = max(ends[c.name][1] for c in found.comparisons)
    ideal = min((ends[c.name][0] for c in falling), default=None)
    return replace(found, extra={"ideal_minutes": ideal, "seen_up_to_minutes": seen})


def unbroken_hour(answers: Answers) -> Candidate:
    """Insight 4: over 60 min since a break of 5 min or more, against up to 60; 8 sessions and 80 answers an arm."""
    late = answers.unbroken_minutes > 60
    groups = [Groups("after 60 min", late, ~late, 8, 80)]
    return compare("unbroken_hour", answers.residual, answers.correct, answers.session, groups)


@dataclass(frozen=True, slots=True)
class Later:
    """First next-day answers 1 to 14 days after reading; (n,) arrays; `material` numbers the cluster.

    `kind` is the material's type; `noted` whether notes were taken on it.
    """

    correct: Floats
    forecast: Floats
    material: npt.NDArray[np.int64]
    noted: Mask
    kind: npt.NDArray[np.str_]


def notes_and_retention(later: Later | None) -> Candidate:
    """Insight 3: materials with notes against without; 10 materials and 40 answers an arm."""
    if later is None or not later.noted.any():
        return Candidate("notes", "not_available", enabled_by=NEEDS["notes"])
    groups = [Groups("with notes", later.noted, ~later.noted, 10, 40)]
    return compare("notes", later.correct - later.forecast, later.correct, later.material, groups)


def preferred_and_retained(later: Later | None, active_share: Mapping[str, float]) -> Candidate:
    """Insight 6: the most used type against each other type; shown only where another is retained better.

    10 materials a type. `active_share` is kind → share of active time. A most used type that is also the best
    retained makes no insight.
    """
    if later is None or not active_share:
        return Candidate("preferred_material", "not_available", enabled_by=NEEDS["preferred_material"])
    used = max(sorted(active_share), key=lambda kind: active_share[kind])
    groups = [
        Groups(str(kind), later.kind == kind, later.kind == used, 10, 10)
        for kind in np.unique(later.kind).tolist()
        if kind != used
    ]
    found = compare("preferred_material", later.correct - later.forecast, later.correct, later.material, groups)
    better = tuple(c for c in found.comparisons if c.effect.low > 0)
    if found.status == "ok" and not better:
        return replace(found, comparisons=())
    return replace(found, comparisons=better, extra={"most_used": used})


def sleep(correct: Floats, forecast: Floats, night: npt.NDArray[np.int64], minutes: Floats | None) -> Candidate:
    """Insight 5: days after nights of 8 h or more against shorter, 14 nights an arm; only from sleep reports.

    `night` numbers the local day's night, `minutes` its reported sleep (NaN: none). Hours without study are no sleep.
    """
    if minutes is None or not np.isfinite(minutes).any():
        return Candidate("sleep", "not_available", enabled_by=NEEDS["sleep"])
    long, short = minutes >= 480, minutes < 480
    groups = [Groups("after 8 h of sleep", long, short, 14, 14)]
    return compare("sleep", correct - forecast, correct, night, groups)


def rest(change: Floats, break_kind: npt.NDArray[np.str_], session: npt.NDArray[np.int64]) -> Candidate:
    """Insight 7: 10 answers after less 10 before a break, by its length, against the same without a break.

    `change` is the mean residual after less before; `break_kind` "5-10", "10-20", "20-30", "30-120" or "none" (a point
    at the same minute of a session that had no break). Without that control it is regression to the mean: people pause
    when it goes badly.
    """
    if not (break_kind != "none").any():
        return Candidate("rest", "insufficient_data")
    control = break_kind == "none"
    kinds = ("5-10", "10-20", "20-30", "30-120")
    groups = [Groups(f"{kind} min", break_kind == kind, control, 2, 10) for kind in kinds]
    return compare("rest", change, change, session, groups)


def index_and_retention(name: str, index: Floats, residual: Floats, outcome: Floats) -> Candidate:
    """Insight 8: topic-weeks above the learner's median index against those below; 12 topic-weeks an arm.

    `residual` and `outcome` are next week's means; `name` is "spacing" or "interleaving"; each topic-week is a cluster.
    """
    known = np.isfinite(index) & np.isfinite(residual)
    if known.sum() < 24:
        return Candidate(name, "insufficient_data")
    above = index > np.median(index[known])
    week = np.arange(index.size, dtype=np.int64)
    groups = [Groups("above your median", known & above, known & ~above, 12, 12)]
    return compare(name, residual, outcome, week, groups)


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
