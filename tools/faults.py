"""The rows of the fault matrix, each by its id: what was broken on purpose, and whether the promise held.

    python3 dev.py faults [--full] [--json] [-k PATTERN]

`--full` sets OSLER_FULL=1: rows that know the counts of the table run with them. A row is every test whose name starts
with its id; a row that was skipped is unknown, and unknown fails.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path
from xml.etree import ElementTree

ROOT = Path(__file__).resolve().parent.parent
ROW = re.compile(r"test_([a-z]\d{2})_")


def run(full: bool, pattern: str | None) -> Path:
    report = Path(tempfile.mkdtemp(prefix="osler-faults-")) / "faults.xml"
    command = [sys.executable, "-m", "pytest", "-q", f"--junitxml={report}", "tests"]
    command += [
        "-k",
        pattern or " or ".join(f"test_{letter}" for letter in ("f", "e", "h", "a", "p", "r", "s", "t", "i")),
    ]
    environment = {**os.environ, "OSLER_FULL": "1"} if full else dict(os.environ)
    subprocess.run(command, cwd=ROOT, env=environment, check=False, stdout=sys.stderr)
    return report


def rows_of(report: Path) -> dict[str, dict[str, int | float]]:
    rows: dict[str, dict[str, int | float]] = defaultdict(
        lambda: {"passed": 0, "failed": 0, "unknown": 0, "seconds": 0.0}
    )
    for case in ElementTree.parse(report).iter("testcase"):
        found = ROW.match(case.get("name", ""))
        if found is None:
            continue
        row = rows[found[1].upper()]
        row["seconds"] = round(row["seconds"] + float(case.get("time", 0)), 1)
        if case.find("skipped") is not None:
            row["unknown"] += 1
        elif case.find("failure") is not None or case.find("error") is not None:
            row["failed"] += 1
        else:
            row["passed"] += 1
    return dict(sorted(rows.items()))


def main() -> int:
    arguments = argparse.ArgumentParser(
        prog="python3 dev.py faults", description=__doc__.splitlines()[0] if __doc__ else ""
    )
    arguments.add_argument("--full", action="store_true", help="the counts of the table, where a row knows them")
    arguments.add_argument("--json", action="store_true", help="one JSON object on standard output")
    arguments.add_argument("-k", dest="pattern", help="as pytest's -k: some rows alone, e.g. -k f15")
    options = arguments.parse_args()
    rows = rows_of(run(options.full, options.pattern))
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
