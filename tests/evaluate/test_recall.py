import json
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from tests.support.reviews import reviewed

from osler.errors import InvalidInput, UnreadableSource
from osler.evaluate import recall_models, recall_sections
from osler.evaluate.protocol import silent
from osler.evaluate.recall import TASK, forecast_learner
from osler.evaluate.recall_data import read

# Science page, 9.3: log loss per learner, in the order of their names; what a repeat must reach within .001.
LEARNERS = ("u00_anki", "u02_sm15", "u04_sm15", "u05_sm15", "u07_sm15")
SCORED = (3672, 1997, 5755, 7115, 4628)
TABLE = {
    "constant": (0.4424, 0.3256, 0.3257, 0.5576, 0.2015),
    "running-mean": (0.4391, 0.3251, 0.3251, 0.5553, 0.1997),
    "moving-average": (0.4337, 0.3386, 0.3331, 0.5563, 0.2118),
    "sm2": (0.4962, 0.5058, 1.943, 1.554, 2.746),
    "stated": (None, 0.3392, 0.3932, 0.6193, 0.2531),
    "fsrs6-default": (0.4272, 0.3408, 0.3404, 0.5026, 0.3379),
    "fsrs6-default-bias": (0.4207, 0.3135, 0.3314, 0.4919, 0.1986),
    "fsrs6-fitted": (0.4159, 0.3149, 0.3167, 0.4807, 0.2062),
    "sbd-default": (0.4346, 0.3689, 0.3331, 0.5034, 0.2534),
    "sbd-fitted": (0.4204, 0.3212, 0.3177, 0.4842, 0.1943),
    "logistic": (0.4232, 0.3219, 0.3138, 0.4846, 0.1975),
    "blend-default-bias": (0.4243, 0.3184, 0.3253, 0.4858, 0.1967),
    "blend-fitted": (0.4155, 0.3158, 0.3156, 0.4791, 0.1962),
    "blend-fitted-bias": (0.4140, 0.3163, 0.3155, 0.4770, 0.1934),
}
# Means over the learners: log loss, RMSE(bins), AUC.
MEANS = {
    "constant": (0.3706, 0.085, 0.5),
    "running-mean": (0.3688, 0.084, 0.539),
    "moving-average": (0.3747, 0.077, 0.573),
    "sm2": (1.449, 0.433, 0.577),
    "stated": (0.4012, 0.104, 0.611),
    "fsrs6-default": (0.3898, 0.115, 0.639),
    "fsrs6-default-bias": (0.3512, 0.061, 0.644),
    "fsrs6-fitted": (0.3469, 0.054, 0.657),
    "sbd-default": (0.3787, 0.107, 0.620),
    "sbd-fitted": (0.3476, 0.053, 0.648),
    "logistic": (0.3482, 0.049, 0.642),
    "blend-default-bias": (0.3501, 0.060, 0.641),
    "blend-fitted": (0.3444, 0.050, 0.658),
    "blend-fitted-bias": (0.3432, 0.048, 0.661),
}


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    """Three learners who recall by FSRS-6; one answers by coin."""
    rng = np.random.default_rng(0)
    rows = [
        f"{user},{card},{day * 86400 + int(rng.integers(0, 80000))},{day},{rating}"
        for user in ("ann", "bob", "coin")
        for card, day, rating in reviewed(rng, first_days=120, by_coin=user == "coin")
    ]
    file = tmp_path_factory.mktemp("recall") / "made.csv"
    file.write_text("user,card,ts,day,rating\n" + "\n".join(rows) + "\n")
    return file


@pytest.fixture(scope="module")
def report(made):
    return TASK.run(made, as_of=None, baselines=None, progress=silent, seed=0)


@pytest.mark.slow
def test_the_table_of_the_science_page_is_reproduced_and_its_gate_passes(shared_data):
    document = TASK.run(
        shared_data / "srs_reviews_5_users.csv.zst", as_of=None, baselines=None, progress=silent, seed=0
    ).to_json()
    models = document["models"]
    assert document["n"] == sum(SCORED)
    assert [models["osler"]["by_learner"][u]["n"] for u in LEARNERS] == list(SCORED)
    for name, losses in TABLE.items():
        for user, loss in zip(LEARNERS, losses, strict=True):
            if loss is not None:
                assert models[name]["by_learner"][user]["log_loss"] == pytest.approx(loss, abs=0.001), (name, user)
    for name, expected in MEANS.items():
        got = [models[name][figure] for figure in ("log_loss", "rmse_bins", "auc")]
        for value, wanted in zip(got, expected, strict=True):
            assert wanted is None or value == pytest.approx(wanted, abs=0.001), name
    assert models["osler"]["log_loss"] <= 0.345
    assert not any(row["worse_beyond_noise"] for row in document["against_running_mean"].values())
    assert models["osler"]["rmse_bins"] <= 0.05
    assert all(row["passed"] for row in document["leak_checks"].values())


