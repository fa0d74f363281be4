"""Is the online item response update the published one, stable, and the same in every form?"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from osler.science import irt
from osler.science.irt import AbilityState, Parameters, SkillState, Trial, fold, forecast, update, widen

# (easiness, outcome) -> p, m_u, v_u, m_k, v_k, one topic: science.md 3.2
GOLDEN = [
    (0.0, True, 0.500000, 0.296296, 0.685481, 0.222222, 0.553333),
    (0.5, True, 0.697493, 0.463326, 0.615705, 0.357051, 0.525260),
    (-1.0, False, 0.462752, 0.241245, 0.546427, 0.167594, 0.491929),
    (0.0, True, 0.585302, 0.422667, 0.493093, 0.330921, 0.465462),
]

names = st.sampled_from("abcd")
trials = st.lists(
    st.builds(
        Trial,
        easiness=st.floats(-4, 4),
        topics=st.lists(names, max_size=3, unique=True).map(tuple),
        correct=st.booleans(),
        weight=st.sampled_from([1.0, 0.5]),
    ),
    max_size=30,
)


def test_golden_path() -> None:
    ability, skill = AbilityState(), SkillState()
    for easiness, correct, *expected in GOLDEN:
        after = update(ability, [skill], easiness=easiness, correct=correct)
        ability, skill = after.ability, after.skills[0]
        got = [after.forecast.probability, ability.mean, ability.variance, skill.mean, skill.variance]
        assert got == pytest.approx(expected, abs=5e-7)


@given(trials)
def test_the_fold_is_the_update_in_a_row_to_the_last_bit(raw: list[Trial]) -> None:
    ability, skills, chances = AbilityState(0.2, 0.7), {"a": SkillState(-0.3, 0.4)}, []
    for trial in raw:
        mine = [skills.get(topic, SkillState()) for topic in trial.topics]
        after = update(ability, mine, easiness=trial.easiness, correct=trial.correct, weight=trial.weight)
        ability = after.ability
        skills.update(zip(trial.topics, after.skills, strict=True))
        chances.append(after.forecast.probability)
    assert fold(raw, AbilityState(0.2, 0.7), {"a": SkillState(-0.3, 0.4)}) == (ability, skills, chances)


@pytest.mark.parametrize("weight", [1.0, 0.5])
def test_variances_stay_above_zero_after_100_000_updates(weight: float) -> None:
    still = Parameters(ability_drift=0.0, skill_drift=0.0)
    for parameters in (irt.DEFAULTS, still):
        raw = [Trial(0.0, ("a", "b"), bool(i % 2), weight) for i in range(100_000)]
        ability, skills, _ = fold(raw, AbilityState(), {}, parameters)
        assert 0.0 < ability.variance < 0.81
        assert min(skill.variance for skill in skills.values()) > 0.0


def test_an_item_on_two_topics_moves_each_by_half() -> None:
    one = update(AbilityState(), [SkillState()], easiness=0.0, correct=True)
    two = update(AbilityState(), [SkillState(), SkillState()], easiness=0.0, correct=True)
    assert 0 < two.skills[0].mean < one.skills[0].mean
    assert two.forecast.variance == pytest.approx(0.8 + 2 * 0.6 / 4)


def test_a_repeat_moves_less_than_a_first_attempt() -> None:
    first = update(AbilityState(), [SkillState()], easiness=0.0, correct=True)
    repeat = update(AbilityState(), [SkillState()], easiness=0.0, correct=True, weight=0.5)
    assert 0 < repeat.ability.mean < first.ability.mean
    assert repeat.ability.variance > first.ability.variance


@given(st.floats(-5, 5), st.floats(-3, 3), st.floats(0.01, 2))
def test_a_right_answer_raises_and_a_wrong_one_lowers(easiness: float, mean: float, variance: float) -> None:
    state = AbilityState(mean, variance)
    up, down = (update(state, [], easiness=easiness, correct=correct).ability.mean for correct in (True, False))
    assert down <= mean <= up
    assert 0.0 <= forecast(easiness, state, []).probability <= 1.0


def test_time_only_widens_up_to_the_prior() -> None:
    assert widen(0.3, 0.6, 0.002, 50.0) == pytest.approx(0.4)
    assert widen(0.3, 0.6, 0.002, 1e6) == 0.6
    assert widen(0.3, 0.6, 0.002, -3.0) == 0.3
    assert widen(0.7, 0.6, 0.002, 10.0) == 0.7
    assert irt.widened_skill(SkillState(-1.0, 0.2), 100.0) == SkillState(-1.0, 0.4)
    assert irt.widened_ability(AbilityState(-1.0, 0.2), 100.0) == AbilityState(-1.0, 0.25)


def test_far_out_levels_do_not_overflow() -> None:
    assert forecast(900.0, AbilityState(), []).probability == pytest.approx(1.0)
    assert forecast(-900.0, AbilityState(), []).probability == pytest.approx(0.0)
