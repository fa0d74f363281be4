"""Over a simulated year: noise is not shown, what was planted is, and a bad stretch is not taken for a need to rest."""

from __future__ import annotations

import numpy as np
import pytest
from tests.analytics.patterns.year import Planted, simulated_year

from osler.analytics.patterns.wording import sentence


@pytest.mark.parametrize(("seed", "pauses_when_bad"), [(11, False), (12, True)])
def test_at_most_one_in_twenty_learners_without_effects_is_shown_anything_in_a_year(seed: int, pauses_when_bad: bool):
    rng = np.random.default_rng(seed)
    learners = 60
    fooled = sum(bool(simulated_year(rng, Planted(pauses_when_bad=pauses_when_bad))) for _ in range(learners))
    assert fooled <= 0.05 * learners


@pytest.mark.parametrize(
    ("insight", "planted"),
    [
        ("best_time_of_day", Planted(morning=0.08)),
        ("notes", Planted(notes=0.08, sessions=2)),
        ("rest", Planted(rest=0.08, break_minutes=(8,), sessions=2)),
    ],
)
def test_a_planted_effect_of_eight_points_is_shown_and_said_as_an_association(insight: str, planted: Planted):
    rng = np.random.default_rng(5)
    found = [shown[insight] for shown in (simulated_year(rng, planted) for _ in range(6)) if insight in shown]
    assert len(found) >= 5
    said = sentence(found[0].candidate)
    assert said is not None
    assert said.code == f"patterns.{insight}"
    assert "associated with +" in said.text
    assert not any(word in said.text for word in ("because", "makes", "improves"))
    low, effect, high = (said.params[name] for name in ("low", "effect", "high"))
    assert isinstance(low, float)
    assert isinstance(effect, float)
    assert isinstance(high, float)
    assert 0 < low <= effect <= high
