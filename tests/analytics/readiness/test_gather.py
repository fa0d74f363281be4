"""A learner before an exam, all topics at once: the same as topic by topic."""

from datetime import UTC, datetime, timedelta

import pytest

from osler.analytics.mastery.model import chance_known
from osler.analytics.readiness.gather import Ground, learner_state, topic_rows
from osler.analytics.readiness.topics import columns
from osler.catalog.snapshot import Catalogue, ExamEntry, TopicEntry
from osler.forecasts.parameters import START
from osler.science.irt import DEFAULTS, widen
from osler.science.logits import Z90
from osler.science.prerequisites import Edge, prerequisites

AT = datetime(2026, 11, 22, 12, tzinfo=UTC)
TOPICS = {"heart": None, "valves": "heart", "rhythm": "heart", "kidney": None, "skin": None, "outside": None}
EXAM = ExamEntry(
    "exam", "Exam", 100, 0.6, 0.0, {"heart": 0.5, "kidney": 0.3, "skin": 0.2},
    {"heart": "medicine", "kidney": "medicine", "skin": "surgery"},
)  # fmt: skip
KNOWN = Catalogue(
    1, {name: TopicEntry(name, name.title(), parent, None) for name, parent in TOPICS.items()},
    (("heart", "kidney", 0.5),), {"exam": EXAM},
)  # fmt: skip
ON = Ground(KNOWN, prerequisites([Edge("heart", "kidney", 0.5)]), START)


def days_ago(days: float) -> float:
    return (AT - timedelta(days=days)).timestamp()


ROWS = topic_rows(
    [
        ["heart", "outside", "rhythm", "valves"], [10, 99, 30, 20], [5, 0, 4, 5], [0.4, 3.0, -0.2, 1.0],
        [0.3, 0.1, 0.2, 0.25], [0.5, 0.6, 0.6, 0.7], [0.1, 0.11, 0.11, 0.12],
        [days_ago(d) for d in (1, 2, 40, 300)], [days_ago(d) for d in (1, 0.5, 0.5, 2)],
    ]
)  # fmt: skip


def test_topics_below_the_blueprint_count_together_by_their_answers():
    found = learner_state(ROWS, EXAM, AT, ON)
    heart = found.topics[0]
    n = 60
    skill = (10 * 0.4 + 30 * -0.2 + 20 * 1.0) / n
    parts = [(10, 0.3, 1), (30, 0.2, 40), (20, 0.25, 300)]
    grown = [(a, widen(v, DEFAULTS.skill_variance, DEFAULTS.skill_growth_per_day, days)) for a, v, days in parts]
    variance = sum((a / n) ** 2 * v for a, v in grown)
    assert (heart.topic_id, heart.n, heart.share, heart.section, heart.guess) == ("heart", n, 0.5, "medicine", 0.25)
    assert (heart.skill, heart.variance) == pytest.approx((skill, variance), rel=1e-9)
    total = found.ability_variance + variance
    eta = START.of_topic("heart") + found.ability + skill
    half = Z90 * total**0.5
    alone = [chance_known(x, total, 4) for x in (eta, eta - half, eta + half)]
    assert [heart.mastery, heart.mastery_low, heart.mastery_high] == pytest.approx(alone, rel=1e-9)


def test_ability_is_that_of_the_newest_row_and_widens_until_the_exam():
    now, later = learner_state(ROWS, EXAM, AT, ON), learner_state(ROWS, EXAM, AT + timedelta(days=100), ON)
    assert now.ability == later.ability == 0.6
    assert now.ability_variance == pytest.approx(0.11 + 0.5 * DEFAULTS.ability_growth_per_day)
    assert later.ability_variance > now.ability_variance
    assert all(b.variance >= a.variance for a, b in zip(now.topics, later.topics, strict=True))


def test_an_unseen_topic_has_the_prior_of_what_it_stands_on():
    found = learner_state(ROWS, EXAM, AT, ON)
    kidney, skin = found.topics[1], found.topics[2]
    assert (kidney.n, kidney.guess, kidney.variance) == (0, 0.0, DEFAULTS.skill_variance)
    assert kidney.skill == pytest.approx(0.5 * 0.4), "half of what heart has: the one prerequisite with answers"
    assert skin.skill == 0.0


def test_without_answers_everything_is_the_prior():
    found = learner_state(topic_rows([None] * 9), EXAM, AT, ON)
    assert (found.ability, found.ability_variance) == (0.0, DEFAULTS.ability_variance)
    assert [(t.n, t.skill) for t in found.topics] == [(0, 0.0)] * 3


def test_columns_and_values_say_the_same():
    topics = columns(learner_state(ROWS, EXAM, AT, ON).topics)
    assert list(columns(list(topics))) == list(topics)
    assert topics[:2] == [topics[0], topics[1]]
    assert list(columns([])) == []
