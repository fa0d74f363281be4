"""Which analytics there are, lowest first: the order in which events are folded and jobs run.

A third party adds one from its own package by the entry point group `osler.analytics`; it comes after ours.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import cache
from importlib.metadata import entry_points
from typing import Protocol, TypeVar

from osler.analytics.cohort.analytic import ANALYTIC as COHORT
from osler.analytics.contract import Analytic, DayRollup, Refresh, Task
from osler.analytics.efficiency.analytic import ANALYTIC as EFFICIENCY
from osler.analytics.gaps.analytic import ANALYTIC as GAPS
from osler.analytics.mastery.analytic import ANALYTIC as MASTERY
from osler.analytics.patterns.analytic import ANALYTIC as PATTERNS
from osler.analytics.plan.analytic import ANALYTIC as PLAN
from osler.analytics.readiness.analytic import ANALYTIC as READINESS
from osler.analytics.retrieval.analytic import ANALYTIC as RETRIEVAL
from osler.errors import Misconfigured

SHIPPED: tuple[Analytic, ...] = (
    RETRIEVAL,
    MASTERY,
    EFFICIENCY,
    GAPS,
    PATTERNS,
    READINESS,
    COHORT,
    PLAN,
)


@cache
def analytics() -> tuple[Analytic, ...]:
    """All analytics of this installation, lowest first.

    Errors: Misconfigured when an entry point gives something that is no `Analytic`, or a name twice.
    """
    found = [*SHIPPED]
    for point in entry_points(group="osler.analytics"):
        loaded: object = point.load()
        if not isinstance(loaded, Analytic):
            msg = f"entry point {point.name} of group osler.analytics is not an Analytic; remove it or fix its package"
            raise Misconfigured(msg)
        found.append(loaded)
    names = [analytic.name for analytic in found]
    if len(set(names)) != len(names):
        msg = f"two analytics have the same name among {', '.join(names)}; uninstall one"
        raise Misconfigured(msg)
    return tuple(found)


SETTLING = "mastery"
"""The job that carries live rows to the end of the night: after all counts, before every refresh."""


class _Named(Protocol):
    @property
    def name(self) -> str: ...
    @property
    def after(self) -> tuple[str, ...]: ...


J = TypeVar("J", bound=_Named)


def refreshes_of(analytics: Sequence[Analytic]) -> list[Refresh]:
    """All refreshes in the order in which they are to run, here and in a replay.

    Errors: Misconfigured when one is to come after a job that there is not, or after itself.
    """
    counted = [rollup.name for analytic in analytics for rollup in analytic.rollups]
    return _in_order([refresh for analytic in analytics for refresh in analytic.refreshes], [*counted, SETTLING])


def rollups_of(analytics: Sequence[Analytic]) -> list[DayRollup]:
    """All rollups in the order in which they are to run. Errors: as above."""
    return _in_order([rollup for analytic in analytics for rollup in analytic.rollups], [])


def resting_on(jobs: Sequence[J], name: str) -> list[str]:
    """The jobs that come after the named one, by way of others too; `jobs` are in order."""
    found = {name}
    for job in jobs:
        if found.intersection(job.after):
            found.add(job.name)
    return [job.name for job in jobs if job.name in found and job.name != name]


def tasks_of(analytics: Sequence[Analytic]) -> list[Task]:
    """All tasks in the order in which they are to run, after everything that is of one learner. Errors: as above."""
    counted = [rollup.name for analytic in analytics for rollup in analytic.rollups]
    earlier = [*counted, SETTLING, *(refresh.name for refresh in refreshes_of(analytics))]
    return _in_order([task for analytic in analytics for task in analytic.tasks], earlier)


def _in_order(jobs: Sequence[J], before: Collection[str]) -> list[J]:
    """The jobs with each after those that it names; where that leaves a choice, in the order given."""
    placed, waiting, made = set(before), list(jobs), list[J]()
    while waiting:
        ready = next((job for job in waiting if placed.issuperset(job.after)), None)
        if ready is None:
            stuck = waiting[0]
            missing = ", ".join(sorted(set(stuck.after) - placed))
            msg = f"job {stuck.name} is to run after {missing}, which never comes before it; mend its `after`"
            raise Misconfigured(msg)
        waiting.remove(ready)
        placed.add(ready.name)
        made.append(ready)
    return made
