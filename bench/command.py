"""What the files of this folder are as commands: all measures of a file or those named, or one measure on a world."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from world import World


def several(benches: Mapping[str, Callable[[], dict[str, Any]]], doc: str | None) -> None:
    """Run all, or those named on the command line."""
    parser = argparse.ArgumentParser(description=doc)
    parser.add_argument("names", nargs="*", choices=[*benches, []], help="default: all")
    parser.add_argument("--json", action="store_true", help="print JSON alone")
    asked = parser.parse_args()
    results = {name: benches[name]() for name in asked.names or benches}
    if asked.json:
        print(json.dumps(results, indent=2))
        return
    for name, result in results.items():
        more = {key: value for key, value in result.items() if key not in ("ratio", "beside", "target", "runs")}
        target = f" (target {result['target']})" if result.get("target") else ""
        print(f"{name:24s} {result['ratio']:>8}{target}  beside {result['beside']}  {more or ''}")


def on_a_world(measure: Callable[[World, int, int], dict[str, Any]], doc: str | None, *, rounds: int) -> None:
    """Measure on a world of its own, of as many events and in as many rounds as the command line says."""
    from world import world  # the database; science is measured without it

    parser = argparse.ArgumentParser(description=doc)
    parser.add_argument("--events", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=rounds)
    chosen = parser.parse_args()
    with world(chosen.events) as made:
        print(json.dumps(measure(made, chosen.rounds, chosen.events), indent=2))
