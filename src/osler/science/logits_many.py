"""How do probabilities and logits map to each other, for many numbers at once?"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from osler.science.logits import CLIP

Floats = npt.NDArray[np.float64]


def sigmoid_many(x: Floats) -> Floats:
    """1/(1+e^-x), safe at both ends."""
    small = np.exp(-np.abs(x))
    return np.where(x >= 0.0, 1.0, small) / (1.0 + small)


def logit_many(p: Floats) -> Floats:
    """ln(p/(1-p)), with p first held inside [1e-4, 1 - 1e-4]. NaN stays NaN."""
    inside = np.clip(p, CLIP, 1.0 - CLIP)
    return np.log(inside / (1.0 - inside))
