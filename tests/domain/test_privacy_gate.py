"""Ids that look like a person's are found; ordinary ids are left alone."""

from __future__ import annotations

import base64
import random
import string
import time
import uuid

import pytest

from osler.domain.privacy_gate import looks_personal

PERSONAL = [
    "192.168.0.12", "ip:10.0.0.1", "8.8.8.8", "2001:db8::ff00:42:8329", "fe80::1", "00:1A:2B:3C:4D:5E",
    "00-1a-2b-3c-4d-5e", "001a.2b3c.4d5e", "4111-1111-1111-1111", "4111111111111111", "5500000000000004",
    "378282246310005", "card:4111111111111111", "123-45-6789", "555-123-4567", "1-555-123-4567", "00447700900123",
    "07700900123", "0170-1234567", "tel:447700900123", "AB123456C", "www.example.com", "https:example.com",
    "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiIxIn0.abc", "ghp_16C7e42F292c6912E7710c838347Ae178B4a",
    "AKIAIOSFODNN7EXAMPLE", "sk_live_4eC39HqLyjWDarjtT1zdp7dc", "xoxb-123456789012-abcdef",
    "jane.doe.at.example.com", "jane_at_example.org",
]  # fmt: skip


@pytest.mark.parametrize("text", PERSONAL)
def test_finds(text):
    assert looks_personal(text)


def test_finds_email_in_base64():
    rng = random.Random(7)
    for _ in range(300):
        name = "".join(rng.choices(string.ascii_lowercase, k=rng.randint(4, 12)))
        mail = f"{name}@{name[::-1]}.com".encode()
        for text in (base64.urlsafe_b64encode(mail).decode(), base64.urlsafe_b64encode(b"u:" + mail).decode()):
            assert looks_personal(text.rstrip("=")[:64])


def test_canaries_are_found_and_clean_ids_are_not():
    rng = random.Random(11)
    canaries = [_card(rng) for _ in range(200)] + [
        ".".join(str(rng.randint(0, 255)) for _ in range(4)) for _ in range(200)
    ]  # fmt: skip
    canaries += [":".join(f"{rng.randint(0, 255):02x}" for _ in range(6)) for _ in range(200)]
    canaries += [f"{rng.randint(200, 999)}-{rng.randint(200, 999)}-{rng.randint(1000, 9999)}" for _ in range(200)]
    assert sum(map(looks_personal, canaries)) / len(canaries) >= 0.99

    clean = [str(uuid.UUID(int=rng.getrandbits(128))) for _ in range(3000)]
    clean += [f"q-{n}" for n in range(3000)] + [str(rng.randint(1, 10**8)) for _ in range(3000)]
    clean += [str(1_600_000_000_000 + rng.randint(0, 10**11)) for _ in range(3000)]  # epoch ms: card ids of Anki
    clean += [f"usmle.{''.join(rng.choices(string.ascii_lowercase, k=8))}.{n}" for n in range(2000)]
    clean += [f"{rng.getrandbits(160):040x}" for _ in range(2000)] + [f"{n:010d}" for n in range(2000)]
    clean += ["".join(rng.choices(string.ascii_letters + string.digits + "-_", k=11)) for _ in range(3000)]
    wrong = [text for text in clean if looks_personal(text)]
    assert len(wrong) / len(clean) <= 0.005, wrong[:20]


def _card(rng: random.Random) -> str:
    digits = [4, *(rng.randint(0, 9) for _ in range(14))]
    total = sum(d if n % 2 else sum(divmod(2 * d, 10)) for n, d in enumerate(digits))
    return "".join(map(str, digits)) + str(-total % 10)


def test_time_is_linear_in_the_length():
    for text in ("1" * 4000, "1." * 2000, "a-" * 2000, "00:" * 1300, "A" * 4000):
        began = time.thread_time()
        looks_personal(text + "!")
        assert time.thread_time() - began < 0.05
