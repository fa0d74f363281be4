"""What every test may ask for: a server, a fresh migrated database, settings, the shared records.

With `OSLER_TEST_DATABASE_URL` (a superuser's URL, e.g. of `tests/support/postgresql15.py`) the same tests run on that
server instead of the embedded one. Each run makes a migrated template once; each test gets a clone of it.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import secrets
import tempfile
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from tests.support.invariants import invariants, made_by_hand  # noqa: F401  (fixtures of every test)
from tests.support.redis_server import RedisServer, redis_program
from tests.support.web import Web, serving

from osler.db.connect import connect_plainly
from osler.db.driver import Driver
from osler.db.embedded import Embedded, Urls
from osler.db.embedded.roles import LOGINS, bootstrap_statements, new_passwords
from osler.db.engine import Database
from osler.db.migrate import migrate
from osler.settings import Settings, load_settings

# No property is about time: at a desk as in CI an example may take as long as a busy machine makes it take.
hypothesis_settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
hypothesis_settings.load_profile("unhurried")

SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
TEMPLATE = "osler_template"


@dataclass
class Cluster:
    """A server with its roles and a migrated template database."""

    base: Urls
    home: Path
    run: str
    embedded: Embedded | None = None

    @property
    def template(self) -> str:
        return f"{TEMPLATE}_{self.run}"

    def urls(self, database: str) -> Urls:
        """The URL of each role on one database."""
        return Urls(
            *(_at(url, database) for url in (self.base.app, self.base.owner, self.base.eraser, self.base.admin))
        )

    def settings(self, database: str, home: Path | None = None, **more: object) -> Settings:
        """Settings of an application on one database; a busy machine may take its time to connect."""
        urls = self.urls(database)
        return load_settings(
            **{
                "profile": "test",
                "pool_wait_seconds": 20,
                "connect_timeout_seconds": 30,
                "home": home or self.home,
                "database_url": urls.app,
                "owner_database_url": urls.owner,
                "eraser_database_url": urls.eraser,
                **more,
            }
        )

    async def create(self, database: str, template: str | None = None) -> None:
        """A database of the owner's; a clone when `template` is named."""
        how = f"template {template} strategy file_copy" if template else ""
        await self.administer(f"create database {database} owner osler_owner {how}")

    async def drop(self, database: str) -> None:
        await self.administer(f"drop database if exists {database} with (force)")

    async def administer(self, statement: str, database: str | None = None) -> None:
        connection = await connect_plainly(_at(self.base.admin, database) if database else self.base.admin)
        try:
            await connection.execute(statement)
        finally:
            await connection.close()


def _at(url: str, database: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{database}"))


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """The server of this test run, stopped afterwards; one for each xdist worker."""
    with tempfile.TemporaryDirectory(prefix="osler-tests-") as folder:
        home = Path(folder)
        external = os.environ.get("OSLER_TEST_DATABASE_URL")
        if external:
            found = Cluster(asyncio.run(_external(external)), home, secrets.token_hex(4))
            asyncio.run(_migrated(found))
            yield found
            asyncio.run(found.drop(found.template))
            return
        settings = load_settings(
            profile="test", home=home, embedded_fsync=False, embedded_shared_buffers="128MB", embedded_linger_seconds=0
        )
        embedded = Embedded.start(settings)
        try:
            found = Cluster(embedded.urls(), home, "run", embedded)
            asyncio.run(_migrated(found))
            yield found
        finally:
            embedded.close()
            embedded.wait_until_stopped()


async def _migrated(cluster: Cluster) -> None:
    await cluster.create(cluster.template)
    await migrate(cluster.settings(cluster.template))


async def _external(url: str) -> Urls:
    """Give the server the same logins as an embedded one has.

    Logins belong to the whole server: workers of one run share it, so they take turns and agree on the passwords.
    """
    passwords = {name: hashlib.sha256(f"{url} {name}".encode()).hexdigest() for name in new_passwords()}
    connection = await connect_plainly(url)
    try:
        await connection.execute("select pg_advisory_lock(815)")
        present = {row[0] for row in await connection.fetch("select rolname from pg_roles")}
        for statement in bootstrap_statements(passwords, database=None):
            words = statement.split()
            if words[:2] != ["CREATE", "ROLE"] or words[2] not in present:
                await connection.execute(statement)
        for name in set(LOGINS) & present:
            await connection.execute(f"alter role {name} login password '{passwords[name]}'")
    finally:
        await connection.close()
    parts = urlsplit(url)

    def of(role: str) -> str:
        host = parts.netloc.rpartition("@")[2]
        return urlunsplit(parts._replace(netloc=f"{role}:{quote(passwords[role])}@{host}"))

    return Urls(app=of("osler_app"), owner=of("osler_migrator"), eraser=of("osler_eraser"), admin=url)


@pytest.fixture
async def fresh_database(cluster: Cluster) -> AsyncIterator[str]:
    """The name of a fresh clone of the migrated template."""
    name = f"t_{secrets.token_hex(6)}"
    await cluster.create(name, cluster.template)
    yield name
    await cluster.drop(name)


@pytest.fixture
def settings(cluster: Cluster, fresh_database: str, tmp_path: Path) -> Settings:
    """Settings of an application on a fresh database, with a home of its own."""
    return cluster.settings(fresh_database, home=tmp_path / "home")


@pytest.fixture
async def database(settings: Settings) -> AsyncIterator[Database]:
    """An open `Database` on a fresh clone of the migrated template."""
    async with Database.open(settings) as opened:
        yield opened


@pytest.fixture
async def admin(cluster: Cluster, fresh_database: str) -> AsyncIterator[Driver]:
    """A superuser's connection to the test's database, to look at what the application may not see."""
    connection = await connect_plainly(cluster.urls(fresh_database).admin)
    yield connection
    await connection.close()


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real records beside the project."""
    if not SHARED_DATA.is_dir():
        sentence = f"real records are not at {SHARED_DATA}: put the shared data folder beside the project"
        if os.environ.get("OSLER_REQUIRE_ALL"):
            pytest.fail(sentence)
        pytest.skip(sentence)
    return SHARED_DATA


@pytest.fixture
async def web(settings: Settings) -> AsyncIterator[Web]:
    """The whole application on a fresh database, asked in process with real tokens."""
    async with serving(settings) as served:
        yield served


@pytest.fixture
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """A running Redis of this test alone."""
    server = RedisServer(redis_program(), tmp_path_factory.mktemp("r"))
    server.start()
    yield server
    server.kill()
