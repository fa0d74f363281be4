"""Writes every file that is made from the code, or with --check says which of them are out of step.

    python tools/generate.py            write them
    python tools/generate.py --check    compare; exit 1 and name what differs

Each file is made in memory by a function without arguments that gives the same text on every machine: no dates, no
paths, no settings of whoever runs it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import reference_api
import reference_code
import reference_data
import reference_grafana

ROOT = Path(__file__).resolve().parent.parent
REFERENCE = "docs/reference"


def _events() -> str:
    from osler.ingest.reference import events_page

    return events_page()


def _tracking() -> str:
    import generate_tracking  # pyright: ignore[reportMissingImports] - beside this file

    made: str = generate_tracking.render()
    return made


FILES: dict[str, Callable[[], str]] = {
    f"{REFERENCE}/settings.md": reference_code.settings_page,
    f"{REFERENCE}/cli.md": reference_code.cli_page,
    f"{REFERENCE}/errors.md": reference_code.errors_page,
    f"{REFERENCE}/events.md": _events,
    f"{REFERENCE}/metrics.md": reference_data.metrics_page,
    f"{REFERENCE}/tables.md": reference_data.tables_page,
    f"{REFERENCE}/jobs.md": reference_data.jobs_page,
    f"{REFERENCE}/openapi.json": reference_api.openapi_json,
    f"{REFERENCE}/api.md": reference_api.api_page,
    "deploy/grafana/osler.json": reference_grafana.dashboard_json,
    "web/src/api/schema.d.ts": reference_api.client_types,
}
if (ROOT / "tools" / "generate_tracking.py").exists():
    FILES["src/osler/tracking/events.py"] = _tracking


def differs(name: str) -> bool:
    """Whether a file is missing or other than what the code would make now."""
    path = ROOT / name
    return not path.exists() or path.read_text(encoding="utf-8") != FILES[name]()


def write(name: str) -> bool:
    """Make one file; whether it changed."""
    path, text = ROOT / name, FILES[name]()
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return True


def main() -> int:
    arguments = sys.argv[1:]
    is_check = "--check" in arguments
    wanted = [name for name in arguments if name != "--check"] or list(FILES)
    unknown = [name for name in wanted if name not in FILES]
    if unknown:
        print(f"not generated: {', '.join(unknown)}; there are: {', '.join(FILES)}", file=sys.stderr)
        return 2
    if not is_check:
        for name in wanted:
            print(f"{'written  ' if write(name) else 'as it was'} {name}")
        return 0
    stale = [name for name in wanted if differs(name)]
    for name in stale:
        print(f"out of step: {name} (python3 dev.py docs writes it)")
    return 1 if stale else 0


if __name__ == "__main__":
    # The pages describe the program, not this machine: its settings are left aside before osler reads any.
    for variable in [name for name in os.environ if name.startswith("OSLER_")]:
        del os.environ[variable]
    sys.exit(main())
