"""The rows of the fault matrix, each by its id: what was broken on purpose, and whether the promise held.

    python3 dev.py faults [--full] [--json] [-k PATTERN]
    python3 dev.py faults --list
    python3 dev.py faults --mutations [-k PATTERN]

`--full` sets OSLER_FULL=1: every row runs with the counts of the table (tests/faults/matrix.toml). A row is every test
whose name starts with its id. A row that was skipped is unknown, and unknown fails; so does, in a whole run, a row that
no test ran for.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from xml.etree import ElementTree

import mutations
import npm

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.support.matrix import ROWS, covering_tests, row_of  # noqa: E402  (found by the line above)

Rows = dict[str, dict[str, int | float]]


def run(full: bool, pattern: str | None) -> Path:
    """Run every test that is named after a row, in the files that have one, or those that the pattern names."""
    report = Path(tempfile.mkdtemp(prefix="osler-faults-")) / "faults.xml"
    covered = covering_tests()
    files = sorted({test.split("::")[0] for tests in covered.values() for test in tests if "::" in test})
    names = " or ".join(f"test_{name.lower()}_" for name in covered)
    command = [sys.executable, "-m", "pytest", "-v", "--tb=short", f"--junitxml={report}", *files]
    command += ["-k", pattern or names]
    environment = {**os.environ, "OSLER_FULL": "1"} if full else dict(os.environ)
    subprocess.run(command, cwd=ROOT, env=environment, check=False, stdout=sys.stderr)
    return report


def rows_of(report: Path) -> Rows:
    rows: Rows = defaultdict(nothing)
    for case in ElementTree.parse(report).iter("testcase"):
        name = row_of(case.get("name", ""))
        if name is None:
            continue
        row = rows[name]
        row["seconds"] = round(row["seconds"] + float(case.get("time", 0)), 1)
        if case.find("skipped") is not None:
            row["unknown"] += 1
        elif case.find("failure") is not None or case.find("error") is not None:
            row["failed"] += 1
        else:
            row["passed"] += 1
    return dict(sorted(rows.items()))


def nothing() -> dict[str, int | float]:
    return {"passed": 0, "failed": 0, "unknown": 0, "seconds": 0.0}


def in_the_browsers_code() -> Rows:
    """Rows that a test of the browser's code guards."""
    rows: Rows = {}
    for name, row in ROWS.items():
        if row.vitest:
            began = time.monotonic()
            code = npm.run("run", "--silent", "test", "--", "--run", str(Path(row.vitest).relative_to("web")))
            seconds = round(time.monotonic() - began, 1)
            rows[name] = {**nothing(), "failed" if code else "passed": 1, "seconds": seconds}
    return rows


def listed() -> int:
    """Every row that is owed, its counts, its proof and its tests; 1 when one has none."""
    covered = covering_tests()
    for name, row in ROWS.items():
        counts = ", ".join(f"{what} {small:,} → {full:,}" for what, (small, full) in row.counts.items())
        print(f"{name}  {row.what}" + (f"  [{counts}]" if counts else ""))
        if row.happened:
            print(f"       proved by: {row.happened}")
        for test in covered.get(name, ["NO TEST"]):
            print(f"       {test}")
    lacking = [name for name in ROWS if name not in covered]
    print(f"{len(ROWS)} rows, {sum(map(len, covered.values()))} tests" + (f"; lacking: {lacking}" if lacking else ""))
    return 1 if lacking else 0


def parsed() -> argparse.Namespace:
    arguments = argparse.ArgumentParser(
        prog="python3 dev.py faults", description=__doc__.splitlines()[0] if __doc__ else ""
    )
    arguments.add_argument("--full", action="store_true", help="the counts of the table")
    arguments.add_argument("--json", action="store_true", help="one JSON object on standard output")
    arguments.add_argument("--list", action="store_true", help="rows, counts and tests, without running anything")
    arguments.add_argument("--mutations", action="store_true", help="take each guard out and see the suite turn red")
    arguments.add_argument("-k", dest="pattern", help="as pytest's -k: some rows alone, e.g. -k f15")
    return arguments.parse_args()


def main() -> int:
    options = parsed()
    if options.list:
        return listed()
    if options.mutations:
        return mutations.main(options.pattern)
    rows = rows_of(run(options.full, options.pattern))
    if options.pattern is None:
        rows = dict(
            sorted({**{name: {**nothing(), "unknown": 1} for name in ROWS}, **rows, **in_the_browsers_code()}.items())
        )
    held = bool(rows) and not any(row["failed"] or row["unknown"] for row in rows.values())
    if options.json:
        print(json.dumps({"full": options.full, "held": held, "rows": rows}))
    else:
        for name, row in rows.items():
            word = "broken" if row["failed"] else "unknown" if row["unknown"] else "held"
            print(f"{name}  {word:<8}{row['passed']:>4} tests {row['seconds']:>7.1f} s")
        print(f"{len(rows)} rows")
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
