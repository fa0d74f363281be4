"""P05: what the database holds is declared: comment, unit, privacy class and kind on every table and column."""

from __future__ import annotations

import re

import pytest
from tests.support.declared import load_every_declaration

from osler.db.driver import Driver
from osler.db.schema import Erase, Kind, Privacy, erase_of, kind_of, metadata

pytestmark = pytest.mark.integration
FOREIGN = {"alembic_version"}

TABLES = """
select relname, coalesce(obj_description(oid), '') as comment from pg_class
 where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and not relispartition
"""
COLUMNS = """
select c.relname, a.attname, coalesce(col_description(c.oid, a.attnum), '') as comment
  from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
 where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and not relispartition
"""


@pytest.fixture(autouse=True)
def declared() -> None:
    load_every_declaration()


async def test_every_table_is_declared_and_says_its_kind(admin: Driver) -> None:
    found = {row["relname"]: row["comment"] for row in await admin.fetch(TABLES) if row["relname"] not in FOREIGN}
    assert set(found) == set(metadata.tables)
    for name, comment in found.items():
        kind = kind_of(metadata.tables[name])
        assert kind in Kind
        assert comment == metadata.tables[name].comment
        assert comment.endswith(f"({kind.value})"), name


async def test_every_column_is_declared_and_says_unit_and_privacy(admin: Driver) -> None:
    found = {
        (row["relname"], row["attname"]): row["comment"]
        for row in await admin.fetch(COLUMNS)
        if row["relname"] not in FOREIGN
    }
    declared = {(table.name, column.name): column for table in metadata.tables.values() for column in table.c}
    assert set(found) == set(declared)
    for place, comment in found.items():
        column = declared[place]
        assert column.info["privacy"] in Privacy, place
        assert column.info["meaning"], place
        assert comment == column.comment, place
        assert comment.endswith(f"({column.info['privacy'].value})"), place
        if column.info["unit"]:
            assert f"[{column.info['unit']}]" in comment, place


def test_a_unit_in_a_name_is_the_declared_unit() -> None:
    units = {"_ms": "ms", "_seconds": "seconds", "_minutes": "minutes", "_days": "days"}
    for table in metadata.tables.values():
        for column in table.c:
            for ending, unit in units.items():
                if column.name.endswith(ending):
                    declared = column.info["unit"] or ""
                    assert re.search(rf"\b({unit}|milliseconds)\b", declared), f"{table.name}.{column.name}: {declared}"


def test_whatever_names_a_learner_says_what_erasure_does() -> None:
    for table in metadata.tables.values():
        personal = any(column.info["privacy"] is not Privacy.NONE for column in table.c)
        assert erase_of(table) in Erase
        if personal:
            assert erase_of(table) is not Erase.NOT_PERSONAL, table.name


def test_no_key_points_into_the_log() -> None:
    log = {"study_events", "question_attempts", "material_interactions"}
    for table in metadata.tables.values():
        assert not {key.column.table.name for key in table.foreign_keys} & log, table.name
