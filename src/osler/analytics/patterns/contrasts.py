"""Which habits go with a learner's results? The eight contrasts between two kinds of the learner's own answers; pure.

All compare residuals against the stored forecast, so question mix and level are taken out. What lacks data says which
event would enable it; nothing is invented. Definitions and minimum counts: docs/analytics/patterns.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from osler.science.breaks import BREAK_KINDS, NO_BREAK, Splits, carried_over
from osler.science.insight import Candidate, Groups, Mask, compare
from osler.science.insights_math import Floats
from osler.science.study_habits import is_clearly_used_more

Ints = npt.NDArray[np.int64]

NEEDS = {
    "sleep": "day_report.sleep_minutes",
    "notes": "note_taken",
    "reading": "material_open",
}
"""The event that would enable what is not available."""

SAME_MINUTE = 10.0
"""A place without a break is at the same session minute as a break within so many minutes."""


@dataclass(frozen=True, slots=True)
class Answers:
    """A learner's answers of the window with what had been forecast of them; (n,) arrays in time order.

    `forecast` was stored before the answer, without features of time or session. `session` numbers sessions, `hour` is
    wall clock 0 to 24, `active_minutes` since the session's start, `unbroken_minutes` since a break of 5 min or more.
    """

    correct: Floats
    forecast: Floats
    session: Ints
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

    `kind` is the material's type; `noted` whether notes were taken on it. `session` numbers the answer's own session.
    """

    correct: Floats
    forecast: Floats
    material: Ints
    session: Ints
    noted: Mask
    kind: npt.NDArray[np.str_]

    @property
    def residual(self) -> Floats:
        """E = y − p."""
        return self.correct - self.forecast


def notes_and_retention(later: Later | None, *, takes_notes: bool) -> Candidate:
    """Insight 3: materials with notes against without; 10 materials and 40 answers an arm.

    `later` is None where nothing was read; `takes_notes` tells whether any note was taken at all.
    """
    if later is None or not takes_notes:
        return Candidate("notes", "not_available", enabled_by=NEEDS["reading" if later is None else "notes"])
    groups = [Groups("with notes", later.noted, ~later.noted, 10, 40)]
    return compare("notes", later.residual, later.correct, later.material, groups, also=later.session)


def preferred_and_retained(
    later: Later | None, active_by_session: Sequence[Mapping[str, float]], *, seed: int
) -> Candidate:
    """Insight 6: the most used type against each other type; shown only where another is retained better.

    10 materials a type. `active_by_session` is kind → active seconds of each session. It is an insight only if the
    most used type is used more beyond doubt (its lead, bootstrapped by session, excludes 0) and another is retained
    better beyond doubt; a most used type that is also the best retained makes none.
    """
    if later is None:
        return Candidate("preferred_material", "not_available", enabled_by=NEEDS["reading"])
    kinds: list[str] = np.unique(later.kind).tolist()
    if not kinds:
        return Candidate("preferred_material", "insufficient_data")
    seconds = {kind: sum(one.get(kind, 0.0) for one in active_by_session) for kind in kinds}
    used = max(sorted(kinds), key=lambda kind: seconds[kind])
    groups = [Groups(kind, later.kind == kind, later.kind == used, 10, 10) for kind in kinds if kind != used]
    found = compare("preferred_material", later.residual, later.correct, later.material, groups, also=later.session)
    if found.status != "ok":
        return found
    better = tuple(
        c
        for c in found.comparisons
        if c.effect.low > 0 and is_clearly_used_more(active_by_session, used, c.name, seed=seed)
    )
    return replace(found, comparisons=better, extra={"most_used": used} if better else {})


def sleep(answers: Answers, night: Ints, minutes: Floats | None) -> Candidate:
    """Insight 5: days after nights of 8 h or more against shorter, 14 nights an arm; only from sleep reports.

    `night` numbers the local day's night, `minutes` its reported sleep (NaN: none), None
    where none was ever reported. Hours without study are no sleep.
    """
    if minutes is None:
        return Candidate("sleep", "not_available", enabled_by=NEEDS["sleep"])
    long, short = minutes >= 480, minutes < 480
    groups = [Groups("after 8 h of sleep", long, short, 14, 14)]
    return compare("sleep", answers.residual, answers.correct, night, groups)


def rest(splits: Splits) -> Candidate:
    """Insight 7: the 10 answers after a break less the 10 before, by its length, against the same without a break.

    The control are places at the same session minute without a break; 10 breaks a bin. People pause when it goes
    badly, and a bad stretch passes by itself: so of the answers before only that share is taken off which is met
    again where no break lay between.
    """
    control = splits.kind == NO_BREAK
    change = splits.after - carried_over(splits) * splits.before
    groups = [
        Groups(f"{kind.replace('-', '–')} min", taken, control & _near(splits.minute, splits.minute[taken]), 2, 10)
        for kind in BREAK_KINDS
        if (taken := splits.kind == kind).any()
    ]
    return compare("rest", change, splits.right, splits.session, groups)


def _near(minute: Floats, of_breaks: Floats) -> Mask:
    """Which minutes lie within 10 of any of these."""
    edges = np.sort(of_breaks)
    after = np.searchsorted(edges, minute - SAME_MINUTE, side="left")
    return after < np.searchsorted(edges, minute + SAME_MINUTE, side="right")


def index_and_retention(name: str, index: Floats, topic_week: Ints, answers: Answers) -> Candidate:
    """Insight 8: topics practised above the learner's median index in a week against below; 12 topic-weeks an arm.

    `index` is for each answer that of its topic in the week before (NaN: none), `topic_week` numbers it, so that the
    answers are those of the next week. `name` is "spacing" or "interleaving".
    """
    known = np.isfinite(index)
    _, first = np.unique(topic_week[known], return_index=True)
    if first.size < 24:
        return Candidate(name, "insufficient_data")
    above = index > np.median(index[known][first])
    groups = [Groups("above your median", known & above, known & ~above, 12, 12)]
    return compare(name, answers.residual, answers.correct, topic_week, groups, also=answers.session)
