"""A18: nothing leaves this machine in the clear in production, nor under less than TLS 1.3, nor to whoever answers."""

from __future__ import annotations

import asyncio
import json
import os
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from jwt.algorithms import ECAlgorithm
from redis.asyncio import Redis
from tests.support.certificates import Certificates, make_certificates

from osler.api.server import free_port
from osler.db.connect import connect_plainly
from osler.domain.transport import is_loopback, redis_options
from osler.errors import Misconfigured
from osler.http.auth import pinned_issuers
from osler.http.keysets import RemoteKeys
from osler.settings import Settings, load_settings
from osler.tracking import HttpSink

FAR = "db.example"
PRODUCTION = {"profile": "production", "issuer": "https://id.example", "jwks_url": "https://id.example/keys"}


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(f"OSLER_{name.upper()}", raising=False)


@pytest.fixture
def certificates(tmp_path: Path) -> Certificates:
    return make_certificates(tmp_path)


REFUSED = {
    "database_url": [
        f"postgresql://osler_app:canary@{FAR}/osler",
        *(
            f"postgresql://osler_app:canary@{FAR}/osler?sslmode={mode}"
            for mode in ("disable", "allow", "prefer", "require", "verify-ca")
        ),
        f"postgresql://osler_app:canary@localhost,{FAR}/osler",
        f"postgresql://osler_app:canary@/osler?host={FAR}",
        f"postgresql://osler_app:canary@localhost/osler?host={FAR}&sslmode=require",
        "postgresql://osler_app:canary@localhost/osler?hostaddr=192.0.2.7",
        f"postgresql://osler_app:canary@{FAR}/osler?sslmode=verify-full&sslmode=disable",
        f"postgresql://osler_app:canary@{FAR}/osler?sslmode=verify-full&ssl_min_protocol_version=TLSv1.2",
        "postgresql://osler_app:canary@127.0.0.1.example/osler",
        "postgresql://osler_app:canary@localhost.example/osler",
    ],
    "redis_url": [
        f"redis://:canary@{FAR}/0",
        f"rediss://:canary@{FAR}/0?ssl_cert_reqs=none",
        f"rediss://:canary@{FAR}/0?ssl_cert_reqs=optional",
        f"rediss://:canary@{FAR}/0?ssl_check_hostname=False",
    ],
    "sentry_dsn": [f"http://canary@{FAR}/1"],
}
REFUSED |= dict.fromkeys(("owner_database_url", "eraser_database_url", "replica_url"), REFUSED["database_url"])
REFUSED |= {"broker_url": [*REFUSED["redis_url"], f"amqp://u:canary@{FAR}//"]}
TAKEN = {
    "database_url": [
        f"postgresql://osler_app:canary@{FAR}/osler?sslmode=verify-full",
        "postgresql://osler_app:canary@/osler?host=/var/run/postgresql",
        "postgresql://osler_app:canary@localhost/osler",
        "postgresql://osler_app:canary@127.0.0.1:6432/osler",
        "postgresql://osler_app:canary@[::1]/osler",
    ],
    "redis_url": ["unix:///run/redis.sock", "redis://localhost/0", f"rediss://:canary@{FAR}/0"],
    "broker_url": ["redis+socket:///run/redis.sock", f"rediss://:canary@{FAR}/0?ssl_cert_reqs=CERT_REQUIRED"],
    "sentry_dsn": [f"https://canary@{FAR}/1", "http://canary@127.0.0.1/1"],
}


@pytest.mark.parametrize(("name", "url"), [(name, url) for name, urls in REFUSED.items() for url in urls])
def test_a18_production_refuses_to_start_with_a_weak_address(name: str, url: str) -> None:
    with pytest.raises(Misconfigured, match=f"OSLER_{name.upper()}") as refused:
        load_settings(**PRODUCTION, **{name: url})
    assert "canary" not in str(refused.value)
    load_settings(**{name: url})


@pytest.mark.parametrize(("name", "url"), [(name, url) for name, urls in TAKEN.items() for url in urls])
def test_a18_sockets_loopback_and_checked_tls_are_taken(name: str, url: str) -> None:
    load_settings(**PRODUCTION, **{name: url})


