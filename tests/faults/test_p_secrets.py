"""P16: where no secret may show: command lines, the log of the server, files that others read, the repository."""

from __future__ import annotations

import re
import shutil
import stat
import subprocess
from pathlib import Path

import pytest
from tests.support.embedded import Home, processes_in
from tests.support.matrix import ROOT

from osler.db.embedded.roles import read_passwords

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
