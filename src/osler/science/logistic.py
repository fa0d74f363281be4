"""Which weights forecast a yes or no best? Logistic regression with an L2 penalty, on dense or sparse designs."""

# SciPy ships no types.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false, reportMissingTypeStubs=false

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.sparse import csr_array

from osler.errors import InvalidModelInput
from osler.science.logits_many import sigmoid_many
from osler.science.threads import one_thread

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

ROUNDS = 1_000
TOLERANCE = 1e-5


@dataclass(frozen=True, slots=True)
class Sparse:
    """A design given by its filled cells, with dense columns to the right of them where there are any.

    Shapes: `row`, `column`, `value` (m,); `shape` is (rows, sparse columns); `dense` (rows, further columns).
    """

    row: Ints
    column: Ints
    value: Floats
    shape: tuple[int, int]
    dense: Floats

    def matrix(self) -> Any:
        """The sparse columns as SciPy's compressed rows; cells named twice add up."""
        return csr_array((self.value, (self.row, self.column)), shape=self.shape)


class _Design:
    """Products of a design and of its transpose, sparse and dense columns each in their own way."""

    def __init__(self, design: Floats | Sparse) -> None:
        is_sparse = isinstance(design, Sparse)
        self.dense = design.dense if is_sparse else np.asarray(design, dtype=np.float64)
        self.sparse: Any = design.matrix() if is_sparse else None
        self.transposed: Any = self.sparse.T.tocsr() if is_sparse else None
        self.split = design.shape[1] if is_sparse else 0
        self.rows, self.columns = self.dense.shape[0], self.split + self.dense.shape[1]

    def times(self, weights: Floats) -> Floats:
        """(rows,) from (columns,)."""
        product = self.dense @ weights[self.split :]
        return product if self.sparse is None else product + self.sparse @ weights[: self.split]

    def gathered(self, error: Floats) -> Floats:
        """(columns,) from (rows,)."""
        product = self.dense.T @ error
        return product if self.sparse is None else np.concatenate([self.transposed @ error, product])

    def squares(self) -> Floats:
        """The sum of squares of each column."""
        dense = np.einsum("ij,ij->j", self.dense, self.dense)
        if self.sparse is None:
            return dense
        return np.concatenate([np.ravel(self.sparse.power(2).sum(axis=0)), dense])

    def is_finite(self) -> bool:
        """Whether every cell is a number."""
        return bool(np.isfinite(self.dense).all() and (self.sparse is None or np.isfinite(self.sparse.data).all()))


@dataclass(frozen=True, slots=True)
class Fit:
    """Weights (columns,) and intercept of a fitted regression, and how many rounds the search took."""

    weights: Floats
    intercept: float
    rounds: int

    def logits(self, design: Floats | Sparse) -> Floats:
        """The forecasts of a design as logits, (rows,)."""
        return _Design(design).times(self.weights) + self.intercept


def fit(design: Floats | Sparse, outcome: npt.ArrayLike, *, c: float, weight: Floats | None = None) -> Fit:
    """The weights that minimise |w|²/2 + c Σ weight · log loss; the intercept is not penalised.

    Shapes: design (n, p), outcome (n,) of 0 and 1, weight (n,) of each row, 1 where not given. The same objective as
    scikit-learn's `LogisticRegression(C=c)`.
    Errors: InvalidModelInput unless c > 0, all values are finite and the outcome is 0 or 1.
    Source: L-BFGS, Liu & Nocedal 1989.
    """
    matrix = _Design(design)
    y = np.asarray(outcome, dtype=np.float64)
    counts = np.ones(y.size) if weight is None else weight
    if not (c > 0.0 and matrix.is_finite() and np.isin(y, (0.0, 1.0)).all() and matrix.rows == y.size > 0):
        raise InvalidModelInput("A logistic regression needs finite inputs, outcomes of 0 or 1, and c above 0.")
    penalty = 1.0 / (c * y.size)  # the mean loss is what the tolerance is about, as large sums never settle
    # Columns of item indicators and of counts differ a thousandfold in curvature: each is searched on its own scale.
    scale = np.append(1.0 / np.sqrt(0.25 * matrix.squares() / y.size + penalty), 2.0)

    def loss(position: Floats) -> tuple[float, Floats]:
        beta = position * scale
        weights = beta[:-1]
        z = matrix.times(weights) + beta[-1]
        error = counts * (sigmoid_many(z) - y)
        value = float(np.mean(counts * (np.logaddexp(0.0, z) - y * z))) + 0.5 * penalty * float(weights @ weights)
        gradient = np.append(matrix.gathered(error) / y.size + penalty * weights, error.mean())
        return value, gradient * scale

    start = np.zeros(matrix.columns + 1)
    options = {"maxiter": ROUNDS, "gtol": TOLERANCE, "ftol": 1e-11, "maxcor": 20}
    with one_thread():
        found = minimize(loss, start, jac=True, method="L-BFGS-B", options=options)
    beta = np.asarray(found.x, dtype=np.float64) * scale
    return Fit(beta[:-1], float(beta[-1]), int(found.nit))
