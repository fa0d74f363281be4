import json

import numpy as np
import pytest
import typer
from tests.support.reviews import reviewed
from typer.testing import CliRunner

from osler.cli.evaluate import command

app = typer.Typer()
app.command()(command)
run = CliRunner()


@pytest.fixture(scope="module")
def reviews(tmp_path_factory):
    rng = np.random.default_rng(3)
    rows = [f"a,{card},{day * 86400 + card},{day},{rating}" for card, day, rating in reviewed(rng, first_days=60)]
    file = tmp_path_factory.mktemp("cli") / "reviews.csv"
    file.write_text("user,card,ts,day,rating\n" + "\n".join(rows) + "\n")
    return file


def test_it_prints_every_model_and_writes_what_was_asked_for(reviews, tmp_path):
    result = run.invoke(
        app,
        ["--task", "recall", "--data", str(reviews), "--json", str(tmp_path / "r.json"),
         "--html", str(tmp_path / "r.html"), "--cards", str(tmp_path / "models")],
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    for name in ("osler", "running-mean", "blend-fitted-bias"):
        assert name in result.stdout
    assert "loses to" in result.stdout or "No baseline is ahead" in result.stdout
    assert json.loads((tmp_path / "r.json").read_text())["task"] == "recall"
    assert (tmp_path / "r.html").read_text().startswith("<!doctype html>")
    assert "# Recall" in (tmp_path / "models" / "recall.md").read_text()


def test_the_gate_passes_against_itself_and_fails_against_a_better_record(reviews, tmp_path):
    record = tmp_path / "champion.json"
    base = ["--task", "recall", "--data", str(reviews), "--baselines", "constant"]
    assert run.invoke(app, [*base, "--json", str(record)]).exit_code == 0
    assert run.invoke(app, [*base, "--champion", str(record)]).exit_code == 0
    better = json.loads(record.read_text())
    for row in better["models"]["osler"]["by_learner"].values():
        row["log_loss"] -= 0.05
    record.write_text(json.dumps(better))
    assert run.invoke(app, [*base, "--champion", str(record)]).exit_code == 1


def test_data_that_cannot_be_read_ends_with_2_and_a_sentence(tmp_path):
    (tmp_path / "bad.csv").write_text("user,card\na,1\n")
    result = run.invoke(app, ["--task", "recall", "--data", str(tmp_path / "bad.csv")])
    assert result.exit_code == 2
    assert "lacks the columns" in result.stderr


@pytest.mark.parametrize(
    ("option", "place", "said"),
    [
        ("--json", "absent/r.json", "no folder"),
        ("--html", "", "is a folder"),
        ("--cards", "taken", "wants a folder"),
    ],
)
def test_a_place_that_cannot_be_written_is_said_before_anything_is_computed(
    reviews, tmp_path, monkeypatch, option, place, said
):
    from osler.evaluate import recall

    monkeypatch.setattr(recall, "read", lambda *_, **__: pytest.fail("it began to compute"))
    (tmp_path / "taken").touch()
    result = run.invoke(app, ["--task", "recall", "--data", str(reviews), option, str(tmp_path / place)])
    assert result.exit_code == 2
    assert said in result.stderr


def test_help_names_the_tasks():
    result = run.invoke(app, ["--help"])
    assert result.exit_code == 0
    assert "next-answer" in result.stdout
