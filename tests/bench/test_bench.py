"""Does the bench recipe run, and end with one JSON object that has the rows it promises?"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.integration
@pytest.mark.slow
def test_bench_ends_with_one_object_of_ratios() -> None:
    command = [sys.executable, "tools/bench.py", "--tiny", "--json", "--only", "reads,submit,visible,refold,jobs"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(done.stdout)
    wanted = {f"reads.{name}" for name in ("dashboard", "mastery", "gaps", "patterns", "readiness", "cached")}
    assert found.keys() >= wanted | {"jobs.daily", "submit", "visible", "refold.year", "machine"}
    for name in wanted | {"jobs.daily", "submit", "visible", "refold.answers"}:
        assert {"ratio", "runs", "beside", "met"} <= found[name].keys(), name
        assert found[name]["ratio"] > 0, name
    assert {"before", "after", "cores", "python", "versions"} <= found["machine"].keys()


def test_a_bench_that_is_not_there_is_named() -> None:
    command = [sys.executable, "tools/bench.py", "--only", "weather"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert "weather" in done.stderr
    assert not done.stdout