@pytest.mark.parametrize("name", ["issuer", "jwks_url"])
@pytest.mark.parametrize("profile", ["local", "production"])
def test_a18_keys_come_over_https_in_every_profile(name: str, profile: str) -> None:
    for url in (
        "http://id.example/keys",
        "ftp://id.example/keys",
        "http://localhost.example/",
        "https://",
        "id.example",
    ):
        with pytest.raises(Misconfigured, match=f"OSLER_{name.upper()}"):
            load_settings(**{**PRODUCTION, "profile": profile, name: url})
    load_settings(**{**PRODUCTION, "profile": profile, name: "http://127.0.0.1:8080/keys"})


def test_a18_a_name_that_only_looks_like_this_machine_is_not() -> None:
    near = ["localhost", "LOCALHOST", "127.0.0.1", "127.9.9.9", "::1"]
    assert all(is_loopback(host) for host in near)
    far = ["", "localhost.", "localhost.example", "127.0.0.1.example", "2130706433", "0.0.0.0", "::ffff:192.0.2.1"]
    assert not any(is_loopback(host) for host in far)


class Handshakes:
    """How many handshakes a server of a test has finished, and of which version."""

    def __init__(self) -> None:
        self.finished: list[str] = []


@asynccontextmanager
async def answering(
    certificates: Certificates, newest: ssl.TLSVersion, *, like_postgres: bool = False
) -> AsyncIterator[tuple[int, Handshakes]]:
    """A server that speaks TLS up to a version, at once or when asked as PostgreSQL is; then it closes."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates.certificate, certificates.key)
    context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1_2, newest
    seen = Handshakes()

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, ssl.SSLError, asyncio.IncompleteReadError):
            if like_postgres:
                await reader.readexactly(8)
                writer.write(b"S")
                await writer.drain()
            await writer.start_tls(context)
            if await reader.read(1):  # in TLS 1.3 a client refuses a certificate after the server has finished
                seen.finished.append(writer.get_extra_info("ssl_object").version())
        writer.close()

    server = await asyncio.start_server(take, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1], seen
    finally:
        server.close()


async def reach_postgres(port: int, authority: Path) -> None:
    url = f"postgresql://osler_app@localhost:{port}/osler?sslmode=verify-full&sslrootcert={authority}"
    with pytest.raises(Exception):  # noqa: B017, PT011 (whichever: nobody there speaks PostgreSQL)
        await connect_plainly(url)


async def reach_redis(port: int, authority: Path) -> None:
    url = f"rediss://localhost:{port}/0?ssl_ca_certs={authority}"
    client = Redis.from_url(url, socket_timeout=2, **redis_options(url))
    with pytest.raises(Exception):  # noqa: B017, PT011 (whichever: nobody there speaks Redis)
        await client.ping()
    await client.aclose()


@pytest.mark.parametrize("reach", [reach_postgres, reach_redis])
async def test_a18_databases_are_spoken_to_under_tls_1_3_and_their_own_name(
    reach: Callable[[int, Path], Awaitable[None]], certificates: Certificates, tmp_path: Path
) -> None:
    like_postgres = reach is reach_postgres
    async with answering(certificates, ssl.TLSVersion.TLSv1_3, like_postgres=like_postgres) as (port, seen):
        await reach(port, certificates.authority)
        assert set(seen.finished) == {"TLSv1.3"}, "unknown: the way that is right does not work"
    async with answering(certificates, ssl.TLSVersion.TLSv1_2, like_postgres=like_postgres) as (port, seen):
        await reach(port, certificates.authority)
        assert not seen.finished
    other = tmp_path / "other"
    other.mkdir()
    stranger = make_certificates(other)
    async with answering(stranger, ssl.TLSVersion.TLSv1_3, like_postgres=like_postgres) as (port, seen):
        await reach(port, certificates.authority)
        assert not seen.finished
    wrong_name = make_certificates(other, "elsewhere.example")
    async with answering(wrong_name, ssl.TLSVersion.TLSv1_3, like_postgres=like_postgres) as (port, seen):
        await reach(port, wrong_name.authority)
        assert not seen.finished


async def test_a18_an_issuer_and_an_osler_with_a_certificate_that_nobody_vouches_for_are_told_nothing(
    certificates: Certificates, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    async with answering(certificates, ssl.TLSVersion.TLSv1_3) as (port, seen):
        keys = RemoteKeys(f"https://localhost:{port}/keys")
        assert await keys.find("any") is None
        await keys.close()
        sink = HttpSink(f"https://localhost:{port}", "canary")
        reply = await asyncio.to_thread(send_and_close, sink)
        assert reply == 0
        assert not seen.finished
        monkeypatch.setenv("SSL_CERT_FILE", str(certificates.authority))
        sink = HttpSink(f"https://localhost:{port}", "canary")
        await asyncio.to_thread(send_and_close, sink)
        assert seen.finished == ["TLSv1.3"], "unknown: the way that is right does not work"


async def test_a18_an_issuer_of_an_own_authority_is_believed_with_its_file_and_nobody_else(
    certificates: Certificates, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    stranger = make_certificates(other)
    async with issuing(certificates) as port:
        for authority, is_believed in ((certificates.authority, True), (stranger.authority, False)):
            url = f"https://localhost:{port}/keys"
            settings = load_settings(**{**PRODUCTION, "jwks_url": url, "issuer_ca_file": authority})
            [issuer] = pinned_issuers(settings)
            assert isinstance(issuer.keys, RemoteKeys)
            assert (await issuer.keys.find("of-this-test") is not None) is is_believed
            await issuer.keys.close()


def test_a18_a_file_without_certificates_is_an_error_before_anything_is_opened(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="OSLER_ISSUER_CA_FILE"):
        load_settings(issuer_ca_file=tmp_path / "missing.pem")
    (tmp_path / "empty.pem").touch()
    with pytest.raises(Misconfigured, match="OSLER_ISSUER_CA_FILE"):
        RemoteKeys("https://id.example/keys", ca_file=tmp_path / "empty.pem")


@asynccontextmanager
async def issuing(certificates: Certificates) -> AsyncIterator[int]:
    """The port of an issuer that answers every request with a key set of one key, and closes."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates.certificate, certificates.key)
    key = ECAlgorithm.to_jwk(generate_private_key(SECP256R1()).public_key(), as_dict=True)
    body = json.dumps({"keys": [{**key, "kid": "of-this-test"}]}).encode()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, ssl.SSLError, asyncio.IncompleteReadError):
            await writer.start_tls(context)
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


