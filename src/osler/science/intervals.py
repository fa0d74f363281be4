"""How sure is a share or a chance? Wilson's interval, and intervals made on the logit scale."""

from __future__ import annotations

import math
from dataclasses import dataclass

from osler.errors import InvalidModelInput
from osler.science.logits import Z90, logit, sigmoid


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate in 0..1 with its bounds."""

    value: float
    low: float
    high: float


def wilson(successes: float, n: float, *, z: float = Z90) -> Interval | None:
    """The share successes/n with Wilson's score interval (90 % unless `z` says otherwise); None where n is 0.

    Errors: InvalidModelInput unless 0 <= successes <= n.
    Source: Wilson 1927. Golden: 8 of 10 at z = 1.96 gives .490 to .943.
    """
    if not 0 <= successes <= n:
        raise InvalidModelInput(f"A share needs 0 <= successes <= n, not {successes} of {n}.")
    if n == 0:
        return None
    share, spread = successes / n, z * z / n
    centre = (share + spread / 2.0) / (1.0 + spread)
    half = z / (1.0 + spread) * math.sqrt(share * (1.0 - share) / n + spread / (4.0 * n))
    return Interval(share, min(share, max(0.0, centre - half)), max(share, min(1.0, centre + half)))


def logit_interval(p: float, sd: float, *, z: float = Z90) -> Interval:
    """The chance p with the interval logit p ± z sd/(p (1 - p)), mapped back; `sd` is that of p itself.

    The delta method on the logit scale: bounds never leave 0..1. p is held inside [1e-4, 1 - 1e-4] for the logit.
    """
    inside = min(max(p, 1e-4), 1.0 - 1e-4)
    half = z * sd / (inside * (1.0 - inside))
    centre = logit(inside)
    return Interval(p, min(p, sigmoid(centre - half)), max(p, sigmoid(centre + half)))
