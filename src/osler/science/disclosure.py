"""May a figure about a group be published without telling of one person? Minimum, dominance, complement, noise.

Order of the gate: enough members → nobody over half of a sum → not derivable from what else is published → noise that
is keyed by the members (the same members, the same noise; never fresh, which could be averaged away) → steps of five.
Noise of scale 1/n hides one person: the difference of two means of n and n − 1 is off by whole scores.
Sources: statistical disclosure control, Hundepool et al. 2012 (threshold, dominance, secondary suppression).
"""

from __future__ import annotations

import hmac
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from math import copysign, log
from typing import Literal

from osler.errors import InvalidModelInput

DEFAULT_MINIMUM = 10
LEAST_MINIMUM = 5
STEP = 5
BOTTOM, TOP = 0.05, 0.95
NOISE_CUT = 3.0

Why = Literal["minimum", "dominance", "complement"]


@dataclass(frozen=True, slots=True)
class Gate:
    """What publishing needs: the least number of members (never under 5) and the secret key of the noise."""

    key: bytes
    minimum: int = DEFAULT_MINIMUM

    def __post_init__(self) -> None:
        """Refuses a minimum under 5 and a missing key."""
        if self.minimum < LEAST_MINIMUM:
            raise InvalidModelInput(
                f"A published group needs at least {LEAST_MINIMUM} learners.", code="cohort.minimum"
            )
        if not self.key:
            raise InvalidModelInput("Cohort noise needs a key.", code="cohort.key")


@dataclass(frozen=True, slots=True)
class Published:
    """A figure as it leaves: a share or mean of 0 to 1 in steps of .05 and n in steps of 5, or why there is none."""

    value: float | None
    n: int | None
    suppressed: Why | None = None


def noise(gate: Gate, members: Collection[str], measure: str) -> float:
    """Laplace noise of scale 1/n, cut at ±3/n, decided by key, measure and members alone."""
    text = "\x1f".join([measure, *sorted(members)]).encode()
    number = int.from_bytes(hmac.new(gate.key, text, sha256).digest()[:8], "big")
    u = (number + 0.5) / 2**64 - 0.5
    laplace = -copysign(log(1 - 2 * abs(u)), u)
    return max(-NOISE_CUT, min(NOISE_CUT, laplace)) / max(1, len(members))


def round_count(n: int) -> int:
    """A count in steps of 5 (half up).

    >>> [round_count(n) for n in (0, 2, 3, 12, 13)]
    [0, 0, 5, 10, 15]
    """
    return STEP * ((2 * n + STEP) // (2 * STEP))


def _in_steps(value: float) -> float:
    """A share in steps of .05, top and bottom coded at 5 % and 95 %."""
    return min(TOP, max(BOTTOM, round(value * 20) / 20))


def _refusal(gate: Gate, contributions: Mapping[str, float]) -> Why | None:
    if len(contributions) < gate.minimum:
        return "minimum"
    total = sum(abs(value) for value in contributions.values())
    if total > 0 and max(abs(value) for value in contributions.values()) > total / 2:
        return "dominance"
    return None


def publish_mean(gate: Gate, values: Mapping[str, float], measure: str) -> Published:
    """The mean of one value of 0 to 1 a member, noised and in steps of 5 points; or why not."""
    refused = _refusal(gate, values)
    if refused:
        return Published(None, None, refused)
    mean = sum(values[name] for name in sorted(values)) / len(values)
    return Published(_in_steps(mean + noise(gate, values.keys(), measure)), round_count(len(values)))


def publish_share(gate: Gate, holds: Mapping[str, bool], measure: str) -> Published:
    """The share of members for whom something holds; both counts are noised and rounded to 5 before the ratio."""
    if len(holds) < gate.minimum:
        return Published(None, None, "minimum")
    n = round_count(len(holds))
    count = sum(holds.values()) + noise(gate, holds.keys(), measure) * len(holds)
    return Published(_in_steps(min(n, max(0, round_count(round(count)))) / n), n)


def complementary(gate: Gate, members: Mapping[str, Collection[str]], hidden: Collection[str]) -> set[str]:
    """Which further groups of one total must be hidden, so that no hidden one is the total less the published.

    `members` are disjoint groups that make up a published total; `hidden` those under the minimum. The hidden ones
    together must number at least the minimum, and be two or more: else the smallest shown group is hidden too.
    """
    concealed = {name for name in hidden if members[name]}
    extra: set[str] = set()
    shown = sorted((n for n in members if n not in concealed and members[n]), key=lambda n: (len(members[n]), n))
    while concealed and shown:
        together = sum(len(members[name]) for name in concealed | extra)
        if len(concealed | extra) >= 2 and together >= gate.minimum:
            break
        extra.add(shown.pop(0))
    return extra


def differencing_safe(gate: Gate, group: Collection[str], published: Sequence[Collection[str]]) -> bool:
    """Whether the group differs from each overlapping published one by nobody or by at least the minimum.

    Two means of 31 and 30 people give the one person's value exactly where there is no noise.
    """
    own = set(group)
    for other in map(set, published):
        apart = len(own ^ other)
        if own & other and 0 < apart < gate.minimum and (own <= other or other <= own):
            return False
    return True
