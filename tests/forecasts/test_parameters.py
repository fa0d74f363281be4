"""What a version of the parameters says: nobody's own answers, the middling question, rates only where they won."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import pytest

from osler.errors import IntegrityBroken
from osler.forecasts.easiness import FOLD_NAME, Counts, Easiness
from osler.forecasts.parameters import EASINESS, START, Fitted, LearningRates, Parameters, Rate
from osler.science.item_easiness import FOLDS, fold_of
from osler.science.learning_rate import DEFAULT_GAMMA
from osler.science.logits import logit


def learner_of_fold(fold: int) -> UUID:
    return next(user for n in range(1_000) if fold_of(f"{FOLD_NAME}{(user := UUID(int=n))}") == fold)


def counts(right: float = 9.0) -> Counts:
    """One question of one topic, answered ten times by the first fold alone."""
    return Counts(
        ("q",), ("t",), ((0, 0),),
        ((right,), *((0.0,),) * (FOLDS - 1)), ((10.0,), *((0.0,),) * (FOLDS - 1)),
    )  # fmt: skip


def test_a_learner_is_folded_without_what_their_own_fold_said():
    easiness = Easiness(counts())
    assert "q" not in easiness.of(learner_of_fold(0)).items
    assert easiness.of(learner_of_fold(1)).items["q"] == easiness.everybody.items["q"]
    parameters = Parameters("v", easiness)
    assert parameters.encoding(learner_of_fold(1)).mean == pytest.approx(9.5 / 11)
    assert parameters.of_topic("t") == easiness.everybody.items["q"].easiness
    assert parameters.of_topic("unheard-of") == logit(parameters.mean)


def test_before_any_fit_every_question_is_as_easy_as_the_mean_and_cards_as_theirs():
    encoding = START.encoding(learner_of_fold(2))
    assert START.prior("question", "q", ("t",), encoding).easiness == START.of_topic("t") == logit(0.65)
    assert START.prior("card", "c", ("t",), encoding).easiness == logit(0.85)


def test_counts_that_do_not_fit_together_are_refused():
    with pytest.raises(IntegrityBroken, match="do not fit"):
        Easiness(Counts(("q",), ("t",), ((0, 0),), ((1.0, 2.0),) * FOLDS, ((1.0,),) * FOLDS))
    with pytest.raises(IntegrityBroken, match="do not fit"):
        Easiness(Counts(("q",), ("t",), ((0, 0),), ((1.0,),), ((1.0,),)))


def test_fitted_learning_rates_serve_only_where_they_won_forward_in_time():
    assert LearningRates(0.4, 0.1, False, {"t": 0.5}).of("t") == Rate() == Rate(DEFAULT_GAMMA, 0.1)
    won = LearningRates(0.4, 0.1, True, {"t": 0.5})
    assert won.of("t") == Rate(0.5, 0.1, is_fitted=True)
    assert won.of("other") == Rate(0.4, 0.1, is_fitted=True)
    for rates in (won, LearningRates()):
        served = [rates.of(topic) for topic in ("other", "t")]
        gamma, sd = rates.columns(("other", "t"))
        assert (gamma.tolist(), sd.tolist()) == ([rate.gamma for rate in served], [rate.sd for rate in served])


def test_a_fit_is_named_by_its_content_and_its_cut():
    at = datetime(2026, 11, 16, tzinfo=UTC)
    one, same, other = (Fitted(EASINESS, {"a": a, "b": 2}, at, 1, 1) for a in (1, 1, 3))
    assert one.version == same.version != other.version
    assert one.version.startswith("item-easiness-20261116-")
