"""`osler learner join`, as an operator runs it."""

from __future__ import annotations

import json
from collections.abc import Callable
from uuid import uuid4

import pytest
from tests.cli.test_import import Home, homes  # noqa: F401 (a fixture)
from typer.testing import CliRunner

from osler.cli.main import app
from osler.errors import InvalidInput

pytestmark = pytest.mark.integration


def test_a_join_says_what_it_did_and_refuses_what_is_nonsense(homes: Callable[[], Home]) -> None:  # noqa: F811
    home, keep, other = homes(), uuid4(), uuid4()
    for user_id in (keep, other):
        home.rows("insert into users (user_id) values ($1)", user_id)
    words = ["learner", "join", str(keep), str(other), "--at-once", "--json"]
    named = CliRunner().invoke(app, words, env=home.environment)
    assert isinstance(named.exception, InvalidInput)
    assert "--nothing-comes-under-it" in named.exception.text
    home.rows("insert into identities (issuer, subject_mac, user_id) values ('https://id.example', '\\x00', $1)", other)
    result = CliRunner().invoke(app, words, env=home.environment)
    assert result.exit_code == 0, (result.output, result.exception)
    said = json.loads(result.stdout)
    assert (said["keep"], said["other"], said["stored"], said["moved"]["sign_ins"]) == (str(keep), str(other), 0, 1)
    assert said["certificate"]
    assert [row[0] for row in home.rows("select user_id from users")] == [keep]
    assert [tuple(row) for row in home.rows("select role, subject_id, fields from access_audit")] == [
        ("operator", keep, ["joined"])
    ]
