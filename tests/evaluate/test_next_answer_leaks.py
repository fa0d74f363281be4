"""Does each leak check pass on what is served, and fail on a leak planted for it?"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.support.next_answer_sample import write_sample

from osler.evaluate import next_answer_leaks as leaks
from osler.evaluate.next_answer_data import Answers, Floats, read
from osler.evaluate.next_answer_practice import check as practice_check
from osler.evaluate.next_answer_rows import Bools, Encodings, Split, encode, features_of, split_by_learner


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> tuple[Answers, Split]:
    answers = read(write_sample(tmp_path_factory.mktemp("sample")))
    return answers, split_by_learner(answers)


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def encoded_with_own_rows(answers: Answers, is_training: Bools) -> Encodings:
    """The planted leak of target encoding: training rows are encoded with all rows, their own among them."""
    honest = encode(answers, is_training)
    return replace(honest, without_fold=(honest.full,) * len(honest.without_fold))


def features_with_own_outcome(answers: Answers, split: Split, encodings: Encodings) -> Floats:
    """The planted leak of a fold that updates before it forecasts."""
    features = features_of(answers, split, encodings).copy()
    features[:, 14] += 0.2 * answers.correct
    return features


def features_with_totals(answers: Answers, split: Split, encodings: Encodings) -> Floats:
    """The planted leak of a learner's mean over all answers, later ones included."""
    features = features_of(answers, split, encodings).copy()
    count = np.bincount(answers.learner)
    features[:, 17] = (np.bincount(answers.learner, answers.correct) / np.maximum(count, 1))[answers.learner]
    return features


def test_1_encodings_ignore_the_learners_own_labels(sample: tuple[Answers, Split]) -> None:
    assert leaks.encodings_ignore_own_labels(*sample, rng())
    assert not leaks.encodings_ignore_own_labels(*sample, rng(), encoder=encoded_with_own_rows)


def test_2_features_ignore_their_own_label(sample: tuple[Answers, Split]) -> None:
    assert leaks.features_ignore_own_label(*sample, rng())
    assert not leaks.features_ignore_own_label(*sample, rng(), featurise=features_with_own_outcome)
    assert not leaks.features_ignore_own_label(*sample, rng(), encoder=encoded_with_own_rows)


def test_3_later_answers_change_nothing(sample: tuple[Answers, Split]) -> None:
    assert leaks.later_answers_change_nothing(*sample, rng())
    assert not leaks.later_answers_change_nothing(*sample, rng(), featurise=features_with_totals)


def test_4_permuted_labels_are_not_forecast(sample: tuple[Answers, Split]) -> None:
    correct = sample[0].correct
    assert leaks.is_near_chance(leaks.auc_of_permuted_labels(*sample, rng()), correct)
    planted_encoder = leaks.auc_of_permuted_labels(*sample, rng(), encoder=encoded_with_own_rows)
    assert not leaks.is_near_chance(planted_encoder, correct)
    planted_feature = leaks.auc_of_permuted_labels(*sample, rng(), featurise=features_with_own_outcome)
    assert not leaks.is_near_chance(planted_feature, correct)


def test_5_one_row_an_answer(sample: tuple[Answers, Split]) -> None:
    answers, _ = sample
    dated = replace(answers, at=np.arange(answers.correct.size, dtype=np.float64))
    assert leaks.rows_are_unique(dated)
    doubled = replace(
        dated,
        **{name: np.repeat(getattr(dated, name), 2) for name in ("learner", "item", "topic_set", "correct", "at")},
    )
    assert not leaks.rows_are_unique(doubled)


def test_6_the_batch_fold_is_the_one_by_one_fold(
    sample: tuple[Answers, Split], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert leaks.batch_is_one_by_one(*sample, rng())
    honest = leaks.histories.update

    def forgets_the_run(*arguments: object) -> object:
        state = honest(*arguments)  # type: ignore[arg-type]
        learner = state.learner
        return replace(state, learner=type(learner)(learner.ability, learner.right, learner.wrong))

    monkeypatch.setattr(leaks.histories, "update", forgets_the_run)
    assert not leaks.batch_is_one_by_one(*sample, rng())


def test_7_gamma_is_compared_with_none_forward_in_time(sample: tuple[Answers, Split]) -> None:
    """Simulated learners do not learn: growth must not win."""
    answers, split = sample
    found = practice_check(answers, ~split.is_test, seed=0)
    assert found is not None
    assert not found.wins
    assert found.later_answers > 200
    assert found == practice_check(answers, ~split.is_test, seed=0)


def test_7_gamma_wins_where_practice_does_help(tmp_path: Path) -> None:
    generator = np.random.default_rng(1)
    lines = []
    for u in range(150):
        seen = np.zeros(4)
        for _ in range(60):
            k = int(generator.integers(0, 4))
            right = generator.random() < 1 / (1 + np.exp(-(-1.5 + 1.2 * np.log1p(seen[k]))))
            lines.append(f"u{u},q{k}-{generator.integers(0, 15)},{int(right)},k{k}")
            seen[k] += 1
    path = tmp_path / "learning.csv"
    path.write_text("user_id,item_id,correct,skill_id\n" + "\n".join(lines) + "\n")
    answers = read(path)
    found = practice_check(answers, ~split_by_learner(answers).is_test, seed=0)
    assert found is not None
    assert found.gamma > 0.3
    assert found.wins
