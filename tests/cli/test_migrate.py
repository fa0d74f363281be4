"""`osler migrate` refuses what it cannot do before it touches a database, and prints its SQL on request."""

from __future__ import annotations

import asyncio
import json

import pytest
import typer
from typer.testing import CliRunner

from osler.cli import migrate
from osler.db.history import HEAD
from osler.settings import Settings

app = typer.Typer()
app.command()(migrate.command)
runner = CliRunner()


@pytest.mark.parametrize(
    ("arguments", "said"), [(["--down"], "--down needs --to"), (["--to", "0099"], "no revision 0099")]
)
def test_wrong_arguments_end_with_2_and_a_sentence(arguments: list[str], said: str) -> None:
    result = runner.invoke(app, arguments)
    assert result.exit_code == 2
    assert said in result.output


def test_sql_is_printed_and_nothing_is_run() -> None:
    result = runner.invoke(app, ["--sql", "--to", "0002"])
    assert result.exit_code == 0
    assert "CREATE TABLE users" in result.output
    assert "%%" not in result.output


@pytest.mark.integration
async def test_json_tells_the_revisions(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("database_url", "owner_database_url"):
        secret = getattr(settings, name)
        monkeypatch.setenv(f"OSLER_{name.upper()}", secret.get_secret_value())
    monkeypatch.setenv("OSLER_PROFILE", "test")
    result = await asyncio.to_thread(runner.invoke, app, ["--json"])
    assert json.loads(result.output) == {"before": HEAD, "after": HEAD, "changed": False}
