"""Is the regression the minimum of its objective, the same as scikit-learn's?"""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from osler.errors import InvalidModelInput
from osler.science import logistic
from osler.science.logistic import Sparse


def sample(n: int = 800, p: int = 6, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, p)) * np.array([1, 5, 0.1, 1, 2, 1])[:p]
    y = (rng.random(n) < 1 / (1 + np.exp(-(x @ rng.normal(size=p) * 0.5 + 0.4)))).astype(float)
    return x, y


@pytest.mark.parametrize("c", [0.01, 1.0, 100.0])
def test_equal_to_scikit_learn(c: float) -> None:
    x, y = sample()
    theirs = LogisticRegression(C=c, tol=1e-10, max_iter=10_000).fit(x, y)
    ours = logistic.fit(x, y, c=c)
    assert ours.weights == pytest.approx(theirs.coef_[0], abs=2e-4)
    assert ours.intercept == pytest.approx(theirs.intercept_[0], abs=2e-4)
    assert ours.logits(x) == pytest.approx(theirs.decision_function(x), abs=2e-3)


def test_sparse_and_dense_designs_give_the_same() -> None:
    x, y = sample()
    row, column = np.nonzero(x)
    half = column < 3
    dense = logistic.fit(x, y, c=1.0)
    cells = Sparse(row[half], column[half], x[row[half], column[half]], (x.shape[0], 3), x[:, 3:])
    sparse = logistic.fit(cells, y, c=1.0)
    assert sparse.weights == pytest.approx(dense.weights, abs=1e-5)
    assert sparse.logits(cells) == pytest.approx(dense.logits(x), abs=1e-4)


def test_the_gradient_is_zero_at_the_minimum() -> None:
    x, y = sample()
    fitted = logistic.fit(x, y, c=0.5)
    error = 1 / (1 + np.exp(-fitted.logits(x))) - y
    assert np.abs(x.T @ error + fitted.weights / 0.5).max() / y.size < 2e-5
    assert abs(error.mean()) < 2e-5


def test_one_outcome_alone_and_separation_stay_finite() -> None:
    x, _ = sample()
    assert np.isfinite(logistic.fit(x, np.ones(x.shape[0]), c=1.0).weights).all()
    assert np.isfinite(logistic.fit(x, x[:, 0] > 0, c=1.0).weights).all()


@pytest.mark.parametrize("change", ["nan", "outcome", "c", "length"])
def test_what_cannot_be_fitted_is_refused(change: str) -> None:
    x, y = sample()
    if change == "nan":
        x[3, 2] = np.nan
    if change == "outcome":
        y[0] = 0.5
    with pytest.raises(InvalidModelInput):
        logistic.fit(x[:-1] if change == "length" else x, y, c=0.0 if change == "c" else 1.0)
