"""Addresses and user agents in shapes that name nobody: the brief's form to the letter, and the stored one."""

import hashlib
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from osler.domain.event_fields import Client
from osler.domain.privacy import USER_AGENTS, anonymize_ip, keyed_address, plain_address, sanitize_user_agent

KEY = b"k" * 32


@pytest.mark.parametrize(("ip", "salt"), [("192.0.2.1", "salt"), ("2001:db8::1", ""), ("", "x"), ("10.0.0.1", "ü")])
def test_the_briefs_form_is_kept_to_the_letter(ip: str, salt: str) -> None:
    assert anonymize_ip(ip, salt) == hashlib.sha256(f"{ip}:{salt}".encode()).hexdigest()[:16]


def test_the_briefs_form_has_its_golden_value() -> None:
    assert anonymize_ip("192.0.2.1", "salt") == "2c90d87baa88ab16"


def test_one_subscriber_has_one_spelling() -> None:
    assert plain_address("::ffff:192.0.2.7") == "192.0.2.7"
    assert plain_address("2001:db8:0:1:aaaa::1") == plain_address("2001:0db8:0000:0001:bbbb::2") == "2001:db8:0:1::/64"
    assert plain_address("fe80::1%eth0") == "fe80::/64"


def test_p11_without_the_key_the_stored_form_matches_no_dictionary() -> None:
    """All of a /16 against the stored form: the plain hash falls, the keyed one does not."""
    dump = keyed_address("192.0.77.9", KEY)
    addresses = [f"192.0.{a}.{b}" for a in range(64, 96) for b in range(256)]
    assert anonymize_ip("192.0.77.9", "salt") in {anonymize_ip(ip, "salt") for ip in addresses}
    assert dump not in {hashlib.sha256(ip.encode()).hexdigest()[:16] for ip in addresses}
    assert dump not in {keyed_address(ip, b"\0" * 32) for ip in addresses}
    assert keyed_address("192.0.77.9", b"n" * 32) != dump, "after a rotation the same address cannot be linked"


KIT = "(KHTML, like Gecko)"
CHROME = f"AppleWebKit/537.36 {KIT} Chrome/126.0"
IPHONE = f"(iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 {KIT}"
AGENTS = {
    f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1 {KIT} Version/17 Safari/605": "macOS Safari",
    f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {CHROME} Safari/537.36": "Windows Chrome",
    f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {CHROME} Safari/537.36 Edg/126.0": "Windows Edge",
    f"Mozilla/5.0 (Windows NT 10.0) {CHROME} Safari/537.36 OPR/111.0": "Windows Opera",
    f"Mozilla/5.0 {IPHONE} Version/17.5 Mobile/15E148 Safari/604.1": "iOS Safari",
    f"Mozilla/5.0 {IPHONE} CriOS/126.0 Mobile/15E148 Safari/604.1": "iOS Chrome",
    f"Mozilla/5.0 (Linux; Android 14; Pixel 8) {CHROME} Mobile Safari/537.36": "Android Chrome",
    f"Mozilla/5.0 (Linux; Android 14; SM-S921B) {KIT} SamsungBrowser/25.0 Chrome/121.0 Mobile": "Android Samsung",
    f"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/605.1 {KIT} Version/17 Safari/605": "Other",
    f"Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) {CHROME} Safari/537.36": "ChromeOS Chrome",
    "Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0": "Linux Firefox",
    "osler-python/0.1.0": "Other",
    "": "Other",
}


@pytest.mark.parametrize(("agent", "kept"), AGENTS.items())
def test_p12_known_agents_become_system_and_browser(agent: str, kept: str) -> None:
    assert sanitize_user_agent(agent) == kept


def test_p12_the_list_is_closed_and_short() -> None:
    assert len(USER_AGENTS) <= 40
    assert {"macOS Safari", "Other"} <= USER_AGENTS
    assert set(get_args(Client)) == USER_AGENTS, "what is made of a user agent is what an event takes"


@given(st.sampled_from(list(AGENTS)), st.text(max_size=60))
def test_p12_nothing_of_the_string_survives(agent: str, inside: str) -> None:
    for text in (agent + " alice@example.org", agent[:20] + inside + agent[20:], inside):
        assert sanitize_user_agent(text) in USER_AGENTS
