"""What was found in one weekly look at one habit: its comparisons, with data enough or not.

A candidate is not yet an insight: whether it may be shown is decided over several looks, by the `patterns` analytic.
Source: this project's definition (docs/analytics/patterns.md).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt

from osler.domain.finding import Value
from osler.science.insights_math import Arm, Floats, Shrunk, arm, contrast, holm, shrink

POPULATION_SD = 0.03
"""How large such effects usually are (start), in probability; then the population's own spread of the effect."""

Mask = npt.NDArray[np.bool_]
Status = Literal["ok", "insufficient_data", "not_available"]


@dataclass(frozen=True, slots=True)
class Comparison:
    """One contrast of an insight: the arms, the effect as it is and shrunk, and its p-value (Holm in its insight)."""

    name: str
    one: Arm
    other: Arm
    effect: Shrunk
    p_value: float


@dataclass(frozen=True, slots=True)
class Candidate:
    """An insight as computed in one weekly run; `best` is its comparison of the least p-value, None without data."""

    insight: str
    status: Status
    comparisons: tuple[Comparison, ...] = ()
    enabled_by: str | None = None
    extra: Mapping[str, Value] = field(default_factory=dict[str, Value])

    @property
    def best(self) -> Comparison | None:
        """The comparison of the smallest adjusted p-value (of equals, the larger effect)."""
        ranked = sorted(self.comparisons, key=lambda c: (c.p_value, -abs(c.effect.value), c.name))
        return ranked[0] if ranked else None


@dataclass(frozen=True, slots=True)
class Groups:
    """Two arms of a comparison, as masks over observations, and the least size that each needs."""

    name: str
    one: Mask
    other: Mask
    clusters: int
    answers: int


def compare(
    insight: str,
    residual: Floats,
    outcome: Floats,
    cluster: npt.NDArray[np.int64],
    groups: Sequence[Groups],
    *,
    also: npt.NDArray[np.int64] | None = None,
    population_sd: float = POPULATION_SD,
) -> Candidate:
    """The insight's comparisons that have data enough on both sides, p-values adjusted among them (Holm).

    `also` is a second clustering, where answers resemble each other in two ways: the larger variance counts.
    """
    found: list[tuple[str, Arm, Arm]] = []
    for group in groups:
        one, other = (
            arm(residual[m], outcome[m], cluster[m], None if also is None else also[m])
            for m in (group.one, group.other)
        )
        if one is None or other is None:
            continue
        if min(one.clusters, other.clusters) < group.clusters or min(one.answers, other.answers) < group.answers:
            continue
        found.append((group.name, one, other))
    if not found:
        return Candidate(insight, "insufficient_data")
    contrasts = [contrast(one, other) for _, one, other in found]
    adjusted = holm([c.p_value for c in contrasts])
    return Candidate(
        insight,
        "ok",
        tuple(
            Comparison(name, one, other, shrink(c.difference, c.variance, population_sd), p)
            for (name, one, other), c, p in zip(found, contrasts, adjusted, strict=True)
        ),
    )
