"""`osler export` as its user sees it: lines, a zip, a summary for machines, and what it refuses."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest
from tests.support.learning import LEARNER, OTHER, history, send, small_catalogue
from typer.testing import CliRunner

from osler.cli.main import app
from osler.db.engine import Database
from osler.errors import InvalidInput, NotFound
from osler.settings import Settings

pytestmark = pytest.mark.integration


@pytest.fixture
async def learner(database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> str:
    await small_catalogue(database)
    await send(database, history(2))
    url = settings.database_url
    assert url is not None
    monkeypatch.setenv("OSLER_PROFILE", "test")
    monkeypatch.setenv("OSLER_HOME", str(settings.home))
    monkeypatch.setenv("OSLER_DATABASE_URL", url.get_secret_value())
    return str(LEARNER)


def exported(*arguments: str) -> str:
    done = CliRunner().invoke(app, ["export", *arguments], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout


def test_jsonl_holds_what_moves_and_the_summary_counts_it(learner: str, tmp_path: Path) -> None:
    file = tmp_path / "mine.jsonl"
    said = json.loads(exported("--user", learner, "--jsonl", "--out", str(file), "--json"))
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    assert file.stat().st_mode & 0o777 == 0o600
    assert said["events"] == len([line for line in lines if "type" in line]) == 14
    assert said["bytes"] == file.stat().st_size
    assert sum(said["rows"].values()) == len(lines) - 1
    assert {line["row"]["key"][0] for line in lines if line.get("catalogue") == "questions"} == {"A"}
    assert not [line for line in lines if line.get("table") == "topic_mastery"]


def test_csv_is_a_zip_and_without_a_file_lines_go_to_standard_output(learner: str, tmp_path: Path) -> None:
    file = tmp_path / "mine.zip"
    exported("--user", learner, "--csv", "--out", str(file))
    with zipfile.ZipFile(file) as made:
        assert made.testzip() is None
        assert {"README.md", "events.csv", "osler-export.jsonl"} <= set(made.namelist())
    assert json.loads(exported("--user", learner).splitlines()[0])["export"] == "osler"


def test_who_is_unknown_and_where_nothing_can_be_written_is_said(learner: str, tmp_path: Path) -> None:
    out = tmp_path / "none.jsonl"
    for arguments, kind, why in (
        (("--user", str(OTHER), "--out", str(out)), NotFound, "nothing is stored"),
        (("--user", learner, "--out", str(tmp_path / "no" / "x.jsonl")), InvalidInput, "cannot be written: No such"),
    ):
        with pytest.raises(kind, match=why):
            CliRunner().invoke(app, ["export", *arguments], catch_exceptions=False)
    assert not out.exists()


@pytest.mark.parametrize(("arguments", "why"), [(("--csv", "--jsonl"), "choose one"), (("--json",), "needs --out")])
def test_what_does_not_go_together_is_said(arguments: tuple[str, ...], why: str) -> None:
    with pytest.raises(InvalidInput, match=why):
        exported(*arguments)
