"""P05: what names a learner is erased, or says why not; and the eraser can do its work on every table.

That every table and column is declared at all is `tests/db/test_catalogue.py`.
"""

import pytest
from tests.support.declared import load_every_declaration

from osler.db.schema import Erase, Privacy, erase_of, metadata

pytestmark = [pytest.mark.integration, pytest.mark.fault]


@pytest.fixture(autouse=True)
def declared() -> None:
    load_every_declaration()


def test_p05_what_names_a_learner_is_erased_or_says_why_not() -> None:
    for table in metadata.tables.values():
        if "user_id" in table.c:
            assert erase_of(table) is Erase.DELETE, table.name
        elif any(column.info["privacy"] is not Privacy.NONE for column in table.c):
            assert erase_of(table) is Erase.KEEP, table.name


async def test_p05_the_eraser_reads_every_table_and_deletes_what_is_a_learners(admin) -> None:
    for table in metadata.tables.values():
        assert await admin.fetchval("select has_table_privilege('osler_eraser', $1, 'select')", table.name), table.name
        if erase_of(table) is Erase.DELETE:
            may = await admin.fetchval("select has_table_privilege('osler_eraser', $1, 'delete')", table.name)
            assert may, table.name


async def test_p05_no_role_of_ours_holds_a_grant_on_a_partition(admin) -> None:
    granted = await admin.fetch(
        "select c.relname, c.relacl::text from pg_class c where c.relispartition and c.relkind = 'r' "
        "and c.relacl::text ~ 'osler_(app|reader|eraser|retention)='"
    )
    assert [tuple(row) for row in granted] == []