def send_and_close(sink: HttpSink) -> int:
    try:
        return sink.send(b"{}").status
    finally:
        sink.close()


@pytest.fixture
def served(settings: Settings, certificates: Certificates, tmp_path: Path) -> Iterator[int]:
    """The port of `osler serve` with a certificate."""
    port = free_port("127.0.0.1", 0)
    assert settings.database_url is not None
    environment = {
        **os.environ,
        "OSLER_HOME": str(settings.home), "OSLER_PROFILE": "test",
        "OSLER_DATABASE_URL": settings.database_url.get_secret_value(),
        "OSLER_TLS_CERTIFICATE": str(certificates.certificate), "OSLER_TLS_KEY": str(certificates.key),
    }  # fmt: skip
    log = tmp_path / "serve.log"
    with log.open("w") as written:
        process = subprocess.Popen(
            [sys.executable, "-m", "osler", "serve", "--port", str(port), "--no-jobs"],
            env=environment, stdout=subprocess.PIPE, stderr=written, text=True,
        )  # fmt: skip
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == f"Osler is ready at https://127.0.0.1:{port}\n", log.read_text()
        yield port
    finally:
        process.terminate()
        process.wait(15)
        process.stdout.close()


@pytest.mark.integration
@pytest.mark.slow
def test_a18_the_api_speaks_tls_1_3_alone_where_it_has_a_certificate(served: int, certificates: Certificates) -> None:
    def answer(url: str, newest: ssl.TLSVersion) -> int:
        context = ssl.create_default_context(cafile=str(certificates.authority))
        context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1_2, newest
        with httpx.Client(verify=context, trust_env=False) as client:
            return client.get(url).status_code

    good = f"https://localhost:{served}/api/health/live"
    assert answer(good, ssl.TLSVersion.TLSv1_3) == 200
    with pytest.raises(httpx.TransportError):
        answer(good, ssl.TLSVersion.TLSv1_2)
    with pytest.raises(httpx.TransportError):
        answer(good.replace("https:", "http:"), ssl.TLSVersion.TLSv1_3)


def test_a18_half_a_certificate_is_an_error_before_anything_is_opened(certificates: Certificates) -> None:
    with pytest.raises(Misconfigured, match="OSLER_TLS_KEY"):
        load_settings(tls_certificate=certificates.certificate)
    with pytest.raises(Misconfigured, match="OSLER_TLS_KEY"):
        load_settings(tls_certificate=certificates.certificate, tls_key=certificates.key.with_suffix(".gone"))
