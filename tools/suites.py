"""Every test suite, one after the other, and one table at the end.

With arguments, pytest alone is run with them. The last line counts over all suites:
`N passed, M failed, K skipped`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree

import npm

ROOT = Path(__file__).resolve().parent.parent


@dataclass
class Suite:
    """What one suite came to."""

    name: str
    passed: int = 0
    failed: int = 0
    seconds: float = 0.0
    skipped: list[str] = field(default_factory=list)

    def row(self) -> str:
        """One line of the table."""
        return f"{self.name:<34}{self.passed:>8}{self.failed:>8}{len(self.skipped):>9}{self.seconds:>9.1f}"


def pytest_command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "pytest", *arguments]


def run_pytest(folder: Path) -> list[Suite]:
    """The Python tests on two workers; one row for each folder of tests."""
    report = folder / "pytest.xml"
    workers = os.environ.get("OSLER_TEST_WORKERS", "2")
    command = pytest_command("-q", "-n", workers, "--dist", "loadfile", f"--junitxml={report}", "--durations=10")
    code = subprocess.run(command, cwd=ROOT, check=False).returncode
    suites = read_junit(report) if report.exists() else []
    if code and not any(s.failed for s in suites):
        suites.append(Suite("pytest itself (see above)", failed=1))
    return suites


def read_junit(report: Path) -> list[Suite]:
    by_folder: dict[str, Suite] = defaultdict(lambda: Suite(""))
    for case in ElementTree.parse(report).iter("testcase"):
        place = case.get("classname", "").split(".")
        suite = by_folder["pytest " + (place[1] if len(place) > 2 else "tests")]
        suite.seconds += float(case.get("time", 0))
        skip = case.find("skipped")
        if skip is not None:
            suite.skipped.append(f"{case.get('name')}: {skip.get('message')}")
        elif case.find("failure") is not None or case.find("error") is not None:
            suite.failed += 1
        else:
            suite.passed += 1
    for name, suite in by_folder.items():
        suite.name = name
    return [by_folder[name] for name in sorted(by_folder)]


def run_vitest(name: str, script: str, folder: Path) -> Suite:
    """A vitest run, read from its JSON report."""
    report = folder / f"{script}.json"
    started = time.monotonic()
    arguments = ["--reporter=default", "--reporter=json", f"--outputFile.json={report}"]
    code = npm.run("run", "--silent", script, "--", *arguments)
    suite = Suite(name, seconds=time.monotonic() - started)
    if report.exists():
        read_vitest(report, suite)
    if code and not suite.failed:
        suite.failed = 1
    return suite


def read_vitest(report: Path, suite: Suite) -> None:
    for file in json.loads(report.read_text())["testResults"]:
        if file["status"] == "failed" and not file["assertionResults"]:
            suite.failed += 1
        for test in file["assertionResults"]:
            if test["status"] == "passed":
                suite.passed += 1
            elif test["status"] == "failed":
                suite.failed += 1
            else:
                suite.skipped.append(f"{test['fullName']}: {skip_reason(test)}")


def skip_reason(test: dict[str, object]) -> str:
    meta = test.get("meta")
    note = meta.get("skipped") if isinstance(meta, dict) else None
    return str(note or "skipped by the suite; OSLER_CHROMIUM or chromium on PATH lifts it for browser tests")


def print_table(suites: list[Suite]) -> None:
    print(f"\n{'suite':<34}{'passed':>8}{'failed':>8}{'skipped':>9}{'seconds':>9}")
    for suite in suites:
        print(suite.row())
    reasons = [f"  {suite.name}: {reason}" for suite in suites for reason in suite.skipped]
    if reasons:
        print("\nskipped, and what would lift it:", *reasons, sep="\n")
    total = Suite("", sum(s.passed for s in suites), sum(s.failed for s in suites))
    print(f"\n{total.passed} passed, {total.failed} failed, {len(reasons)} skipped", flush=True)


def main() -> int:
    if sys.argv[1:]:
        return subprocess.run(pytest_command(*sys.argv[1:]), cwd=ROOT, check=False).returncode
    with tempfile.TemporaryDirectory(prefix="osler-suites-") as name:
        folder = Path(name)
        suites = run_pytest(folder)
        suites.append(run_vitest("vitest", "test", folder))
        suites.append(run_vitest("browser", "e2e", folder))
    print_table(suites)
    skipped_where_all_is_required = os.environ.get("OSLER_REQUIRE_ALL") == "1" and any(s.skipped for s in suites)
    return 1 if any(s.failed for s in suites) or skipped_where_all_is_required else 0


if __name__ == "__main__":
    sys.exit(main())
