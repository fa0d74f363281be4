"""What every analytic must keep, whoever wrote it. The name of a check is what `Analytic.skips` names."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa
from fastapi.routing import APIRoute
from tests.checks.conftest import BEGINNER, IN_ORDER, NEWCOMER, World, settle_everything
from tests.support.learning import derived, history, send

from osler.analytics.contract import Analytic, Card, Days
from osler.analytics.grounds import made_as_of
from osler.analytics.registry import analytics
from osler.analytics.states import learner_states
from osler.db.schema import Erase, Kind, erase_of, kind_of

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="session")]

ROOT = Path(__file__).resolve().parents[2]
UNCERTAIN = {"first_use", "too_little", "filtered_empty", "done", "no_right"}
HEADINGS = ("# ", "## How to read it", "## Limits", "## References")


def tables_of(analytic: Analytic) -> list[sa.Table]:
    return [found.table for found in analytic.tables]


def pages_of(analytic: Analytic) -> list[str]:
    """GET addresses without a parameter in them."""
    routes = [] if analytic.router is None else analytic.router.routes
    own = [route for route in routes if isinstance(route, APIRoute)]
    assert len(own) == len(routes)
    return [route.path for route in own if "GET" in (route.methods or ()) and "{" not in route.path]


async def test_live_equals_replay(world: World, analytic: Analytic):
    for table in tables_of(analytic):
        found = world.report.tables[table.name]
        assert found.equal, (table.name, found)


async def test_every_derived_table_is_replayed(analytic: Analytic):
    declared = {found.table.name for each in analytics() for found in each.tables}
    owned = [t for t in learner_states.metadata.tables.values() if kind_of(t) is Kind.DERIVED]
    assert {table.name for table in owned} == declared


async def test_duplicates_change_nothing(world: World, analytic: Analytic):
    before = await derived(world.database, tables_of(analytic), IN_ORDER)
    await send(world.database, history()[10:30], IN_ORDER)
    await settle_everything(world.database)
    assert await derived(world.database, tables_of(analytic), IN_ORDER) == before


async def test_late_arrivals_converge(world: World, analytic: Analytic):
    one = await derived(world.database, tables_of(analytic), IN_ORDER)
    other = await derived(world.backwards, tables_of(analytic), IN_ORDER)
    for table in analytic.tables:
        rows = [
            [{k: v for k, v in row.items() if k not in table.ignore} for row in found[table.table.name]]
            for found in (one, other)
        ]
        assert_alike(rows[0], rows[1], table.table.name)


def assert_alike(a: Any, b: Any, where: str) -> None:
    """Equal, floats to 1e-12."""
    if isinstance(a, float) and isinstance(b, float):
        assert a == pytest.approx(b, rel=1e-12, abs=1e-12), where
    elif isinstance(a, dict) and isinstance(b, dict):
        assert a.keys() == b.keys(), where
        for key in a:
            assert_alike(a[key], b[key], f"{where}.{key}")
    elif isinstance(a, list) and isinstance(b, list):
        assert len(a) == len(b), where
        for left, right in zip(a, b, strict=True):
            assert_alike(left, right, where)
    else:
        assert a == b, where


async def test_rerun_is_idempotent(world: World, analytic: Analytic):
    tables = tables_of(analytic)
    before = await derived(world.database, tables, IN_ORDER)
    async with world.database.read(primary=True) as session:
        rows = await session.tuples(
            sa.text("select distinct local_date from study_events where user_id = :u"), {"u": IN_ORDER}
        )
    days = sorted(row[0] for row in rows)
    for _ in range(2):
        async with world.database.write() as session:
            for rollup in analytic.rollups:
                await rollup.recount(session, Days([IN_ORDER] * len(days), days))
            for refresh in analytic.refreshes:
                await refresh.refresh(session, await made_as_of(session, refresh.name, [IN_ORDER]))
    assert_alike(await derived(world.database, tables, IN_ORDER), before, analytic.name)


async def test_state_survives_encoding(world: World, analytic: Analytic):
    async with world.database.read(primary=True) as session:
        states = await session.scalar(sa.select(learner_states.c.states).where(learner_states.c.user_id == IN_ORDER))
    kept = states.get(analytic.name)
    assert msgspec.json.decode(msgspec.json.encode(kept)) == kept


async def test_probabilities_lie_in_0_to_1_and_intervals_hold_their_estimate(world: World, analytic: Analytic):
    found = await derived(world.database, tables_of(analytic), IN_ORDER)
    for table in tables_of(analytic):
        shares = [c.name for c in table.columns if c.info.get("unit") in ("0 to 1", "probability", "share")]
        for row in found[table.name]:
            for name in shares:
                value = row[name]
                assert value is None or isinstance(value, (list, dict)) or 0.0 <= value <= 1.0, (table.name, name)
            check_interval(row, table.name)
    for page in pages_of(analytic):
        for part in mappings(await world.ask(page, IN_ORDER)):
            check_interval(part, page)


def check_interval(row: dict[str, Any], where: str) -> None:
    """`x_low <= x <= x_high` for every x that has both; `low <= value <= high` in answers."""
    for name, value in row.items():
        low, high = row.get(f"{name}_low"), row.get(f"{name}_high")
        if isinstance(value, (int, float)) and isinstance(low, (int, float)) and isinstance(high, (int, float)):
            assert low <= value <= high, (where, name)
    interval = row.get("interval")
    if isinstance(interval, dict) and isinstance(row.get("value"), (int, float)):
        assert interval["low"] <= row["value"] <= interval["high"], where


def mappings(value: Any) -> Iterator[dict[str, Any]]:
    """Every object inside an answer."""
    if isinstance(value, dict):
        yield value
    for part in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from mappings(part)


async def test_an_empty_learner_gets_an_answer(world: World, analytic: Analytic):
    for page in pages_of(analytic):
        answer = await world.ask(page, NEWCOMER)
        assert answer["state"] in UNCERTAIN, page
        assert answer["n"] == 0, page


async def test_too_little_data_is_said(world: World, analytic: Analytic):
    said = {"insufficient_data", "provisional", "not_available", "too_little", "first_use", "cannot_tell"}
    for page in pages_of(analytic):
        answer = await world.ask(page, BEGINNER)
        words = {value for part in mappings(answer) for value in part.values() if isinstance(value, str)}
        assert answer["state"] in UNCERTAIN or words & said, page


async def test_every_card_has_its_finding_its_n_and_its_age(world: World, analytic: Analytic):
    for page in pages_of(analytic):
        card = Card.model_validate(await world.ask(page, IN_ORDER))
        assert card.finding.text, page
        assert card.as_of is not None or card.n == 0, page


async def test_no_other_learners_data_leak(world: World, analytic: Analytic):
    for page in pages_of(analytic):
        text = str(await world.ask(page, BEGINNER))
        assert str(IN_ORDER) not in text


async def test_an_erased_learner_leaves_nothing(world: World, analytic: Analytic):
    for table in tables_of(analytic):
        assert erase_of(table) is Erase.DELETE, table.name
    async with world.database.read(primary=True) as session:
        for table in tables_of(analytic):
            allowed = sa.text("select has_table_privilege('osler_eraser', :t, 'delete')")
            assert await session.scalar(allowed, {"t": table.name}), table.name


async def test_model_imports_without_the_web_framework_and_the_database(analytic: Analytic):
    script = (
        f"import sys, osler.analytics.{analytic.name}.model; "
        "print([m for m in ('fastapi', 'starlette', 'sqlalchemy', 'asyncpg') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT / "src")
    assert done.stdout.strip() == "[]"
    assert not (ROOT / "src/osler/analytics" / analytic.name / "__init__.py").read_text()


async def test_documented(analytic: Analytic):
    page = (ROOT / "docs/analytics" / f"{analytic.name}.md").read_text()
    assert [heading for heading in HEADINGS if heading not in page] == []


async def test_in_openapi_with_an_example(world: World, analytic: Analytic):
    described = world.web.app.openapi()
    for page in pages_of(analytic):
        schema = described["paths"][page]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
        name = schema["$ref"].rsplit("/", 1)[-1]
        fields = described["components"]["schemas"][name]["properties"]
        assert any("examples" in field for field in fields.values()), page
