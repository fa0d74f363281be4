"""Do the 24 features say what they are named after, from before the answer only, however they are folded?"""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from osler.science import histories, irt
from osler.science.features import NAMES, Answer, elapsed_days
from osler.science.histories import Histories, fold, initial, read, update
from osler.science.irt import Parameters
from osler.science.item_easiness import Encoding, ItemPrior
from osler.science.logits import sigmoid

ENCODING = Encoding(0.6, {"a": 0.5, "b": -0.5}, {"q": ItemPrior(0.9, 0.5, math.log1p(12))})
answers = st.lists(
    st.builds(
        Answer,
        item=st.sampled_from(["q", "r", "s", "t"]),
        topics=st.sampled_from([(), ("a",), ("b",), ("a", "b")]),
        correct=st.booleans(),
        at=st.one_of(st.none(), st.floats(0, 1e8)),
        is_card=st.booleans(),
    ),
    max_size=25,
)


def seen(*outcomes: bool, item: str = "q", topics: tuple[str, ...] = ("a",)) -> Histories:
    return fold(initial(), [Answer(f"{item}{i}", topics, right) for i, right in enumerate(outcomes)], ENCODING)


def named(state: Histories, item: str = "q", topics: tuple[str, ...] = ("a",)) -> dict[str, float]:
    return dict(zip(NAMES, read(state, item, topics, ENCODING), strict=True))


def test_there_are_24_and_a_new_learner_has_the_population() -> None:
    first = named(initial())
    assert len(first) == 24
    assert first["item_easiness"] == 0.9
    assert first["topic_easiness"] == 0.5
    assert first["log_item_answers"] == pytest.approx(math.log(13))
    assert first["ability_mean"] == first["skill_mean"] == first["recent_fast"] == first["share_right"] == 0.0
    assert (first["ability_variance"], first["skill_variance"]) == (0.8, pytest.approx(0.6))
    assert first["topic_never_seen"] == 1.0
    assert first["log_since_topic"] == pytest.approx(math.log(201))
    assert first["forecast_logit"] == pytest.approx(0.9 / math.sqrt(1 + math.pi * 1.4 / 8))


def test_counts_means_and_runs_after_a_few_answers() -> None:
    now = named(seen(True, True, False, True))
    assert now["log_right"] == now["log_topic_right"] == pytest.approx(math.log(4))
    assert now["log_wrong"] == now["log_topic_wrong"] == pytest.approx(math.log(2))
    assert now["log_item_right"] == 0.0
    assert now["share_right"] == pytest.approx((3 + 5 * 0.6) / 9 - 0.6)
    assert now["topic_share_right"] == pytest.approx((3 + 3 * 0.6) / 7 - 0.6)
    assert now["run"] == 1.0
    assert now["topic_never_seen"] == now["log_since_topic"] == 0.0
    assert now["same_topics"] == 1.0
    fast = 0.6
    for right in (1, 1, 0, 1):
        fast += 0.2 * (right - fast)
    assert now["recent_fast"] == pytest.approx(fast - 0.6)


def test_a_run_is_signed_and_held_at_eight() -> None:
    assert named(seen(*[True] * 12))["run"] == 8.0
    assert named(seen(*[False] * 12))["run"] == -8.0
    assert named(seen(True, True, False))["run"] == -1.0


def test_topic_values_are_means_over_the_items_topics() -> None:
    state = seen(True, True, True)
    both = named(state, "new", ("a", "b"))
    assert both["topic_easiness"] == both["item_easiness"] == 0.0
    assert both["log_topic_right"] == pytest.approx(math.log(4) / 2)
    assert both["topic_never_seen"] == 0.5
    assert both["several_topics"] == 1.0
    assert both["same_topics"] == 0.0
    assert both["skill_variance"] == pytest.approx((state.topics["a"].skill.variance + 0.6) / 4)


def test_answers_elsewhere_are_counted_since_the_topic_was_seen() -> None:
    state = fold(seen(True), [Answer(f"x{i}", ("b",), True) for i in range(3)], ENCODING)
    assert named(state)["log_since_topic"] == pytest.approx(math.log(4))


@given(answers)
def test_one_by_one_is_the_fold_to_the_last_bit(raw: list[Answer]) -> None:
    traced: list[list[float]] = []
    whole = fold(initial(), raw, ENCODING, trace=traced)
    state = initial()
    for answer, features in zip(raw, traced, strict=True):
        asked = read(state, answer.item, answer.topics, ENCODING, at=answer.at, is_card=answer.is_card)
        assert asked == features
        state = update(state, answer, ENCODING)
    assert state == whole


@given(answers, st.integers(0, 25))
def test_a_fold_may_be_cut_anywhere(raw: list[Answer], cut: int) -> None:
    parts = fold(fold(initial(), raw[:cut], ENCODING), raw[cut:], ENCODING)
    assert parts == fold(initial(), raw, ENCODING)


@given(answers, st.booleans())
def test_features_know_nothing_of_their_own_answer(raw: list[Answer], right: bool) -> None:
    one, other = [], []
    last = [Answer("q", ("a",), right, None)], [Answer("q", ("a",), not right, None)]
    fold(initial(), raw + last[0], ENCODING, trace=one)
    fold(initial(), raw + last[1], ENCODING, trace=other)
    assert one == other


