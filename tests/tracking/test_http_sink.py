"""Where a token and learners' events may go: over TLS 1.3 to whom the host believes, in the clear to this machine."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.support import tracking as t
from tests.support.certificates import Certificates, make_certificates
from tests.support.tracking import listening, note, options, until

from osler.errors import Misconfigured
from osler.tracking import HttpSink, Osler


@pytest.fixture
def certificates(tmp_path: Path) -> Certificates:
    return make_certificates(tmp_path)


def _context(certificates: Certificates, newest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates.certificate, certificates.key)
    context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1_2, newest
    return context


def _environment(patch: pytest.MonkeyPatch, url: str, **more: str) -> None:
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR", "OSLER_TOKEN_FILE", "OSLER_CA_FILE"):
        patch.delenv(name, raising=False)
    for name, value in {"OSLER_URL": url, "OSLER_TOKEN": "t", "OSLER_TRACKING_KEY": "k" * 40, **more}.items():
        patch.setenv(name, value)


@pytest.mark.parametrize(
    "url",
    [
        "http://osler.example",
        "http://10.0.0.7:8000",
        "http://localhost.example",
        "osler.example",
        "ftp://127.0.0.1",
        "https://",
        "http://0.0.0.0:8000",
        "https://osler.example/?next=1",
        "https://osler.example/#top",
    ],
)
def test_an_address_that_learners_events_must_not_go_to_stops_the_host_at_its_start(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    _environment(monkeypatch, url)
    with pytest.raises(Misconfigured, match=r"^OSLER_URL (has to|is no) .*TLS"):
        Osler.from_env()


@pytest.mark.parametrize(
    "url", ["https://osler.example", "https://school.example/osler/", "http://localhost:8000", "http://[::1]:8000"]
)
def test_https_and_this_machine_are_taken(url: str) -> None:
    assert HttpSink(url, "t").name == url.rstrip("/")


def test_an_osler_whose_certificate_is_of_an_own_authority_is_reached_with_its_file(
    certificates: Certificates, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with listening(tls=_context(certificates)) as server:
        _environment(monkeypatch, server.url, OSLER_CA_FILE=str(certificates.authority))
        osler = Osler.from_env(options(tmp_path))
        note(osler, 1)
        assert until(lambda: len(server.stored) == 1), osler.counts
        osler.close()


def _stranger(own: Certificates, folder: Path) -> tuple[Path | None, ssl.SSLContext]:
    return make_certificates(folder).authority, _context(own)


def _another_name(_: Certificates, folder: Path) -> tuple[Path | None, ssl.SSLContext]:
    made = make_certificates(folder, "elsewhere.example")
    return made.authority, _context(made)


def _older(own: Certificates, _: Path) -> tuple[Path | None, ssl.SSLContext]:
    return own.authority, _context(own, ssl.TLSVersion.TLSv1_2)


def _nobody_named(own: Certificates, _: Path) -> tuple[Path | None, ssl.SSLContext]:
    return None, _context(own)


@pytest.mark.parametrize("weak", [_stranger, _another_name, _older, _nobody_named])
def test_who_is_not_vouched_for_is_told_nothing_and_the_events_wait(
    weak: Callable[[Certificates, Path], tuple[Path | None, ssl.SSLContext]],
    certificates: Certificates,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    (tmp_path / "other").mkdir()
    ca_file, context = weak(certificates, tmp_path / "other")
    with listening(tls=context) as server:
        _environment(monkeypatch, server.url, **({} if ca_file is None else {"OSLER_CA_FILE": str(ca_file)}))
        osler = Osler.from_env(options(tmp_path, shutdown_seconds=0.2))
        note(osler, 1)
        assert until(lambda: osler.counts.failures >= 2)
        osler.close()
        assert not server.envelopes
    assert b'"n1"' in t.everything_under(tmp_path / "spool")
    assert "ConnectError" in caplog.text, "nobody was told why nothing arrives"


def test_why_nothing_arrives_is_told_once_until_something_does(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with listening() as server, t.tracking(server.url, tmp_path) as osler:
        server.script = [t.says(401)] * 3 + [t.says(503)] * 2
        note(osler, 1)
        assert until(lambda: len(server.stored) == 1)
    said = [record.getMessage() for record in caplog.records]
    assert len(said) == 3
    assert "answer 401: the token has run out" in said[0]
    assert "answer 503" in said[1]
    assert "taken again" in said[2]
    assert "a-token" not in caplog.text


def test_a_token_that_no_header_can_hold_is_told_of_without_itself(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with listening() as server:
        sink = HttpSink(server.url, "canary\nX-Admin: yes")
        osler = Osler(sink, t.KEY, options(tmp_path, shutdown_seconds=0.1))
        note(osler, 1)
        assert until(lambda: osler.counts.failures >= 1)
        osler.close()
        assert not server.envelopes
    assert "was not taken" in caplog.text
    assert "canary" not in caplog.text


@pytest.mark.parametrize("content", [None, b"", b"no certificate", b"\xff\xfe"])
def test_a_file_without_certificates_stops_the_host_at_its_start(
    content: bytes | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "authority.pem"
    if content is not None:
        file.write_bytes(content)
    _environment(monkeypatch, "https://osler.example", OSLER_CA_FILE=str(file))
    with pytest.raises(Misconfigured, match=r"^OSLER_CA_FILE: .*authority\.pem"):
        Osler.from_env()


def test_what_goes_in_the_clear_goes_to_this_machine_and_never_through_a_proxy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with listening() as proxy, listening() as server:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.url)
        for name in ("NO_PROXY", "no_proxy"):
            monkeypatch.delenv(name, raising=False)
        with t.tracking(server.url, tmp_path) as osler:
            note(osler, 1)
            assert until(lambda: len(server.stored) == 1), osler.counts
        assert not proxy.envelopes
