import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from osler.errors import InvalidModelInput
from osler.science import ridge_logistic


@pytest.fixture
def rows():
    rng = np.random.default_rng(0)
    x = rng.normal(0, 1, (500, 4))
    y = (rng.random(500) < 1 / (1 + np.exp(-(x @ [1.0, -0.5, 0.0, 2.0] + 0.7)))).astype(float)
    return x, y


@pytest.mark.parametrize("c", [0.01, 1.0, 100.0])
def test_it_finds_the_weights_of_the_reference_library(rows, c):
    x, y = rows
    reference = LogisticRegression(C=c, tol=1e-10, max_iter=10_000).fit(x, y)
    mine = ridge_logistic.fit(x, y, c=c)
    np.testing.assert_allclose(mine[:-1], reference.coef_[0], atol=1e-4)
    np.testing.assert_allclose(ridge_logistic.predict(x, mine), reference.predict_proba(x)[:, 1], atol=1e-4)


def test_one_outcome_only_gives_a_finite_answer(rows):
    weights = ridge_logistic.fit(rows[0], np.ones(500))
    assert np.isfinite(weights).all()
    assert ridge_logistic.predict(rows[0], weights).min() > 0.9


def test_no_rows_are_refused():
    with pytest.raises(InvalidModelInput):
        ridge_logistic.fit(np.zeros((0, 2)), np.zeros(0))
