"""Is this the server and the schema that we need? Asked once, before the first request."""

from __future__ import annotations

from osler.db.driver import Driver
from osler.db.history import HEAD, revisions
from osler.errors import Misconfigured
from osler.settings import Profile, Settings

MINIMUM_VERSION_NUM = 150_000

_FACTS = """
select current_setting('server_version_num')::int as version_num, current_setting('server_version') as version,
       current_setting('synchronous_commit') as synchronous_commit, current_setting('fsync') as fsync,
       current_setting('full_page_writes') as full_page_writes, current_setting('timezone') as zone,
       current_setting('data_checksums') as checksums, pg_is_in_recovery() as is_replica
"""


async def check(connection: Driver, settings: Settings) -> None:
    """Refuse a server that cannot keep the promise of durability, or a schema of another version.

    Errors: Misconfigured, saying what was found and what to do.
    """
    for problem in server_problems(await facts(connection), settings):
        raise Misconfigured(problem, code="database.unfit")
    await check_schema(connection)


async def facts(connection: Driver) -> dict[str, object]:
    """What the server says about itself."""
    row = await connection.fetchrow(_FACTS)
    return dict(row.items()) if row else {}


def server_problems(found: dict[str, object], settings: Settings) -> list[str]:
    """What is wrong with the server, in sentences."""
    wrong: list[str] = []
    if int(str(found["version_num"])) < MINIMUM_VERSION_NUM:
        wrong.append(f"PostgreSQL {found['version']} is too old; Osler needs 15 or newer")
    if found["zone"] != "UTC":
        wrong.append(f"the connection's time zone is {found['zone']}, not UTC; a pooler must not change it")
    if settings.profile is Profile.TEST:
        return wrong
    wrong += [
        f"{name} is {found[name]}: an acknowledged event could be lost. Switch it on in the server's configuration"
        for name in ("synchronous_commit", "fsync", "full_page_writes")
        if found[name] == "off" or (name == "synchronous_commit" and found[name] == "local")
    ]
    if settings.is_embedded and found["checksums"] != "on":
        wrong.append("data checksums are off in the embedded server; its folder was not made by Osler")
    return wrong


async def check_schema(connection: Driver) -> None:
    """Refuse a schema that is not at this version's head; nothing is written.

    Errors: Misconfigured: behind (run `osler migrate`) or made by a newer Osler.
    """
    found = await current_revision(connection)
    if found == HEAD:
        return
    if found is None:
        msg = f"the database is empty; run `osler migrate` (to revision {HEAD})"
    elif found in revisions():
        msg = f"the schema is at revision {found}, this Osler needs {HEAD}; run `osler migrate`"
    else:
        msg = f"the schema is at revision {found}, newer than this Osler's {HEAD}; use the Osler that made it"
    raise Misconfigured(msg, code="database.schema", params={"found": found, "needed": HEAD})


async def current_revision(connection: Driver) -> str | None:
    """The revision that the schema is at; None when it was never migrated."""
    if not await connection.fetchval("select to_regclass('public.alembic_version') is not null"):
        return None
    return await connection.fetchval("select version_num from public.alembic_version")
