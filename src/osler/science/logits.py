"""How do probabilities and logits map to each other, for one number at a time?"""

from __future__ import annotations

from math import exp, isfinite, log, pi, sqrt

from osler.errors import InvalidModelInput

CLIP = 1e-4
MOST = 1.0 - CLIP
Z90 = 1.6448536269514722
PROBIT = pi / 8.0


def sigmoid(x: float) -> float:
    """1/(1+e^-x), safe at both ends.

    >>> sigmoid(0.0)
    0.5
    """
    if x >= 0.0:
        return 1.0 / (1.0 + exp(-x))
    e = exp(x)
    return e / (1.0 + e)


def held(p: float) -> float:
    """The chance, kept inside [1e-4, 1 - 1e-4]; NaN stays NaN. An answer asks it eight times: min(max(…)) costs more.

    >>> held(0.0), held(0.5), held(1.0)
    (0.0001, 0.5, 0.9999)
    """
    if p < CLIP:
        return CLIP
    return MOST if p > MOST else p


def logit(p: float) -> float:
    """ln(p/(1-p)), with p first held inside [1e-4, 1 - 1e-4]."""
    inside = held(p)
    return log(inside / (1.0 - inside))


def averaged_sigmoid(mean: float, variance: float) -> float:
    """The mean of sigmoid(x) for x ~ N(mean, variance), to the third digit. Source: MacKay 1992, the π/8 rule."""
    return sigmoid(mean / sqrt(1.0 + PROBIT * variance))


def share(value: float, name: str) -> float:
    """The value, if it is a share in [0, 1]. Errors: InvalidModelInput for anything else, NaN included."""
    if not (isfinite(value) and 0.0 <= value <= 1.0):
        raise InvalidModelInput(f"{name} must lie between 0 and 1.", params={"name": name})
    return float(value)
