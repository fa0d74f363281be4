"""The locks satisfy what is asked for, and no tracked file names a package registry's host."""

from __future__ import annotations

import json
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

ROOT = Path(__file__).parents[2]
ONLY_DEV = {"otlp"}  # nothing that `dev.py demo` runs sends traces
# Put together here, so that this file does not name them either.
HOSTS = ["pypi" + ".org", "pythonhosted" + ".org", "npmjs" + ".org", "npmjs" + ".com", "yarnpkg" + ".com"]


def locked(name: str) -> dict[str, list[Version]]:
    found: dict[str, list[Version]] = {}
    for project, version in re.findall(
        r"^([A-Za-z0-9_.-]+)(?:\[[^\]]*\])?==([^ \\;]+)", (ROOT / name).read_text(), re.M
    ):
        found.setdefault(canonical(project), []).append(Version(version))
    return found


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def asked_for(group: str) -> list[Requirement]:
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())
    lines = list(declared["project"]["dependencies"])
    for name, extra in declared["project"]["optional-dependencies"].items():
        if group == "dev" or name not in ONLY_DEV:
            lines += extra
    names = ["run", "dev"] if group == "dev" else ["run"]
    for name in names:
        lines += [line for line in declared["dependency-groups"][name] if isinstance(line, str)]
    return [Requirement(line) for line in lines]


@pytest.mark.parametrize(("group", "lock"), [("run", "requirements.lock"), ("dev", "requirements-dev.lock")])
def test_every_requirement_is_locked_at_a_version_that_satisfies_it(group: str, lock: str) -> None:
    have = locked(lock)
    for requirement in asked_for(group):
        versions = have.get(canonical(requirement.name), [])
        assert versions, f"{requirement.name} is not in {lock}: python3 dev.py lock"
        assert all(v in requirement.specifier for v in versions), f"{requirement} against {versions} in {lock}"


def test_both_locks_agree_so_that_one_environment_serves_both() -> None:
    run, dev = locked("requirements.lock"), locked("requirements-dev.lock")
    assert {name: dev.get(name) for name in run} == run


def test_every_locked_package_is_pinned_by_hash() -> None:
    for lock in ("requirements.lock", "requirements-dev.lock"):
        blocks = re.split(r"^(?=\S)", (ROOT / lock).read_text(), flags=re.M)
        assert not [b for b in blocks if "==" in b and "--hash=sha256:" not in b]


def test_the_npm_lock_agrees_with_its_package_and_names_no_address() -> None:
    package = json.loads((ROOT / "web/package.json").read_text())
    lock = json.loads((ROOT / "web/package-lock.json").read_text())
    root = lock["packages"][""]
    for kind in ("dependencies", "devDependencies"):
        assert root.get(kind, {}) == package.get(kind, {}), "python3 dev.py lock"
    assert '"resolved"' not in (ROOT / "web/package-lock.json").read_text()


def test_no_tracked_file_names_a_registry_host() -> None:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    files = [ROOT / name for name in listed.decode().split("\0") if name]
    assert len(files) > 50
    named = [
        f"{path.relative_to(ROOT)}: {host}"
        for path in files
        if path.is_file()
        for host in HOSTS
        if host.encode() in path.read_bytes()
    ]
    assert named == []
