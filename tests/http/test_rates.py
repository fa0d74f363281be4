"""How often: by learner first, then by address; only configured proxies are believed."""

import uuid
from pathlib import Path

import pytest

from osler.errors import TooMany
from osler.http.rates import RateLimiter, client_address
from osler.settings import load_settings


def scope(peer: str, forwarded: str = "") -> dict[str, object]:
    headers = [(b"x-forwarded-for", forwarded.encode())] if forwarded else []
    return {"client": (peer, 1), "headers": headers}


@pytest.mark.parametrize(
    ("peer", "forwarded", "proxies", "address"),
    [
        ("198.51.100.1", "1.1.1.1", (), "198.51.100.1"),
        ("10.0.0.1", "1.1.1.1, 198.51.100.7", ("10.0.0.1",), "198.51.100.7"),
        ("10.0.0.1", "1.1.1.1, 198.51.100.7, 10.0.0.2", ("10.0.0.1", "10.0.0.2"), "198.51.100.7"),
        ("10.0.0.1", "", ("10.0.0.1",), "10.0.0.1"),
        ("10.0.0.1", "garbage", ("10.0.0.1",), "unknown"),
        ("2001:db8:1:2:3::4", "", (), "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.1", "", (), "192.0.2.1"),
    ],
)
def test_a13_what_stands_before_a_trusted_proxy_is_not_believed(
    peer: str, forwarded: str, proxies: tuple[str, ...], address: str
) -> None:
    assert client_address(scope(peer, forwarded), proxies) == address


def test_the_rates_are_those_of_the_ingestion_contract(tmp_path: Path) -> None:
    settings = load_settings(home=tmp_path)
    assert (settings.rate_per_minute, settings.rate_address_per_minute) == (120, 50 * 120)


async def test_a13_a_burst_across_the_edge_of_a_minute_gets_no_second_ration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 59.0
    monkeypatch.setattr("osler.http.rates.clock.monotonic_seconds", lambda: now)
    rates = RateLimiter(load_settings(home=tmp_path, rate_per_minute=10))
    eager = uuid.uuid4()
    for _ in range(10):
        await rates.check(eager, scope("192.0.2.1"))
    now += 2
    refused = 0
    for _ in range(10):
        try:
            await rates.check(eager, scope("192.0.2.1"))
        except TooMany:
            refused += 1
    assert refused == 10, "of the minute before, the part that still lies in this minute counts"


async def test_a13_a_learner_is_limited_before_the_campus_behind_one_address(tmp_path: Path) -> None:
    rates = RateLimiter(load_settings(home=tmp_path, rate_per_minute=5, rate_address_per_minute=40))
    eager = uuid.uuid4()
    for _ in range(5):
        await rates.check(eager, scope("192.0.2.1"))
    with pytest.raises(TooMany) as refused:
        await rates.check(eager, scope("192.0.2.2"))
    assert refused.value.retry_after_seconds == 60
    for _ in range(30):
        await rates.check(uuid.uuid4(), scope("192.0.2.1"))
    refusals = 0
    for _ in range(10):
        try:
            await rates.check(None, scope("192.0.2.1", "203.0.113.1"))
        except TooMany:
            refusals += 1
    assert refusals >= 5, "a forged X-Forwarded-For must not open another bucket"
