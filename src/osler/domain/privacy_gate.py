"""Does an id look like a person's? Addresses, numbers, tokens and cards that slipped into a field meant for ids.

The ids that reach this have 1 to 64 letters, digits, `_.:-` already: an e-mail address as such, a URL or a phone
number with a plus cannot get here. Every pattern is linear in the length of its text.
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
import re
from functools import lru_cache

LONGEST = 4096

_EDGE, _END = r"(?<![A-Za-z0-9])", r"(?![A-Za-z0-9])"
_PATTERNS = (
    rf"{_EDGE}(?:\d{{1,3}}\.){{3}}\d{{1,3}}{_END}",  # IPv4
    rf"{_EDGE}(?:[0-9A-Fa-f]{{2}}[:-]){{5}}[0-9A-Fa-f]{{2}}{_END}",  # MAC
    rf"{_EDGE}[0-9A-Fa-f]{{4}}\.[0-9A-Fa-f]{{4}}\.[0-9A-Fa-f]{{4}}{_END}",  # MAC, as routers write it
    rf"{_EDGE}\d{{3}}[-.]\d{{2}}[-.]\d{{4}}{_END}",  # US social security number
    rf"{_EDGE}[A-CEGHJ-PR-TW-Z]{{2}}\d{{6}}[A-D]{_END}",  # UK national insurance number
    rf"{_EDGE}(?:1[-.])?\d{{3}}[-.]\d{{3}}[-.]\d{{4}}{_END}",  # phone or health number in groups
    r"^0(?!00)\d{9,14}$",  # phone with a national or international prefix; padded counters have more zeros
    r"^0\d{1,4}[-.]\d{2,5}[-.]\d{3,8}(?:[-.]\d{2,6})?$|^0\d{2,4}[-.]\d{5,8}$",  # phone in groups
    r"(?i:^(?:tel|phone|mobile|fax|mailto|email|mail|ssn|ip|mac)[:._-]+(?=[^\n]*\d)[0-9a-f.:-]{6,}$)",
    r"(?i:[a-z0-9][._-]at[._-][a-z0-9-]+[._-](?:com|org|net|edu|gov|de|uk|in|fr|it|es|io|info)$)",  # spelled-out e-mail
    r"(?i:^(?:www\.|https?:|ftp:|mailto:))",
    r"^eyJ[A-Za-z0-9_-]{8,}",  # JSON web token, also cut
    r"^(?:sk|pk|rk)[-_](?:live|test|proj)?[-_]?[A-Za-z0-9]{16,}",
    r"^(?:gh[pousr]_|github_pat_|glpat-|xox[abprs]-|AKIA|ASIA|AIza|ya29\.)[A-Za-z0-9_-]{10,}",
)
_PERSONAL = re.compile("|".join(f"(?:{each})" for each in _PATTERNS), re.ASCII)
_CARD = re.compile(rf"{_EDGE}[2-6]\d{{3}}[-._: ]?\d{{4,6}}[-._: ]?\d{{4,5}}(?:[-._: ]?\d{{1,7}})?{_END}", re.ASCII)
_EMAIL = re.compile(rb"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}\.[A-Za-z]")
_MIXED = re.compile(r"(?=.*[a-z])(?=.*[A-Z])[A-Za-z0-9_-]{10,}", re.ASCII)


@lru_cache(maxsize=100_000)
def looks_personal(text: str) -> bool:
    """Whether a text looks like an address, a number of a person, a token or a payment card.

    >>> looks_personal("q-4711"), looks_personal("192.168.0.12"), looks_personal("4111-1111-1111-1111")
    (False, True, True)
    """
    text = text[:LONGEST]
    return (
        _PERSONAL.search(text) is not None
        or _is_card(text)
        or (text.count(":") >= 2 and _is_ipv6(text))
        or (_MIXED.fullmatch(text) is not None and _hides_email(text))
    )


def _is_card(text: str) -> bool:
    match = _CARD.search(text)
    if match is None:
        return False
    digits = [int(char) for char in match[0] if char.isdigit()]
    return 14 <= len(digits) <= 19 and _luhn(digits)


def _luhn(digits: list[int]) -> bool:
    """The check digit of payment cards (ISO/IEC 7812-1)."""
    doubled = [digit if place % 2 == 0 else sum(divmod(2 * digit, 10)) for place, digit in enumerate(reversed(digits))]
    return sum(doubled) % 10 == 0


def _is_ipv6(text: str) -> bool:
    try:
        ipaddress.IPv6Address(text)
    except ValueError:
        return False
    return True


def _hides_email(text: str) -> bool:
    """Whether a text is an e-mail address in base64, with either alphabet, padded or not."""
    try:
        decoded = base64.urlsafe_b64decode(text.rstrip("=") + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        return False
    return _EMAIL.search(decoded) is not None
