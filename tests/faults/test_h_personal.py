"""H17: how many of the personal data that slip into an id are found, and how many clean ids are taken for such."""

from __future__ import annotations

import base64
import ipaddress
import random
import re
import uuid
from collections.abc import Callable

import pytest
from tests.support.matrix import count

from osler.domain.identity import new_event_id
from osler.domain.privacy_gate import looks_personal

pytestmark = pytest.mark.fault

ID = re.compile(r"[A-Za-z0-9_.:\-]{1,64}")
FOUND, FALSE_ALARMS = 0.99, 0.005
NAMES = ("jane", "j.doe", "maria-luisa", "li_wei", "o.brien", "a", "surname1987", "kim.lee")
HOSTS = ("example.com", "mail.example.org", "uni.example.edu", "example.co.uk", "klinik.example.de")


def email(chance: random.Random) -> str:
    return f"{chance.choice(NAMES)}{chance.randrange(1000)}@{chance.choice(HOSTS)}"


def hidden_email(chance: random.Random) -> str:
    return base64.urlsafe_b64encode(email(chance).encode()).decode().rstrip("=")


def card(chance: random.Random) -> str:
    first = chance.choice(("4", "51", "55", "2221", "6011"))
    digits = [int(c) for c in first] + [chance.randrange(10) for _ in range(15 - len(first))]
    total = sum(d if n % 2 else sum(divmod(2 * d, 10)) for n, d in enumerate(digits))
    text = "".join(map(str, [*digits, -total % 10]))
    return chance.choice(("", "-", ".")).join(text[n : n + 4] for n in range(0, 16, 4))


def phone(chance: random.Random) -> str:
    a, b, c = chance.randrange(201, 990), chance.randrange(200, 1000), chance.randrange(10_000)
    return chance.choice(
        (f"+1 {a} {b} {c:04}", f"{a}-{b}-{c:04}", f"{a}.{b}.{c:04}", f"0{a}-{b}{c:04}", f"0{a}{b}{c:04}")
    )


def number(chance: random.Random) -> str:
    return f"{chance.randrange(100, 900)}-{chance.randrange(1, 100):02}-{chance.randrange(1, 10_000):04}"


def ipv4(chance: random.Random) -> str:
    return str(ipaddress.IPv4Address(chance.randrange(2**24, 2**32)))


def ipv6(chance: random.Random) -> str:
    address = ipaddress.IPv6Address((0x2001 << 112) | chance.getrandbits(112))
    return chance.choice((str(address), address.exploded))


def mac(chance: random.Random) -> str:
    return chance.choice(":-").join(f"{chance.randrange(256):02x}" for _ in range(6))


def url(chance: random.Random) -> str:
    return chance.choice((f"https://{chance.choice(HOSTS)}/{chance.choice(NAMES)}", f"www.{chance.choice(HOSTS)}"))


PERSONAL: dict[str, Callable[[random.Random], str]] = {
    made.__name__: made for made in (email, hidden_email, card, phone, number, ipv4, ipv6, mac, url)
}
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
CLEAN: dict[str, Callable[[random.Random], str]] = {
    "counter": lambda c: str(c.randrange(1, 10**7)),
    "prefixed": lambda c: f"{c.choice(('q', 'card', 'm', 'usmle.step1'))}-{c.randrange(10**6):06}",
    "random uuid": lambda c: str(uuid.UUID(int=c.getrandbits(128), version=4)),
    "time-ordered uuid": lambda c: str(new_event_id(1_700_000_000_000 + c.randrange(10**11))),
    "digest": lambda c: f"{c.getrandbits(160):040x}",
    "ulid": lambda c: "01" + "".join(c.choice(ALPHABET) for _ in range(24)),
    "note of a deck": lambda c: str(1_300_000_000_000 + c.randrange(4 * 10**11)),
    "topic": lambda c: f"{c.choice(('renal', 'cardio', 'neuro'))}.{c.choice(('acid-base', 'stroke', 'valves'))}",
    "short random": lambda c: "".join(c.choice(ALPHABET + ALPHABET.lower()) for _ in range(11)),
    "dated": lambda c: (
        f"exam-20{c.randrange(10, 27)}-{c.randrange(1, 13):02}-{c.randrange(1, 29):02}:{c.randrange(300)}"
    ),
}


def is_refused(text: str) -> bool:
    """As a field for ids does: what is no id, or looks like a person's."""
    return ID.fullmatch(text) is None or looks_personal(text)


@pytest.mark.parametrize("kind", PERSONAL)
def test_h17_personal_data_are_found(kind: str) -> None:
    chance = random.Random(17)
    texts = {PERSONAL[kind](chance) for _ in range(count("H17", "each"))}
    missed = [text for text in texts if not is_refused(text)]
    assert len(missed) <= (1 - FOUND) * len(texts), missed[:10]


def test_h17_clean_ids_are_seldom_taken_for_personal_data() -> None:
    chance, alarms, tried = random.Random(18), list[str](), 0
    for make in CLEAN.values():
        texts = {make(chance) for _ in range(count("H17", "each") * 10)}
        assert not [text for text in texts if ID.fullmatch(text) is None]
        alarms += [text for text in texts if looks_personal(text)]
        tried += len(texts)
    assert len(alarms) <= FALSE_ALARMS * tried, alarms[:10]
