"""Is a contrast Welch's, a shrunk effect the posterior, and many looks held as their papers have it?"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from osler.science.insights_math import arm, benjamini_hochberg, contrast, holm, shrink

# Benjamini & Hochberg 1995, section 4: fifteen hypotheses of a trial; at .05 four are rejected, by Bonferroni three.
TRIAL = [
    0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0,
]  # fmt: skip
CHANCES = st.lists(st.floats(0, 1), min_size=1, max_size=12)


def test_the_example_of_the_paper() -> None:
    assert benjamini_hochberg(TRIAL, 0.05) == [True] * 4 + [False] * 11
    assert [p <= 0.05 for p in holm(TRIAL)] == [True] * 3 + [False] * 12


@given(CHANCES, st.randoms())
def test_order_does_not_matter_and_what_holm_passes_passes_too(chances, random) -> None:
    found, adjusted = benjamini_hochberg(chances, 0.05), holm(chances)
    order = list(range(len(chances)))
    random.shuffle(order)
    shuffled = [chances[i] for i in order]
    assert benjamini_hochberg(shuffled, 0.05) == [found[i] for i in order]
    assert all(p <= q <= 1 for p, q in zip(chances, adjusted, strict=True))
    assert all(passed for passed, q in zip(found, adjusted, strict=True) if q <= 0.05)
    assert all(wider for wider, passed in zip(benjamini_hochberg(chances, 0.1), found, strict=True) if passed)


def test_with_a_cluster_for_each_answer_it_is_welchs_t() -> None:
    rng = np.random.default_rng(0)
    one, other = rng.normal(0.1, 0.4, 30), rng.normal(0.0, 0.7, 45)
    arms = [arm(e, (e > 0).astype(float), np.arange(e.size)) for e in (one, other)]
    assert arms[0] is not None
    assert arms[1] is not None
    found = contrast(arms[0], arms[1])
    known: Any = stats.ttest_ind(one, other, equal_var=False)
    assert found.p_value == pytest.approx(known.pvalue, rel=1e-12)
    assert found.df == pytest.approx(known.df, rel=1e-12)
    assert found.difference / found.variance**0.5 == pytest.approx(known.statistic, rel=1e-12)


@given(st.floats(-1, 1), st.floats(0, 1), st.floats(0.001, 1))
def test_a_shrunk_effect_is_nearer_to_nothing_and_inside_its_interval(difference, variance, spread) -> None:
    found = shrink(difference, variance, spread)
    assert abs(found.value) <= abs(difference) + 1e-12
    assert found.value * difference >= 0
    assert found.low <= found.value <= found.high
    assert found.high - found.low <= 2 * 1.645 * min(spread, variance**0.5) + 1e-12
