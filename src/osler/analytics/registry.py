"""Which analytics there are, lowest first: the order in which events are folded and jobs run.

A third party adds one from its own package by the entry point group `osler.analytics`; it comes after ours.
"""

from __future__ import annotations

from functools import cache
from importlib.metadata import entry_points

from osler.analytics.cohort.analytic import ANALYTIC as COHORT
from osler.analytics.contract import Analytic
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
