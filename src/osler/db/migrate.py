"""Brings the schema to a revision: as `osler_owner`, under one lock for the cluster's database, never waiting long."""

from __future__ import annotations

import asyncio
import io
from typing import Any

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine

from osler.db.connect import connect_plainly
from osler.db.embedded import ensure_running
from osler.db.faults import is_worth_a_retry
from osler.db.history import FOLDER, revisions
from osler.db.schema import metadata
from osler.errors import Misconfigured, Unavailable
from osler.settings import Settings

LOCK = 0x4F534C45  # "OSLE"
LOCK_TIMEOUT = "2s"
RETRIES = 10

Change = tuple[str | None, str | None]

# Whatever the login is called, what it makes belongs to osler_owner. Before the first migration nobody is it yet.
_MAY_BE_OWNER = sa.text(
    "select exists (select from pg_roles where rolname = 'osler_owner' and pg_has_role(current_user, oid, 'member') "
    "and has_schema_privilege(oid, 'public', 'create'))"
)


def run_on(context: Any, connection: sa.Connection) -> None:
    """Run the chosen migrations on an open connection, all in one transaction. Called by `migrations/env.py`."""
    context.configure(
        connection=connection,
        target_metadata=metadata,
        compare_server_default=True,
        include_object=_is_declared,
        transaction_per_migration=False,
    )
    with context.begin_transaction():
        context.run_migrations()


def run_offline(context: Any) -> None:
    """Print the SQL instead of running it."""
    # named parameters: else every % in a comment or a function is printed twice
    options = {"paramstyle": "named"}
    context.configure(dialect_name="postgresql", dialect_opts=options, target_metadata=metadata, literal_binds=True)
    with context.begin_transaction():
        context.run_migrations()


def _is_declared(_object: object, name: str | None, kind: str, _reflected: bool, _to: object) -> bool:
    """Partitions are no part of the declared schema: those by month are made by a function, those of marks by hand."""
    return not (kind == "table" and name is not None and ("_p2" in name or name.startswith("dirty_days_")))


async def owner_url(settings: Settings) -> str:
    """Where migrations connect. Errors: Misconfigured when only the application's URL is known."""
    if settings.owner_database_url is not None:
        return settings.owner_database_url.get_secret_value()
    if settings.database_url is not None:
        msg = "set OSLER_OWNER_DATABASE_URL: the application's own role must not be able to change the schema"
        raise Misconfigured(msg)
    return (await asyncio.to_thread(ensure_running, settings)).owner


async def migrate(settings: Settings, revision: str = "head", *, down: bool = False) -> Change:
    """Bring the schema to a revision (`base` with `down` empties it); the revision before and after.

    Errors: Unavailable when a lock could not be had in ten tries of two seconds: nothing has changed then.
    """
    url = await owner_url(settings)
    app_login = _login(settings.database_url.get_secret_value()) if settings.database_url else None
    for attempt in range(RETRIES):
        try:
            return await _migrate_once(url, revision, down=down, app_login=app_login)
        except DBAPIError as failed:
            if not (is_worth_a_retry(failed) or _is_race_for_roles(failed)):
                raise
            await asyncio.sleep(0.2 * (attempt + 1))
    msg = (
        f"a lock on a busy table could not be had in {RETRIES} tries of {LOCK_TIMEOUT}; nothing was changed, try again"
    )
    raise Unavailable(msg, code="migrate.locked")


def _is_race_for_roles(failed: DBAPIError) -> bool:
    """Roles belong to the whole server: two databases migrated at once may both want to make them."""
    said = str(failed.orig)
    return any(part in said for part in ("pg_authid", 'role "osler_', "tuple concurrently updated"))


async def _migrate_once(url: str, revision: str, *, down: bool, app_login: str | None) -> Change:
    async def connect() -> Any:
        return await connect_plainly(url, lock_timeout=LOCK_TIMEOUT)

    engine = create_async_engine("postgresql+asyncpg://", async_creator=connect, poolclass=sa.NullPool)
    try:
        async with engine.connect() as connection:
            await connection.execute(sa.text("set lock_timeout = 0"))
            await connection.execute(sa.text("select pg_advisory_lock(:lock)"), {"lock": LOCK})
            await connection.execute(sa.text(f"set lock_timeout = '{LOCK_TIMEOUT}'"))
            if await connection.scalar(_MAY_BE_OWNER):
                await connection.execute(sa.text("set role osler_owner"))
            await connection.commit()
            change = await connection.run_sync(_run, revision, down=down, app_login=app_login)
            await connection.commit()
            return change
    finally:
        await engine.dispose()


def _run(connection: sa.Connection, revision: str, *, down: bool, app_login: str | None) -> Change:
    config = _config()
    config.attributes["connection"] = connection
    before = MigrationContext.configure(connection).get_current_revision()
    if before is not None and before not in revisions():
        msg = f"the schema is at revision {before}, which is newer than this Osler; use the Osler that made it"
        raise Misconfigured(msg, code="database.schema")
    (command.downgrade if down else command.upgrade)(config, revision)
    if app_login and not down:
        _let_log_in(connection, app_login)
    return before, MigrationContext.configure(connection).get_current_revision()


def _let_log_in(connection: sa.Connection, login: str) -> None:
    """An application whose login has another name acts through membership in osler_app."""
    is_member = sa.text("select pg_has_role(:login, 'osler_app', 'member')")
    if login != "osler_app" and not connection.scalar(is_member, {"login": login}):
        connection.execute(sa.text("reset role"))  # osler_owner owns tables, not roles
        name = connection.dialect.identifier_preparer.quote(login)
        connection.execute(sa.text(f"grant osler_app to {name}"))


def sql(revision: str = "head") -> str:
    """The SQL of all migrations up to a revision, for whoever wants to read it first."""
    out = io.StringIO()
    command.upgrade(_config(out), revision, sql=True)
    return out.getvalue()


def _config(out: io.StringIO | None = None) -> Config:
    config = Config(stdout=out) if out else Config()
    if out:
        config.output_buffer = out
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def _login(url: str) -> str | None:
    return sa.make_url(url).username