def test_ability_and_skill_are_those_of_item_response() -> None:
    state = fold(initial(), [Answer("q", ("a",), True), Answer("r", ("a", "b"), False)], ENCODING)
    first = irt.update(irt.AbilityState(), [irt.SkillState()], easiness=0.9, correct=True)
    second = irt.update(first.ability, [first.skills[0], irt.SkillState()], easiness=0.0, correct=False)
    assert state.learner.ability == second.ability
    assert (state.topics["a"].skill, state.topics["b"].skill) == second.skills


def test_a_repeat_moves_half_and_is_no_first_attempt() -> None:
    once = seen(True, item="q")
    again = fold(once, [Answer("q0", ("a",), True)], ENCODING)
    fresh = fold(once, [Answer("q1", ("a",), True)], ENCODING)
    assert once.learner.ability.mean < again.learner.ability.mean < fresh.learner.ability.mean
    assert (again.topics["a"].first_right, again.topics["a"].right) == (1, 2)
    full = fold(once, [Answer("q0", ("a",), True)], ENCODING, Parameters(repeat_weight=1.0))
    assert full.learner.ability.mean == pytest.approx(fresh.learner.ability.mean)


def test_time_widens_before_an_answer_and_a_clock_set_back_counts_as_none() -> None:
    state = histories.update(initial(), Answer("q", ("a",), True, 1e6), ENCODING)
    soon, late, back = (
        dict(zip(NAMES, read(state, "q", ("a",), ENCODING, at=at), strict=True))
        for at in (1e6, 1e6 + 40 * 86_400, 1e6 - 40 * 86_400)
    )
    assert late["skill_variance"] == pytest.approx(min(0.6, soon["skill_variance"] + 0.08))
    assert late["ability_mean"] == soon["ability_mean"]
    assert back == soon
    behind = histories.update(state, Answer("r", ("a",), True, 1.0), ENCODING)
    assert behind.learner.at == behind.topics["a"].at == 1e6
    assert elapsed_days(None, 5.0) == 0.0


def cards(topic: str, passed: int, failed: int, name: str = "c") -> list[Answer]:
    outcomes = [n % (passed + failed) < passed for n in range(passed + failed)]
    return [Answer(f"{name}{topic}{n}", (topic,), right, is_card=True) for n, right in enumerate(outcomes)]


def sixty_days(*, overdue: bool) -> list[Answer]:
    """Three questions and six cards a day over six topics; cards passed at 85 %, from day 20 on at 32 % if overdue."""
    made: list[Answer] = []
    for number in range(360):
        if number % 6 < 3:
            place = number // 6 * 3 + number % 3
            made.append(Answer(f"q{place}", (f"t{place % 6}",), place % 5 > 1))
        passed = number * 7 % 25 < 8 if overdue and number >= 120 else number * 7 % 20 < 17
        made.append(Answer(f"c{number}", (f"t{number % 6}",), passed, is_card=True))
    return made


def test_cards_that_are_let_go_overdue_move_no_forecast_of_a_question() -> None:
    on_time, late = (fold(initial(), sixty_days(overdue=overdue), ENCODING) for overdue in (False, True))
    assert late.learner.ability.mean == pytest.approx(on_time.learner.ability.mean, abs=0.2)
    assert (late.learner.right, late.learner.recent_fast) == (on_time.learner.right, on_time.learner.recent_fast)
    for topic in on_time.topics:
        chances = [sigmoid(named(state, "new", (topic,))["forecast_logit"]) for state in (on_time, late)]
        assert chances[0] == pytest.approx(chances[1], abs=0.03)  # .4 to .5 apart when cards moved the ability


def test_cards_alone_say_nothing_of_the_learner_in_general() -> None:
    only = fold(initial(), cards("a", 10, 90), ENCODING)
    assert only.learner.ability == irt.AbilityState()
    assert (only.learner.right, only.learner.wrong, only.learner.run) == (0, 0, 0)
    assert only.learner.cards < -0.5


def test_topics_of_a_learner_with_cards_only_still_differ() -> None:
    both = [card for pair in zip(cards("a", 60, 0), cards("b", 0, 60), strict=True) for card in pair]
    skills = {name: topic.skill.mean for name, topic in fold(initial(), both, ENCODING).topics.items()}
    assert skills["a"] > 0.3
    assert skills["b"] < -0.3


def test_what_is_expected_of_a_card_follows_the_learners_cards_within_bounds() -> None:
    assert histories.card_prior(initial().learner).easiness == pytest.approx(math.log(0.85 / 0.15))
    for passed, share in ((True, 0.98), (False, 0.02)):
        state = fold(initial(), [Answer(f"c{n}", ("a",), passed, is_card=True) for n in range(400)], ENCODING)
        assert histories.card_prior(state.learner).easiness == pytest.approx(math.log(share / (1 - share)))


def test_ten_thousand_reviews_leave_a_topic_neither_sure_nor_lost() -> None:
    raw = [Answer(f"c{n % 300}", ("a",), n % 7 > 0, is_card=True) for n in range(10_000)]
    skill = fold(initial(), raw, ENCODING).topics["a"].skill
    assert 0.1 < skill.variance < 0.9
    assert abs(skill.mean) < 0.5
