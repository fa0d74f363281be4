"""Who may do what to the log: insert and read for the application, delete for the eraser under a ticket, update nobody."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.integration


async def test_the_application_inserts_and_reads_and_nothing_else(admin):
    granted = await admin.fetch(
        "select table_name, privilege_type from information_schema.role_table_grants where grantee = 'osler_app' "
        "and table_name in ('study_events', 'question_attempts', 'material_interactions')"
    )
    assert {row["privilege_type"] for row in granted} == {"SELECT", "INSERT"}
    assert len(granted) == 6


async def test_partitions_carry_no_grants_of_their_own(admin):
    partitions = await admin.fetch("select relname, relacl from pg_class where relname ~ '_p20[0-9]{2}_[0-9]{2}$' and relkind = 'r'")
    assert len(partitions) >= 18
    assert not [row for row in partitions if row["relacl"] and "osler_app" in str(row["relacl"])]
