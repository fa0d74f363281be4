"""Does the backtest forecast strictly forwards, say who wins, and give the same report on every run?"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from tests.support.next_answer_sample import write_sample

from osler.errors import InvalidInput
from osler.evaluate.next_answer import TASK
from osler.evaluate.next_answer_models import BASELINES
from osler.evaluate.protocol import silent
from osler.evaluate.report import Report

# science.md 9.3: AUC, log loss, Brier, ECE, AUC within learner.
TABLE = {
    "constant": (0.5000, 0.6403, 0.2241, 0.003, 0.500),
    "skill mean": (0.6228, 0.6165, 0.2136, 0.013, 0.606),
    "running learner mean": (0.6664, 0.5970, 0.2046, 0.013, 0.430),
    "item mean": (0.6974, 0.5832, 0.1994, 0.013, 0.679),
    "running learner-skill mean": (0.7023, 0.5822, 0.1986, 0.039, 0.579),
    "BKT": (0.7165, 0.5682, 0.1925, 0.009, 0.635),
    "PFA": (0.7188, 0.5677, 0.1924, 0.013, 0.620),
    "ADF": (0.7651, 0.5331, 0.1786, 0.010, 0.659),
    "LR on the 24": (0.7772, 0.5221, 0.1741, 0.008, 0.685),
    "Best-LR": (0.7784, 0.5224, 0.1745, 0.009, 0.691),
    "Best-LR + the 24": (0.7857, 0.5150, 0.1712, 0.007, 0.701),
    "gradient boosting on the 24": (0.7863, 0.5136, 0.1710, 0.009, 0.701),
    "osler": (0.7885, 0.5119, 0.1702, 0.007, 0.703),
}
QUICK = ("constant", "running learner mean", "ADF", "BKT", "PFA")


def run(path: Path, baselines: tuple[str, ...] | None = QUICK) -> Report:
    return TASK.run(path, as_of=None, baselines=baselines, progress=silent, seed=0)


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Report:
    return run(write_sample(tmp_path_factory.mktemp("data")), None)


def test_every_baseline_is_in_the_report_and_osler_is_compared(report: Report) -> None:
    assert set(BASELINES) | {"osler", "Best-LR + the 24", "gradient boosting on the 24"} == set(report.models)
    for name, model in report.models.items():
        assert 0.0 < model.log_loss < 2.0
        assert (model.against_served is None) == (name == "osler")
    assert report.models["osler"].log_loss < report.models["constant"].log_loss
    assert report.learners + report.sections["training"]["rows"]["learners"] == 80


def test_the_report_is_json_with_cold_start_topics_and_leak_checks(report: Report) -> None:
    made = json.loads(json.dumps(report.to_json(), allow_nan=False))
    assert made["task"] == "next-answer"
    assert set(made["by_attempts_so_far"]) == {"0", "1-5", "6-20", "21+"}
    assert made["by_topic"]
    assert len(made["leak_checks"]) == 6
    assert all(check["passed"] for check in made["leak_checks"].values())
    assert made["practice_curve"]["gamma"]["wins_forward_in_time"] in {True, False}
    assert "auc_within" in made["models"]["osler"]


def test_a_lost_comparison_is_printed(report: Report) -> None:
    ahead = [name for name, model in report.models.items() if model.log_loss < report.models["osler"].log_loss]
    said = " ".join(report.losses())
    assert all(name in said for name in ahead)


def test_the_same_run_gives_the_same_report(tmp_path: Path) -> None:
    path = write_sample(tmp_path, learners=40)
    first, second = (replace(run(path), wall_seconds=0.0).to_json() for _ in range(2))
    assert first == second


def test_a_log_is_split_forward_in_time(tmp_path: Path) -> None:
    report = run(write_sample(tmp_path, dated=True))
    assert report.split.startswith("Forward in time")
    assert report.n == pytest.approx(80 * 60 / 5, rel=0.05)
    assert report.learners == 80
    assert not any("No dates" in note for note in report.notes)


def test_a_dated_table_is_tested_forward_in_time_too_and_a_log_by_learner(tmp_path: Path) -> None:
    dated = run(write_sample(tmp_path, dated=True))
    assert set(dated.sections["by_learner_instead"]) == set(dated.models)
    table = write_sample(tmp_path, learners=40)
    lines = table.read_text().splitlines()
    stamped = [f"{line},{1_700_000_000 + 90 * (i % 60)}" for i, line in enumerate(lines[1:])]
    table.write_text("\n".join([lines[0] + ",timestamp", *stamped]) + "\n")
    report = run(table)
    assert report.split.startswith("By learner")
    assert report.sections["forward_in_time"]["osler"]["n"] == pytest.approx(40 * 60 / 5, rel=0.05)
    assert "forward_in_time" not in run(write_sample(tmp_path, learners=40)).sections


def test_cards_in_a_log_change_no_baseline_that_counts_answers(tmp_path: Path) -> None:
    """A learner who fails all cards is no worse at questions for a baseline of their answers."""
    counting = ("constant", "skill mean", "item mean", "running learner mean", "running learner-skill mean", "BKT")
    log = write_sample(tmp_path, learners=30, dated=True)
    plain = run(log, counting)
    lines = log.read_text().splitlines()
    cards: list[str] = []
    for line in lines[::7]:
        event = json.loads(line)
        more = {
            "id": f"card {len(cards)}",
            "type": "flashcard_review",
            "data": {"card_id": f"c{len(cards)}", "rating": 1},
        }
        cards.append(json.dumps(event | more))
    log.write_text("\n".join([*cards, *lines]) + "\n")
    mixed = run(log, counting)
    assert mixed.models["osler"].log_loss != plain.models["osler"].log_loss
    for name in counting:
        assert mixed.models[name].log_loss == pytest.approx(plain.models[name].log_loss), name


def test_one_learners_own_table_is_tested_on_the_last_fifth(tmp_path: Path) -> None:
    report = run(write_sample(tmp_path, learners=1, answers=200))
    assert report.split.startswith("Forward in order")
    assert (report.n, report.learners) == (40, 1)
    assert report.models["osler"].log_loss == report.models["ADF"].log_loss


def test_cohorts_and_groups_that_a_table_names_have_figures_of_their_own(tmp_path: Path) -> None:
    table = write_sample(tmp_path, learners=60)
    lines = table.read_text().splitlines()
    learner = [int(line.split(",")[0][1:]) for line in lines[1:]]
    rows = [
        f"{line},{'2026' if u % 2 else '2027'},{'x' if u % 3 else ''}"
        for u, line in zip(learner, lines[1:], strict=True)
    ]
    table.write_text("\n".join([lines[0] + ",cohort,group", *rows]) + "\n")
    report = run(table)
    assert set(report.sections["by_cohort"]) == {"2026", "2027"}
    assert set(report.sections["by_group"]) == {"not stated", "x"}
    assert sum(row["n"] for row in report.sections["by_cohort"].values()) == report.n
    row = report.sections["by_cohort"]["2026"]
    assert row["status"] == "insufficient"
    assert {"base_rate", "mean_forecast", "log_loss", "auc", "brier", "ece", "log_loss_ADF"} <= row.keys()
    plain = run(write_sample(tmp_path, learners=60))
    assert plain.models["osler"].log_loss == report.models["osler"].log_loss  # a label is no feature


def test_with_few_answers_osler_serves_item_response_alone(tmp_path: Path) -> None:
    report = run(write_sample(tmp_path, learners=25, answers=20))
    assert report.models["osler"].log_loss == report.models["ADF"].log_loss
    assert any("online item response alone" in note for note in report.notes)


def test_answers_without_topics_are_forecast_all_the_same(tmp_path: Path) -> None:
    path = write_sample(tmp_path, learners=60)
    lines = [line.rsplit(",", 1)[0] for line in path.read_text().splitlines()]
    path.write_text("\n".join(lines) + "\n")
    report = run(path)
    assert report.models["osler"].log_loss < report.models["constant"].log_loss
    assert all(check["passed"] for check in report.sections["leak_checks"].values())


def test_too_little_to_split_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "tiny.csv"
    path.write_text("user_id,item_id,correct,skill_id\nu,1,1,a\nu,2,1,a\n")
    with pytest.raises(InvalidInput):
        run(path)
    with pytest.raises(InvalidInput, match="No such baseline"):
        run(write_sample(tmp_path, learners=30), ("nonsense",))


@pytest.mark.slow
def test_the_published_table_is_met(shared_data: Path) -> None:
    """science.md 9.3: AUC at least .788 and log loss at most .512 on its split; baselines within .001."""
    report = run(shared_data / "assist09_interactions.csv.zst", None)
    assert (report.n, report.learners) == (56_376, 632)
    osler = report.models["osler"]
    assert osler.auc is not None
    assert osler.auc >= 0.788
    assert osler.log_loss <= 0.512
    for name, (area, loss, brier, ece, within) in TABLE.items():
        found = report.models[name]
        assert found.log_loss == pytest.approx(loss, abs=1e-3), name
        assert found.brier == pytest.approx(brier, abs=1e-3), name
        # Areas and errors of the page are rounded: half a unit of their last digit more.
        assert found.auc == pytest.approx(area, abs=1.5e-3), name
        assert found.ece == pytest.approx(ece, abs=1.5e-3), name
        assert found.figures["auc_within"] == pytest.approx(within, abs=1.5e-3), name
    assert report.losses() == []