def test_the_report_has_the_shape_that_is_promised(report):
    document = json.loads(json.dumps(report.to_json(), allow_nan=False))
    assert document["task"] == "recall"
    assert document["learners"] == 3
    assert set(document["models"]) == set(recall_models.DESCRIPTIONS) - {"stated"}
    for model in document["models"].values():
        assert {"log_loss", "auc", "brier", "ece", "ci", "by_learner", "rmse_bins"} <= model.keys()
        losses = [row["log_loss"] for row in model["by_learner"].values()]
        assert model["log_loss"] == pytest.approx(np.mean(losses))
    assert document["models"]["constant"]["osler_minus_this"]["status"] == "insufficient"
    assert document["models"]["constant"]["osler_minus_this"]["p_value"] is None
    assert all(row["passed"] for row in document["leak_checks"].values())


def test_a_learner_who_answers_by_coin_is_served_no_worse_than_their_running_mean(report):
    row = report.sections["against_running_mean"]["coin"]
    assert not row["worse_beyond_noise"]
    assert row["difference"] < 0.02


def test_who_is_worse_than_their_own_mean_is_said_in_words(report):
    rows = report.sections["against_running_mean"]
    behind = sum(row["difference"] > 0 for row in rows.values())
    assert report.answer == [
        f"Of 3 learners {behind} are served worse than their own running mean, none by more than the interval of the "
        "difference."
    ]
    named = {user: {**row, "difference": 0.1, "worse_beyond_noise": user == "bob"} for user, row in rows.items()}
    assert recall_sections.worse_than_own_mean(named).startswith(
        "1 of 3 learners are served worse than their own running mean by more"
    )
    assert recall_sections.worse_than_own_mean(named).endswith("difference: bob.")


def test_cohorts_and_groups_have_figures_of_their_own_and_move_no_forecast(made, report, tmp_path):
    head, *lines = made.read_text().splitlines()
    labelled = [f"{line},{'2026' if line.startswith('coin') else '2027'}," for line in lines]
    (tmp_path / "x.csv").write_text("\n".join([head + ",cohort,group", *labelled]) + "\n")
    again = TASK.run(tmp_path / "x.csv", as_of=None, baselines=("running-mean",), progress=silent, seed=0)
    rows = again.sections["by_cohort"]
    assert {name: row["learners"] for name, row in rows.items()} == {"2026": 1, "2027": 2}
    assert sum(row["n"] for row in rows.values()) == again.n
    assert all(row["status"] == "insufficient" for row in rows.values())
    assert rows["2026"]["log_loss_running-mean"] > rows["2027"]["log_loss_running-mean"]
    assert "by_group" not in again.sections  # an empty column says nothing
    assert again.models["osler"].log_loss == report.models["osler"].log_loss


def test_a_topic_has_figures_of_its_own_and_moves_no_forecast(made, report, tmp_path):
    head, *lines = made.read_text().splitlines()
    named = {"0": "heart", "1": "heart", "2": "kidney", "3": ""}
    topics = [f"{line},{named.get(line.split(',')[1][-1], 'lung')}" for line in lines]
    (tmp_path / "x.csv").write_text("\n".join([head + ",deck", *topics]) + "\n")
    again = TASK.run(tmp_path / "x.csv", as_of=None, baselines=("running-mean",), progress=silent, seed=0)
    rows = again.sections["by_topic"]
    assert list(rows) == ["lung"]  # the others have fewer than 100 scored reviews
    assert 100 <= rows["lung"]["n"] < again.n
    assert rows["lung"].keys() == {"n", "osler_auc", "osler", "running-mean"}
    assert again.models["osler"].log_loss == report.models["osler"].log_loss
    assert "by_topic" not in report.sections


def test_a_constant_ranks_nothing_though_it_changes_from_fold_to_fold(report):
    """Pooled over folds it would rank the folds, by constants that know more or less of the past."""
    constant = report.models["constant"]
    assert constant.auc == constant.figures["auc_within"] == 0.5
    assert {row["auc"] for row in constant.by_learner.values()} == {0.5}
    assert constant.ci["auc"] == (0.5, 0.5)
    assert report.models["running-mean"].auc != 0.5


def test_same_seed_same_report(made, report):
    again = TASK.run(made, as_of=None, baselines=None, progress=silent, seed=0).to_json()
    first = report.to_json()
    assert {**again, "wall_seconds": 0} == {**first, "wall_seconds": 0}


