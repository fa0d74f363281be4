"""`osler class`, as an operator runs it: rosters in and out, twice is once, a wrong line changes nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest
from tests.cli.test_import import Home, homes  # noqa: F401 (a fixture)
from typer.testing import CliRunner

from osler.cli.main import app
from osler.errors import OslerError
from osler.http.auth import IDENTITY_KEY
from osler.http.identities import identity_mac
from osler.observe.keys import secret_key

pytestmark = pytest.mark.integration
ISSUER = "https://id.example/realms/school"


@pytest.fixture
def home(homes: Callable[[], Home]) -> Home:  # noqa: F811
    return homes()


def osler(home: Home, *words: object) -> str:
    result = CliRunner().invoke(app, ["class", *map(str, words)], env=home.environment)
    assert result.exit_code == 0, (result.output, result.exception)
    return result.stdout


def said(home: Home, *words: object) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(osler(home, *words, "--json"))
    return found


def refused(home: Home, *words: object) -> str:
    result = CliRunner().invoke(app, ["class", *map(str, words)], env=home.environment)
    assert isinstance(result.exception, OslerError), (result.output, result.exception)
    return result.exception.text


def learners(home: Home, n: int) -> list[UUID]:
    made = [uuid4() for _ in range(n)]
    for user_id in made:
        home.rows("insert into users (user_id) values ($1)", user_id)
    return made


def test_a_class_is_made_filled_shown_and_left_and_twice_is_once(home: Home) -> None:
    first, second, teacher = learners(home, 3)
    assert said(home, "create", "2026", "--name", "Class of 2026")["changed"] is True
    assert said(home, "create", "2026", "--name", "Class of 2026")["changed"] is False
    came = said(home, "add", "2026", first, second)
    assert (came["added"], came["same"]) == (2, 0)
    assert set(came["moved"]) == {str(first), str(second)}
    assert said(home, "add", "2026", first, second)["same"] == 2
    assert said(home, "add", "2026", teacher, "--role", "educator")["added"] == 1
    assert said(home, "list")["classes"] == [
        {"cohort_id": "2026", "name": "Class of 2026", "exam_id": None, "learners": 2, "educators": 1}
    ]
    assert [row["role"] for row in said(home, "members", "2026")["members"]] == ["educator", "learner", "learner"]
    gone = said(home, "remove", "2026", first)
    assert (gone["removed"], gone["moved"]) == (1, [str(first)])
    assert said(home, "remove", "2026", first)["removed"] == 0
    assert {row["user_id"] for row in said(home, "members", "2026")["members"]} == {str(second), str(teacher)}
    assert len(said(home, "members", "2026", "--all")["members"]) == 3, "that somebody was in it stays told"
    assert said(home, "add", "2026", first)["added"] == 1, "and who left may come back"
    on_record = home.rows("select role, action, subject_id, actor_id from access_audit order by audit_id")
    assert [tuple(row) for row in on_record if row["subject_id"] == first] == [
        ("operator", "classes:write", first, None)
    ] * 3
    assert len(on_record) == 5, "what changes nothing is no entry"


def test_a_roster_comes_in_by_subject_before_anybody_signed_in_and_goes_out_as_it_comes_in(
    home: Home, tmp_path: Any
) -> None:
    (known,) = learners(home, 1)
    file = tmp_path / "roster.csv"
    file.write_text(f"role,subject,user_id\nlearner,ada,\neducator,grace,\n,,{known}\n")
    osler(home, "create", "a")
    osler(home, "create", "b")
    assert said(home, "add", "a", "--from", file, "--issuer", ISSUER)["added"] == 3
    assert said(home, "add", "a", "--from", file, "--issuer", ISSUER)["same"] == 3, "the same people are met again"
    key = secret_key(home.folder, IDENTITY_KEY)
    stored = home.rows("select user_id from identities where subject_mac = $1", identity_mac(key, ISSUER, "ada"))
    members = {row["user_id"]: row["role"] for row in said(home, "members", "a")["members"]}
    assert members[str(stored[0][0])] == "learner", "the first token of that subject is this member"
    assert sorted(members.values()) == ["educator", "learner", "learner"]
    out = tmp_path / "out.csv"
    out.write_text(osler(home, "members", "a", "--csv"))
    assert said(home, "add", "b", "--from", out)["added"] == 3
    assert {row["user_id"]: row["role"] for row in said(home, "members", "b")["members"]} == members
    assert said(home, "remove", "b", "--from", out)["removed"] == 3


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("user_id\nnobody\n", "line 2: its user_id is no pseudonym"),
        ("name\nAda\n", "user_id or subject is needed"),
        ("user_id,subject\n,\n", "line 2 needs a user_id or a subject"),
        ("subject,role\nada,dean\n", "line 2: a role is one of learner, educator"),
        ("subject,role\nada,learner\nada,educator\n", "line 3 names somebody again"),
        ("user_id\n00000000-0000-4000-8000-00000000dead\n", "nobody was put in"),
        ("subject\nada\n", "a subject needs its issuer"),
        ("", "user_id or subject is needed"),
    ],
)
def test_a_wrong_roster_is_refused_with_its_line_and_nobody_is_put_in(
    home: Home, tmp_path: Any, text: str, words: str
) -> None:
    (known,) = learners(home, 1)
    osler(home, "create", "c")
    file = tmp_path / "roster.csv"
    file.write_text(text)
    assert words in refused(home, "add", "c", known, "--from", file)
    assert said(home, "members", "c")["members"] == []


def test_what_is_not_there_and_what_cannot_be_is_said(home: Home) -> None:
    (known,) = learners(home, 1)
    assert "osler class create" in refused(home, "add", "nowhere", known)
    assert "osler class create" in refused(home, "members", "nowhere")
    assert "name somebody" in refused(home, "remove", "nowhere")
    assert "1 to 64" in refused(home, "create", "a class")
    assert "1 to 64" in refused(home, "create", "jane.doe@example.org")
    assert "can be seen" in refused(home, "create", "ok", "--name", "a\x1b[2Jb")
    assert "there is no exam" in refused(home, "create", "ok", "--exam", "none")
    osler(home, "create", "ok")
    assert "never signed in" in refused(home, "remove", "ok", "--subject", "nobody", "--issuer", ISSUER)
    assert home.rows("select count(*) from identities")[0][0] == 0, "who is taken out is not met for it"
