"""Readiness: what is said, and above all when nothing is."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from osler.analytics.readiness.features import FEATURES, as_row, exam_features
from osler.analytics.readiness.model import (
    Exam,
    LearnerState,
    TopicState,
    Trust,
    assess,
    coverage,
    going_on,
    readiness_score,
    sections,
    trust_in,
)
from osler.science.calibration import Calibration
from osler.science.exam_learned import ExamModel
from osler.science.exam_projection import Practice
from osler.science.exam_trained import Scaling, TrainedExam

TOPICS = (
    TopicState("renal", 0.5, "medicine", 0.2, 0.5, 0.2, 40, 0.80, 0.72, 0.86),
    TopicState("heart", 0.3, "medicine", 0.0, 0.1, 0.3, 20, 0.55, 0.40, 0.70),
    TopicState("skin", 0.2, "surgery", 0.0, -1.2, 0.3, 12, 0.25, 0.10, 0.45),
)
LEARNER = LearnerState(0.1, 0.15, TOPICS)
EXAM = Exam(questions=100, cut=0.55)


def test_the_readiness_score_is_the_share_of_what_is_mastered():
    value, low, high = readiness_score(LEARNER, seed=0)
    assert value == pytest.approx(100 * (0.5 * 1 + 0.3 * 0.55 / 0.8 + 0.2 * 0.25 / 0.8))
    assert low < value < high


def test_an_exam_without_pass_mark_has_a_score_but_no_chance():
    answer = assess(LEARNER, replace(EXAM, cut=None))
    assert answer.pass_probability is None
    assert answer.predicted_score is not None
    assert "readiness.no_cut" in [f.code for f in answer.findings]


def test_nothing_is_forecast_without_blueprint_or_coverage():
    assert assess(LearnerState(0, 1, ()), EXAM).status == "not_available"
    fresh = LearnerState(0, 0.8, tuple(replace(t, n=0) for t in TOPICS))
    answer = assess(fresh, EXAM)
    assert answer.status == "insufficient_data"
    assert answer.predicted_score is None
    assert answer.findings[0].text.startswith("Too early to tell: 0 %")


def test_forecasts_that_do_not_beat_the_base_rate_are_refused_in_words():
    answer = assess(LEARNER, EXAM, trust=Trust(Calibration("logistic", 285, (0.0,), (1.0,)), beats_base_rate=False))
    assert answer.status == "cannot_tell"
    assert answer.pass_probability is None
    assert "can't tell" in answer.findings[0].text


def test_an_unchecked_forecast_says_so_and_has_its_range():
    answer = assess(LEARNER, EXAM)
    assert (answer.status, answer.calibration) == ("provisional", "uncalibrated")
    assert answer.pass_probability is not None
    value, low, high = answer.pass_probability
    assert low < value < high


def test_calibration_is_applied_to_the_chance_and_its_interval():
    plain = assess(LEARNER, EXAM).pass_probability
    mapped = assess(LEARNER, EXAM, trust=Trust(Calibration("logistic", 400, (-1.0,), (0.5,)))).pass_probability
    assert plain is not None
    assert mapped is not None
    assert mapped[0] < plain[0]
    assert mapped[2] - mapped[1] < plain[2] - plain[1]


def test_a_trained_model_that_won_is_served_with_the_reach_of_the_closed_form():
    weights = (*([0.0] * 17), 1.0)
    trained = TrainedExam("logistic", Scaling((0.0,) * 8, (0.0,) * 17, (1.0,) * 17), weights, (*([0.0] * 17), 0.7))
    model = ExamModel("e", 0.55, 300, 300, Calibration("logistic", 300, (0.0,), (1.0,)), 2.0, trained=trained,
                      beats_base_rate=False)  # fmt: skip
    answer = assess(LEARNER, EXAM, trust=trust_in(model, None), features=as_row(dict.fromkeys(FEATURES)))
    assert (answer.source, answer.status) == ("logistic", "ok")
    assert answer.predicted_score is not None
    assert answer.pass_probability is not None
    assert answer.predicted_score[0] == pytest.approx(70)
    value, low, high = answer.pass_probability
    assert value == pytest.approx(1 / (1 + math.exp(-1)))
    assert low < value < high
    without = assess(LEARNER, EXAM, trust=trust_in(model, None))
    assert without.source == "closed_form", "a learner whose features are not known yet"


def test_a_calibrated_score_is_as_wide_as_results_said():
    narrow, wide = (
        assess(LEARNER, EXAM, trust=Trust(Calibration("logistic", 300, (0.0,), (1.0,)), factor, error)).predicted_score
        for factor, error in ((1.6, 0.0), (2.0, 0.01))
    )
    assert narrow is not None
    assert wide is not None
    assert wide[2] - wide[1] > narrow[2] - narrow[1]


def test_a_weak_section_needs_ten_answers():
    weak = {s.name: s.is_weak for s in sections(LEARNER, EXAM)}
    assert weak == {"medicine": False, "surgery": True}
    fewer = replace(LEARNER, topics=(*TOPICS[:2], replace(TOPICS[2], n=9)))
    assert not any(s.is_weak for s in sections(fewer, EXAM))


def test_coverage_counts_topics_from_five_answers():
    assert coverage([replace(TOPICS[0], n=5), replace(TOPICS[1], n=4)]) == 0.5


def test_the_eight_features():
    found = exam_features(
        (*TOPICS, replace(TOPICS[2], topic_id="eye", n=2, mastery=0.99)), accuracy_30d=None, study_minutes_total=120.0,
        first_attempt_accuracy=0.7, questions_attempted_total=72, days_since_start=30,
    )  # fmt: skip
    assert tuple(found) == FEATURES
    assert found["avg_mastery_score"] == pytest.approx(0.5 * 0.80 + 0.3 * 0.55 + 0.2 * 0.25)
    assert (found["topics_mastered"], found["topics_weak"], found["accuracy_30d"]) == (1, 1, None)


def test_going_on_raises_what_is_expected_and_not_what_is_mastered():
    practice = Practice(60.0, 90.0, np.array([40.0, 20.0, 12.0]), np.full(3, 0.25), np.full(3, 0.1), np.full(3, 1 / 3))
    stays, month, longer = assess(LEARNER, EXAM), *(assess(going_on(LEARNER, practice, n), EXAM) for n in (30, 90))
    assert stays.predicted_score is not None
    assert month.predicted_score is not None
    assert longer.predicted_score is not None
    assert stays.predicted_score[0] + 1 < month.predicted_score[0] < longer.predicted_score[0]
    assert month.readiness_score == stays.readiness_score
    idle = assess(going_on(LEARNER, replace(practice, minutes_per_day=0.0), 30), EXAM)
    assert idle.predicted_score == pytest.approx(stays.predicted_score)


def test_results_move_the_expected_score_and_its_interval_alike():
    plain, moved = assess(LEARNER, EXAM), assess(LEARNER, EXAM, trust=Trust(score_shift=0.3))
    assert plain.predicted_score is not None
    assert moved.predicted_score is not None
    gained = [b - a for a, b in zip(plain.predicted_score, moved.predicted_score, strict=True)]
    assert gained == pytest.approx([gained[0]] * 3)
    assert gained[0] > 3
    assert moved.pass_probability == plain.pass_probability, "recalibrated by itself"


def test_another_pass_mark_moves_the_chance_and_not_the_score():
    lenient, strict = assess(LEARNER, EXAM), assess(LEARNER, replace(EXAM, cut=0.65))
    assert lenient.predicted_score == strict.predicted_score
    assert lenient.readiness_score == strict.readiness_score
    assert lenient.pass_probability is not None
    assert strict.pass_probability is not None
    assert strict.pass_probability[0] < lenient.pass_probability[0]


def test_practice_on_any_topic_raises_the_score_the_more_the_larger_its_share():
    def score(topic: int) -> float:
        topics = tuple(replace(t, skill=t.skill + 0.01) if i == topic else t for i, t in enumerate(TOPICS))
        found = assess(replace(LEARNER, topics=topics), EXAM).predicted_score
        assert found is not None
        return found[0]

    base = assess(LEARNER, EXAM).predicted_score
    assert base is not None
    gains = [score(i) - base[0] for i in range(3)]
    assert min(gains) > 0
    assert gains[0] > gains[2]


def test_the_same_input_gives_the_same_answer():
    assert assess(LEARNER, EXAM, seed=3) == assess(LEARNER, EXAM, seed=3)
