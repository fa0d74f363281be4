"""What a learner has agreed to: purposes, their defaults, and what a withdrawal means; pure.

The column `users.consents` holds `{purpose: instant}`: the RFC 3339 instant of a yes, null for a no, nothing where
nothing was said. Ingestion reads the same column in SQL.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum


class Purpose(StrEnum):
    """What data are used for. `analytics` is the service itself: on until withdrawn. The others are off until given."""

    ANALYTICS = "analytics"
    COHORT = "cohort"
    RESEARCH = "research"
    WELLBEING = "wellbeing"


ON_BY_DEFAULT = frozenset({Purpose.ANALYTICS})


def is_given(consents: Mapping[str, str | None], purpose: Purpose) -> bool:
    """Whether the purpose is agreed to now."""
    if purpose.value not in consents:
        return purpose in ON_BY_DEFAULT
    return consents[purpose.value] is not None


def stated(consents: Mapping[str, str | None], purpose: Purpose, *, given: bool, at: datetime) -> dict[str, str | None]:
    """The consents after the learner said yes or no to one purpose."""
    return {**consents, purpose.value: at.isoformat() if given else None}
