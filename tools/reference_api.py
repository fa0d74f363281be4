"""What is made from the API itself: its description, a list to read, and the types of the dashboard's client."""

from __future__ import annotations

import json
import subprocess
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import npm
from reference_code import table


@cache
def _application() -> Any:
    from osler.api.app import create_app
    from osler.settings import load_settings

    return create_app(load_settings())


def openapi_json() -> str:
    """The text of docs/reference/openapi.json."""
    return json.dumps(_application().openapi(), indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def api_page() -> str:
    """The text of docs/reference/api.md."""
    from osler.api.app import api_routes, policy_of
    from osler.http.policy import POLICY, REQUIRED_SCOPE

    groups: dict[str, list[list[object]]] = {}
    for route in api_routes(_application()):
        said = (route.summary or (route.description or "").split("\n")[0]).strip()
        for method in sorted(route.methods or ()):
            row: list[object] = [method, f"`{route.path}`", said, f"`{policy_of(route)}`"]
            groups.setdefault(str(route.tags[0]) if route.tags else "api", []).append(row)
    policy: list[list[object]] = [
        [
            f"`{action.value}`",
            ", ".join(f"{role.value}: {reach.name.lower()}" for role, reach in reaches.items()),
            f"`{REQUIRED_SCOPE[action]}`" if action in REQUIRED_SCOPE else "",
        ]
        for action, reaches in POLICY.items()
    ]
    parts = [
        "# The API\n\nGenerated from the routes; do not edit. [openapi.json](openapi.json) has every field with "
        "an example;\n"
        "`/api/docs` shows it in the browser where `OSLER_DOCS_ENABLED` allows it.\n",
        "Every route but those marked `public` needs `Authorization: Bearer <token>`. Staff name a learner with "
        "`?user_id=`;\n"
        "looking at another person's data is written to `access_audit`. [Errors](errors.md) lists the failures.\n",
    ]
    for tag, rows in groups.items():
        parts += [f"## {tag[0].upper()}{tag[1:]}\n", table(["method", "path", "what it does", "policy"], rows)]
    parts += [
        "## Policy\n\nHow far each role reaches with an action: own data, a cohort that both belong to now, or "
        "all. A role\n"
        "that is not listed may not. Some actions also need a scope in the token.\n",
        table(["action", "roles", "scope"], policy),
    ]
    return "\n".join(parts)


def client_types() -> str:
    """web/src/api/schema.d.ts, made by openapi-typescript of the locked npm packages."""
    program = npm.WEB / "node_modules" / "openapi-typescript" / "bin" / "cli.js"
    if not program.exists():
        raise SystemExit("web/node_modules is missing: run python3 dev.py setup")
    with tempfile.TemporaryDirectory(prefix="osler-types-") as name:
        source, made = Path(name) / "openapi.json", Path(name) / "schema.d.ts"
        source.write_text(openapi_json(), encoding="utf-8")
        command = [npm.node(), str(program), str(source), "-o", str(made)]
        done = subprocess.run(command, cwd=npm.WEB, env=npm.environment(), check=False, capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(done.stdout + done.stderr)
        return made.read_text(encoding="utf-8")
