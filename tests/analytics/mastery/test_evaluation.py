"""Mastery of many topics at once is mastery of each."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from osler.analytics.mastery.evaluation import mastery_many
from osler.analytics.mastery.model import predict
from osler.science.features import LearnerHistory, TopicHistory
from osler.science.irt import AbilityState, SkillState

topics = st.tuples(
    st.floats(-3, 3), st.floats(0.05, 0.8), st.floats(-3, 3), st.floats(0.05, 0.6), st.sampled_from([0, 2, 4, 5])
)


@given(st.lists(topics, min_size=1, max_size=6), st.floats(-2, 2))
def test_many_equal_one_by_one(found: list[tuple[float, float, float, float, int]], easiness: float):
    one_by_one = [
        predict(
            LearnerHistory(ability=AbilityState(a, av)),
            TopicHistory(skill=SkillState(s, sv), right=3, wrong=3),
            median_easiness=easiness,
            options=options,
        )
        for a, av, s, sv, options in found
    ]
    a, av, s, sv, options = (np.array(values) for values in zip(*found, strict=True))
    value, low, high = mastery_many(easiness + a + s, av + sv, options)
    assert value == pytest.approx([m.value for m in one_by_one], rel=1e-12, abs=1e-12)
    assert low == pytest.approx([m.low for m in one_by_one], rel=1e-12, abs=1e-12)
    assert high == pytest.approx([m.high for m in one_by_one], rel=1e-12, abs=1e-12)
