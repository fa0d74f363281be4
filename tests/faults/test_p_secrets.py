"""P16, P17: where no secret may show: command lines, logs, files that others read, the repository, error reports."""

from __future__ import annotations

import re
import shutil
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import sentry_sdk
import sqlalchemy as sa
from fastapi import Request
from fastapi.routing import APIRoute
from tests.observe.test_logs import CANARIES, Collector
from tests.support.embedded import Home, processes_in
from tests.support.matrix import ROOT
from tests.support.web import Web

from osler.db.embedded.roles import read_passwords
from osler.http.scope import PUBLIC
from osler.observe.reports import configure_reports
from osler.settings import load_settings

pytestmark = [pytest.mark.fault, pytest.mark.integration]

SECRETS = (
    r"-----BEGIN (?:RSA |EC |OPENSSH |ENCRYPTED )?PRIVATE KEY-----\n[A-Za-z0-9+/=\n]{40}",
    r"\b(?:ghp|gho|ghs|glpat|xox[abp])[-_][A-Za-z0-9]{30,}",
    r"\bAKIA[0-9A-Z]{16}\b",
    r"\bsk[-_](?:live|proj)[-_][A-Za-z0-9]{20,}",
    r"://[a-z_]+:[^\s:@/{}<>$*'\"]{12,}@(?!/)[a-z0-9.-]+\.(?:com|org|net|io)\b",
)
PLANTED = {"tests/faults/test_h_events.py", "tests/domain/test_privacy_gate.py"}
"""Files that hold made-up tokens on purpose, to be refused."""


def test_p16_no_password_is_on_a_command_line_or_in_a_log(home: Home) -> None:
    application = home.application()
    application.wait()
    assert application.ask("select 1") == 1
    secrets = list(read_passwords(home.root / "passwords.json").values())
    assert len(secrets) >= 4
    lines = [Path(f"/proc/{pid}/cmdline").read_bytes() for pid in processes_in(home.data)]
    lines += [Path(f"/proc/{pid}/cmdline").read_bytes() for pid in (home.state["keeper"], application.process.pid)]
    assert len(lines) >= 4
    assert not [line for line in lines for secret in secrets if secret.encode() in line]
    for path in home.path.rglob("*"):
        if (
            path.is_file()
            and not path.is_relative_to(home.data)
            and any(s.encode() in path.read_bytes() for s in secrets)
        ):
            assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, f"{path} is for its owner alone"
            assert path.name == "passwords.json"


def test_p16_the_repository_holds_no_secret() -> None:
    git = shutil.which("git")
    listed = (
        subprocess.run([git, "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout.decode().split("\0")
        if git and (ROOT / ".git").exists()
        else [
            str(path.relative_to(ROOT)) for top in ("src", "tests", "tools", "docs") for path in (ROOT / top).rglob("*")
        ]
    )
    pattern, searched, found = re.compile("|".join(SECRETS)), 0, list[str]()
    for name in listed:
        path = ROOT / name
        if path.is_file() and path.stat().st_size < 2_000_000 and name not in PLANTED:
            searched += 1
            found += [f"{name}: {hit[0][:20]}…" for hit in pattern.finditer(path.read_text(errors="ignore"))]
    assert searched > 300, "unknown: the files were not found"
    assert found == []


@pytest.fixture
def collector(tmp_path: Path) -> Iterator[Collector]:
    collected = Collector()
    configure_reports(load_settings(home=tmp_path, sentry_dsn="https://key@sentry.invalid/1"), transport=collected)
    yield collected
    sentry_sdk.get_client().close()
    sentry_sdk.get_global_scope().set_client(None)


async def test_p17_a_request_that_fails_in_sql_is_reported_without_a_word_of_it(web: Web, collector: Collector) -> None:
    """Body, headers, query, path, locals, statement and its parameters: all are planted, none is sent."""

    async def fail(request: Request, named: str) -> None:
        body = await request.json()
        local = {"named": named, "headers": dict(request.headers), "query": dict(request.query_params), "body": body}
        async with web.platform.db.read() as session:
            for planted in (*body.values(), str(local)):
                await session.execute(sa.text("select 1 / (length(:planted) * 0)"), {"planted": planted})

    web.app.router.routes.insert(0, APIRoute("/api/fail/{named}", fail, methods=["POST"], dependencies=[PUBLIC]))
    for canary in CANARIES.values():
        answer = await web.client.post(
            f"/api/fail/{canary.replace('/', '-')}",
            params={"q": canary},
            headers={
                "Authorization": f"Bearer {canary}",
                "Cookie": canary,
                "User-Agent": canary,
                "X-Forwarded-For": canary,
            },
            json={"secret": canary},
        )
        assert answer.status_code == 500, "unknown: nothing failed"
        assert canary not in answer.text
    sentry_sdk.flush(2)
    assert len(collector.sent) == len(CANARIES), "unknown: not every failure was reported"
    sent = "\n".join(collector.sent)
    assert "DivisionByZeroError" in sent or "DBAPIError" in sent or "DataError" in sent
    for canary in (*CANARIES.values(), *(canary.replace("/", "-") for canary in CANARIES.values()), "length("):
        assert canary not in sent, canary
