"""How far do right and wrong answers on a skill carry? Performance factors analysis: a regression on their counts.

Source: Pavlik, Cen, Koedinger 2009.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from osler.science import logistic
from osler.science.logistic import Fit, Sparse

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


def design(topic_row: Ints, topic: Ints, right: Floats, wrong: Floats, *, rows: int, topics: int) -> Sparse:
    """A column for each skill, its right answers and its wrong ones.

    Shapes: (m,) arrays naming each row's topics with the learner's counts from before the answer.
    """
    column = np.concatenate([topic, topics + topic, 2 * topics + topic])
    value = np.concatenate([np.ones(topic.size), right, wrong])
    return Sparse(np.tile(topic_row, 3), column, value, (rows, 3 * topics), np.zeros((rows, 0)))


def fit(design: Sparse, correct: Floats) -> Fit:
    """The weights, barely penalised."""
    return logistic.fit(design, correct, c=1.0)
