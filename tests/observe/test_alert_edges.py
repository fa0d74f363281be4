"""R08: would the tests of the alerts notice another time or another threshold than those that ship?

Every `for`, every range and every threshold of each rule is moved by one step; the tests of that rule must then fail.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.observe.test_alerts import FOLDER, RULES, program

[GROUP] = yaml.safe_load(RULES)["groups"]
FILES = [yaml.safe_load(path.read_text()) for path in sorted(FOLDER.glob("*.test.yaml"))]
Rule = dict[str, Any]


def moved(rule: Rule, minutes: int) -> Iterator[tuple[str, Rule]]:
    """The rule with one of its times or thresholds moved, each with a word for what was done; steps of minutes."""
    stands = int(re.sub(r"\D", "", rule.get("for", "0m")))
    for step in (-minutes, minutes):
        if stands + step >= 0:
            yield f"for {stands + step}m", {**rule, "for": f"{stands + step}m"}
    for span in sorted(set(re.findall(r"\[(\d+[mh])\]", rule["expr"]))):
        length = int(span[:-1]) * (60 if span[-1] == "h" else 1)
        for step in (-1, 1):
            yield f"[{length + step}m]", {**rule, "expr": rule["expr"].replace(f"[{span}]", f"[{length + step}m]")}
    for found in re.finditer(r"([<>]) ([\d.]+)", rule["expr"]):
        value = float(found[2])
        is_share = value < 1 and ("/ sum" in rule["expr"] or "ratio" in rule["expr"])
        for step in (-0.1 * value, 0.1 * value) if is_share or value >= 10 else (-1, 1):
            other = f"{found[1]} {value + step:g}"
            yield other, {**rule, "expr": rule["expr"][: found.start()] + other + rule["expr"][found.end() :]}


def trial(folder: Path, rule: Rule) -> bool:
    """Whether the tests that ask for this alert hold with this rule alone."""
    (folder / "osler-alerts.yaml").write_text(yaml.safe_dump({"groups": [{**GROUP, "rules": [rule]}]}))
    held = True
    for number, file in enumerate(FILES):
        asked = [test for test in file["tests"] if asks_for(test, rule["alert"])]
        for test in asked:
            mine = [one for one in test["alert_rule_test"] if one["alertname"] == rule["alert"]]
            test_file = folder / f"{number}.yaml"
            test_file.write_text(yaml.safe_dump({**file, "tests": [{**test, "alert_rule_test": mine}]}))
            done = subprocess.run(
                [program("promtool", "prometheus"), "test", "rules", str(test_file)], capture_output=True, check=False
            )
            held &= done.returncode == 0
    return held


def asks_for(test: dict[str, Any], alert: str) -> bool:
    return any(one["alertname"] == alert for one in test["alert_rule_test"])


@pytest.mark.slow
@pytest.mark.parametrize("rule", GROUP["rules"], ids=lambda rule: rule["alert"])
def test_r08_every_time_and_threshold_that_ships_has_an_edge_on_both_sides(rule: Rule, tmp_path: Path) -> None:
    assert trial(tmp_path, rule)
    step = 10 if "Weekly" in rule["alert"] else 1
    unnoticed = [what for what, other in moved(rule, step) if trial(tmp_path, other)]
    assert not unnoticed
