"""A few rows go in as values, many as arrays: the table cannot tell."""

from __future__ import annotations

import uuid
from datetime import UTC, date, datetime

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from osler.db.driver import Driver
from osler.db.upsert import FEW_ROWS, OnConflict, Upsert

pytestmark = pytest.mark.integration

KINDS = sa.Table(
    "kinds", sa.MetaData(),
    sa.Column("user_id", sa.Uuid(), primary_key=True), sa.Column("place", sa.SmallInteger(), primary_key=True),
    sa.Column("at", sa.DateTime(timezone=True)), sa.Column("day", sa.Date()), sa.Column("ratio", sa.Float()),
    sa.Column("is_on", sa.Boolean()), sa.Column("names", pg.ARRAY(sa.Text())), sa.Column("more", pg.JSONB()),
)  # fmt: skip
COLUMNS = tuple(column.name for column in KINDS.columns)
USER = uuid.UUID(int=7)


def row(place: int) -> tuple[object, ...]:
    if place % 3 == 2:
        return (USER, place, None, None, None, None, None, None)
    at = datetime(2026, 3, place + 1, 9, 30, 0, 123456, tzinfo=UTC)
    names = [f"a{place}", "b, {c}", ""][: place % 4]
    return (USER, place, at, date(2026, 3, place + 1), 0.1 + place, place % 2 == 0, names, f'{{"n": {place}}}')


def found(value: object) -> object:
    """As it travelled."""
    return list(value) if isinstance(value, list) else value


async def kept(connection: Driver) -> list[tuple[object, ...]]:
    return [tuple(map(found, each)) for each in await connection.fetch(f"select * from kinds order by {COLUMNS[1]}")]


@pytest.fixture
async def connection(admin: Driver):
    await admin.execute(str(sa.schema.CreateTable(KINDS).compile(dialect=pg.dialect())))
    yield admin
    await admin.execute("drop table kinds")


@pytest.mark.parametrize("rows", [1, 2, FEW_ROWS, FEW_ROWS + 1, 2 * FEW_ROWS])
async def test_any_number_of_rows_is_written_as_it_is(connection: Driver, rows: int):
    upsert = Upsert(KINDS, COLUMNS)
    given = [row(place) for place in range(rows)]
    await connection.execute(upsert.sql(rows), *upsert.parameters(given))
    assert await kept(connection) == given


@pytest.mark.parametrize("rows", [1, FEW_ROWS + 1])
async def test_a_key_that_is_there_is_replaced_or_left(connection: Driver, rows: int):
    first, again = (
        [row(place) for place in range(rows)],
        [(*row(place)[:4], 9.5, *row(place)[5:]) for place in range(rows)],
    )
    for how, expected in ((OnConflict.NOTHING, first), (OnConflict.UPDATE, again)):
        upsert = Upsert(KINDS, COLUMNS, how)
        for given in (first, again):
            await connection.execute(upsert.sql(rows), *upsert.parameters(given))
        assert await kept(connection) == expected
