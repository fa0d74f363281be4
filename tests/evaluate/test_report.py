import json
from dataclasses import replace

import numpy as np
import pytest

from osler.errors import InvalidInput, UnreadableSource
from osler.evaluate.champion import against_champion
from osler.evaluate.judging import judge
from osler.evaluate.report import CardText, Report


def made_report(osler_shift: float = 0.0, learners: int = 40) -> Report:
    rng = np.random.default_rng(1)
    learner = np.repeat([f"u{i:02d}" for i in range(learners)], 25)
    truth = rng.uniform(0.3, 0.95, learner.size)
    y = (rng.random(learner.size) < truth).astype(float)
    forecasts = {
        "osler": np.clip(truth + osler_shift, 0.01, 0.99),
        "constant <b>": np.full(learner.size, y.mean()),
    }
    card = CardText("recall", "Recall", "What?", "Reviews.", "Blend.", "Before.", ("Few.",), ("Here.",))
    return Report(
        task="recall",
        n=int(y.size),
        learners=learners,
        split="Forward.",
        models=judge(learner, y, forecasts, seed=0),
        data_sha256="ab",
        versions={"osler": "0"},
        seed=0,
        wall_seconds=1.0,
        notes=("A note.",),
        sections={"cold_start": {"0": {"osler": 0.5, "n": 3}}},
        cards=(card,),
    )


def test_json_has_flat_figures_and_survives_strict_json():
    document = json.loads(json.dumps(made_report().to_json(), allow_nan=False))
    served = document["models"]["osler"]
    assert {"task", "n", "learners", "split", "models"} <= document.keys()
    for figure in ("log_loss", "auc", "brier", "ece"):
        assert isinstance(served[figure], float)
    assert served["ci"]["log_loss"][0] < served["log_loss"] < served["ci"]["log_loss"][1]
    assert set(served["ci"]) == {"log_loss", "brier", "auc", "ece", "auc_within"}
    for figure, (low, high) in served["ci"].items():
        assert low < served[figure] < high, figure
    assert served["by_learner"]["u00"]["n"] == 25
    assert document["cold_start"]["0"]["osler"] == 0.5


def test_means_over_learners_have_their_intervals_too():
    learner = np.repeat([f"u{i}" for i in range(40)], 25)
    rng = np.random.default_rng(0)
    p = rng.uniform(0.2, 0.9, learner.size)
    served = judge(learner, rng.random(p.size) < p, {"osler": p}, seed=0, weight="learners")["osler"]
    flat = {"log_loss": served.log_loss, "brier": served.brier, "auc": served.auc, "ece": served.ece}
    for figure, value in flat.items():
        low, high = served.ci[figure]
        assert value is not None
        assert low < value < high, figure


def test_a_lost_comparison_is_said_and_a_won_one_is_not():
    assert made_report().losses() == []
    lost = made_report(osler_shift=-0.4).losses()
    assert lost[0].startswith("osler loses to constant <b> on log loss")


def test_a_day_on_which_a_baseline_wins_is_said_though_the_days_together_are_won():
    rows: dict[str, dict[str, dict[str, float | None]]] = {}
    rows["30"] = {"osler": {"log_loss": 0.5, "auc": 0.8}, "forest": {"log_loss": 0.6, "auc": 0.7}}
    report = replace(made_report(), sections={"by_day": rows})
    assert report.losses() == []
    rows["0"] = {"osler": {"log_loss": 0.6875, "auc": None}, "forest": {"log_loss": 0.674, "auc": 0.6}}
    rows["60"] = {"osler": {"log_loss": 0.5, "auc": 0.6}, "forest": {"log_loss": 0.4, "auc": 0.7}}
    assert report.losses() == [
        "As of day 0 osler loses to forest on log loss: 0.6875 against 0.6740.",
        "As of day 60 osler loses to forest on log loss: 0.5000 against 0.4000; on AUC: 0.6000 against 0.7000.",
    ]


def test_page_is_self_contained_and_escapes_names():
    page = made_report().to_html()
    assert "<script" not in page
    assert "http" not in page
    assert "constant &lt;b&gt;" in page
    assert page.count("<circle") > 10


def test_a_section_has_a_heading_for_each_figure_and_a_dash_for_what_is_not_there():
    sections = {"leak_checks": {"a": {"passed": True}, "b": {"passed": False, "auc": 0.5}}, "empty": {}}
    page = replace(made_report(), sections=sections).to_html()
    assert '<th scope="col">passed</th><th scope="col">auc</th>' in page
    assert '<th scope="row">a</th><td>yes</td><td>–</td>' in page
    assert '<th scope="row">b</th><td>no</td><td>0.5000</td>' in page
    assert "None" not in page
    assert "Empty" not in page


def test_the_models_of_a_day_are_a_row_each_and_few_groups_stand_side_by_side():
    by_day = {day: {name: {"log_loss": 0.5, "auc": 0.7} for name in ("osler", "forest")} for day in ("0", "30")}
    many = {"osler": {f"figure_{n}": n for n in range(8)}}
    page = replace(made_report(), sections={"by_day": by_day, "score": many}).to_html()
    assert '<th scope="row">30, forest</th><td>0.5000</td><td>0.7000</td>' in page
    assert '<th scope="row">figure 7</th><td>7</td>' in page


def test_what_it_comes_to_is_said_before_any_table_and_in_the_json():
    report = replace(made_report(), answer=("We can't tell.",), status="cannot_tell")
    page = report.to_html()
    assert page.index("We can&#39;t tell.") < page.index("<table")
    assert (report.to_json()["status"], report.to_json()["answer"]) == ("cannot_tell", ["We can't tell."])
    assert "status" not in made_report().to_json()


def test_the_card_says_what_is_served_on_each_day_and_why():
    losses = {"constant": 0.69, "logistic": 0.66, "random_forest": 0.65}
    choices = {"0": {"served": "random_forest", "out_of_run_log_loss": losses, "refused_on_training": ["logistic"]}}
    card = replace(made_report(), sections={"choices": choices}).model_cards()["recall.md"]
    assert "| 0 | random forest | 0.6900 | 0.6600 | **0.6500** | logistic |" in card
    assert "What is served when" not in made_report().model_cards()["recall.md"]


def test_model_card_names_figures_limits_and_lost_comparisons():
    card = made_report(osler_shift=-0.4).model_cards()["recall.md"]
    assert "loses to" in card
    assert "Few." in card
    assert "not learning" in card


def test_champion_gate_passes_against_a_worse_record_and_fails_against_a_better_one(tmp_path):
    better, worse = made_report(), made_report(osler_shift=-0.3)
    record = tmp_path / "champion.json"
    record.write_text(json.dumps(worse.to_json()))
    assert against_champion(better, record, weight="rows", seed=0).high <= 0
    record.write_text(json.dumps(better.to_json()))
    assert against_champion(worse, record, weight="rows", seed=0).high > 0
    assert against_champion(better, record, weight="rows", seed=0).high == 0


def test_champion_of_other_learners_or_no_report_is_refused(tmp_path):
    record = tmp_path / "champion.json"
    record.write_text(json.dumps(made_report(learners=31).to_json()))
    with pytest.raises(InvalidInput, match="other learners"):
        against_champion(made_report(), record, weight="rows", seed=0)
    record.write_text("[]")
    with pytest.raises(UnreadableSource, match="not a report"):
        against_champion(made_report(), record, weight="rows", seed=0)
