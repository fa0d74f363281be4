"""Generated files are what the code would make now, and each names everything that there is."""

from __future__ import annotations

import os
import subprocess
import sys
from types import ModuleType

import pytest
from tests.docs.conftest import ROOT
from tests.support.declared import load_every_declaration

from osler.analytics.registry import SHIPPED
from osler.db.schema import metadata
from osler.domain.event_types import EVENT_TYPES
from osler.domain.outcomes import Code, Warn
from osler.observe.metrics import DROP_REASONS
from osler.settings import Settings

FILES = (
    "docs/reference/settings.md",
    "docs/reference/cli.md",
    "docs/reference/errors.md",
    "docs/reference/events.md",
    "docs/reference/metrics.md",
    "docs/reference/tables.md",
    "docs/reference/jobs.md",
    "docs/reference/openapi.json",
    "docs/reference/api.md",
    "deploy/grafana/osler.json",
    "web/src/api/schema.d.ts",
)


def page(name: str) -> str:
    return (ROOT / "docs" / "reference" / name).read_text(encoding="utf-8")


def test_the_list_of_generated_files_is_whole(generator: ModuleType) -> None:
    assert set(FILES) <= set(generator.FILES)
    assert set(generator.FILES) - set(FILES) <= {"src/osler/tracking/events.py"}


@pytest.mark.parametrize("name", FILES)
def test_a_generated_file_is_in_step_with_the_code(generator: ModuleType, name: str) -> None:
    if name.startswith("web/") and not (ROOT / "web" / "node_modules").is_dir():
        pytest.skip("web/node_modules is missing: python3 dev.py setup makes it")
    assert not generator.differs(name), f"{name} is out of step: python3 dev.py docs writes it"


def test_settings_of_whoever_runs_it_do_not_reach_a_page(generator: ModuleType) -> None:
    odd = {**os.environ, "OSLER_HOME": "/somewhere/odd", "OSLER_PORT": "1", "OSLER_CORS_ORIGINS": "https://odd.example"}
    command = [
        sys.executable,
        "tools/generate.py",
        "--check",
        "docs/reference/settings.md",
        "docs/reference/openapi.json",
    ]
    done = subprocess.run(command, cwd=ROOT, env=odd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_page_that_was_edited_by_hand_is_named(generator: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(generator.FILES, "docs/reference/jobs.md", lambda: "other")
    monkeypatch.setattr(sys, "argv", ["generate.py", "--check", "docs/reference/jobs.md"])
    assert generator.main() == 1


def test_every_setting_stands_on_its_page_and_no_other() -> None:
    rows = {line.split("`")[1] for line in page("settings.md").splitlines() if line.startswith("| `OSLER_")}
    assert rows == {f"OSLER_{name.upper()}" for name in Settings.model_fields}


def test_every_table_and_column_stands_on_its_page() -> None:
    load_every_declaration()
    text = page("tables.md")
    sections = {part.split("\n", 1)[0]: part for part in text.split("\n## ")[1:]}
    assert set(sections) == set(metadata.tables)
    for name, declared in metadata.tables.items():
        missing = [column.name for column in declared.columns if f"| `{column.name}` |" not in sections[name]]
        assert not missing, f"{name}: {missing}"


def test_every_event_type_code_warning_and_drop_reason_is_told() -> None:
    events, metrics = page("events.md"), page("metrics.md")
    assert not [name for name in EVENT_TYPES if f"`{name}`" not in events]
    assert not [code.value for code in (*Code, *Warn) if f"`{code.value}`" not in events]
    assert not [reason for reason in DROP_REASONS if reason not in metrics]


def test_every_job_that_an_analytic_declares_is_told() -> None:
    text = page("jobs.md")
    names = [one.name for analytic in SHIPPED for one in (*analytic.rollups, *analytic.refreshes, *analytic.tasks)]
    assert not [name for name in names if f"`{name}`" not in text]


def test_every_analytic_has_its_page_and_every_page_its_analytic() -> None:
    assert {path.stem for path in (ROOT / "docs" / "analytics").glob("*.md")} == {one.name for one in SHIPPED}
    for analytic in SHIPPED:
        assert f"analytics/{analytic.name}.md" in (ROOT / "docs" / "README.md").read_text(encoding="utf-8")


def test_every_command_has_a_help_text_that_says_something() -> None:
    sections = page("cli.md").split("\n## ")[1:]
    assert len(sections) > 15
    short = [part.split("\n", 1)[0] for part in sections if len(part.split("\n\n")[2]) < 20]
    assert not short