def test_chosen_baselines_run_and_unknown_ones_are_refused(made):
    chosen = TASK.run(made, as_of=None, baselines=("constant",), progress=silent, seed=0)
    assert set(chosen.models) == {"osler", "constant"}
    with pytest.raises(InvalidInput, match="fsrs7"):
        TASK.run(made, as_of=None, baselines=("fsrs7",), progress=silent, seed=0)


def test_as_of_cuts_the_record(made, report):
    early = TASK.run(made, as_of=date(1970, 3, 31), baselines=(), progress=silent, seed=0)
    assert early.n < report.n


def test_records_too_short_to_be_scored_are_refused_in_words(tmp_path):
    (tmp_path / "short.csv").write_text("user,card,ts,day,rating\na,1,0,0,3\na,1,86400,1,3\n")
    with pytest.raises(UnreadableSource, match="next-day review"):
        TASK.run(tmp_path / "short.csv", as_of=None, baselines=None, progress=silent, seed=0)


def test_a_short_learner_beside_a_long_one_is_noted(made, tmp_path):
    text = made.read_text() + "short,1,0,0,3\nshort,1,90000,1,1\n"
    (tmp_path / "both.csv").write_text(text)
    report = TASK.run(tmp_path / "both.csv", as_of=None, baselines=("constant",), progress=silent, seed=0)
    assert report.learners == 3
    assert any("too few reviews" in note for note in report.notes)


def test_progress_is_told(made):
    told = []
    TASK.run(made, as_of=None, baselines=(), progress=lambda *step: told.append(step), seed=0)
    assert told[0] == ("recall: forecasting", 0, 3)
    assert told[-1][1] == told[-1][2]


def test_every_model_forecasts_before_it_learns(made):
    """Leak test: flipping the outcomes from a row on moves no forecast up to that row, in any model."""
    reviews = read(made).learners[0]
    n = reviews.history.rating.size
    row = n - 20  # inside the last fold, whose training rows end before it
    flipped = replace(
        reviews,
        history=replace(
            reviews.history, rating=np.where(np.arange(n) >= row, 4 - reviews.history.rating, reviews.history.rating)
        ),
        quality=np.where(np.arange(n) >= row, 5 - reviews.quality, reviews.quality),
    )
    before, after = forecast_learner(reviews), forecast_learner(flipped)
    for name, forecast in before.forecasts.items():
        assert np.array_equal(forecast[: row + 1], after.forecasts[name][: row + 1], equal_nan=True), name
    assert not np.array_equal(before.forecasts["osler"], after.forecasts["osler"], equal_nan=True)


def test_the_leak_check_finds_a_planted_leak(made, monkeypatch):
    honest = recall_models.trained

    def leaking(reviews, cut, stop):
        block = honest(reviews, cut, stop)
        peeked = block.forecasts["osler"] * 0.5 + 0.5 * reviews.history.passed[:stop].mean()
        return replace(block, forecasts={**block.forecasts, "osler": peeked})

    reviews = read(made).learners[0]
    assert all(row["passed"] for row in recall_sections.leak_checks(reviews).values())
    monkeypatch.setattr(recall_sections, "trained", leaking)
    assert not all(row["passed"] for row in recall_sections.leak_checks(reviews).values())


def test_permuted_outcomes_leave_nothing_to_forecast(made):
    reviews = read(made).learners[0]
    rng = np.random.default_rng(0)
    order = rng.permutation(reviews.history.rating.size)
    shuffled = replace(reviews, history=replace(reviews.history, rating=reviews.history.rating[order]))
    run = forecast_learner(shuffled)
    losses = recall_sections.against_running_mean([run], seed=0)[reviews.user]
    assert losses["difference"] > -0.01


def test_same_day_reviews_are_scored_apart_and_never_with_certainty(made):
    text = made.read_text() + "".join(f"ann,{card},{9_000_000 + i * 60},104,3\n" for card in range(5) for i in range(4))
    file = made.parent / "same_day.csv"
    file.write_text(text)
    report = TASK.run(file, as_of=None, baselines=("fsrs6-default",), progress=silent, seed=0)
    osler = report.models["osler"]
    loss = osler.figures["log_loss_all_reviews"]
    assert loss is not None
    assert np.isfinite(loss)
    run = forecast_learner(read(file).learners[0])
    same_day = run.tested[run.reviews.history.local_days[run.tested] < 1]
    assert same_day.size > 0
    assert run.forecasts["osler"][same_day].max() < 1
    assert not set(same_day.tolist()) & set(run.scored.tolist())


def test_osler_answers_from_the_first_next_day_review_on(made):
    run = forecast_learner(read(made).learners[0])
    history = run.reviews.history
    assert np.isfinite(run.forecasts["osler"][history.next_day]).all()
    assert np.isnan(run.forecasts["osler"][history.is_first]).all()
