"""Addresses and user agents in shapes that name nobody; pure. Needed by tracking, ingestion and privacy alike."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import re
from typing import get_args

from osler.domain.event_fields import Client

SHORT_HASH = 16
"""Hexadecimal characters of an anonymised address, as in the brief."""

IPV6_PREFIX = 64

# Order decides: the first that is found names the system or the browser.
_SYSTEMS = (
    ("iOS", re.compile(r"\b(?:iPhone|iPad|iPod)\b")),
    ("Android", re.compile(r"\bAndroid\b")),
    ("ChromeOS", re.compile(r"\bCrOS\b")),
    ("Windows", re.compile(r"\bWindows\b")),
    ("macOS", re.compile(r"\bMac OS X\b|\bMacintosh\b")),
    ("Linux", re.compile(r"\bLinux\b|\bX11\b")),
)
_BROWSERS = (
    ("Samsung", re.compile(r"\bSamsungBrowser/")),
    ("Edge", re.compile(r"\bEdg(?:e|A|iOS)?/")),
    ("Opera", re.compile(r"\bOPR/|\bOpera\b")),
    ("Firefox", re.compile(r"\bFirefox/|\bFxiOS/")),
    ("Chrome", re.compile(r"\bChrom(?:e|ium)/|\bCriOS/")),
    ("Safari", re.compile(r"\bSafari/")),
)
OTHER_AGENT = "Other"
USER_AGENTS: frozenset[str] = frozenset(get_args(Client))
"""Every value that `sanitize_user_agent` can give: what an `api_request` event takes."""
MAX_AGENT_CHARACTERS = 512


def anonymize_ip(ip: str, salt: str) -> str:
    """The first 16 hex characters of SHA-256 over `ip:salt`: the brief's own form, kept to the letter.

    With a known salt it can be undone for all of IPv4 in hours, so nothing is stored in this form: `keyed_address` is.

    Source: the brief, "Data Anonymization"; golden cases in tests/domain/test_privacy.py.

    >>> anonymize_ip("192.0.2.1", "salt")
    '2c90d87baa88ab16'
    """
    return hashlib.sha256(f"{ip}:{salt}".encode()).hexdigest()[:SHORT_HASH]


def keyed_address(ip: str, key: bytes) -> str:
    """The stored form of an address: 16 hex characters of HMAC-SHA256 under the key of the month.

    IPv4 inside IPv6 is unwrapped, IPv6 cut to /64 (what one subscriber holds). Errors: ValueError for no address.
    """
    return hmac.digest(key, plain_address(ip).encode(), hashlib.sha256).hex()[:SHORT_HASH]


def plain_address(ip: str) -> str:
    """The one spelling of an address that is hashed. Errors: ValueError for no address."""
    parsed = ipaddress.ip_address(ip.partition("%")[0])
    if isinstance(parsed, ipaddress.IPv4Address):
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.IPv6Network((int(parsed), IPV6_PREFIX), strict=False))


def sanitize_user_agent(ua: str) -> str:
    """System and browser from the closed list `event_fields.Client`, such as "macOS Safari"; anything else is "Other".

    Nothing of the string itself is passed on: an address written into it cannot survive.

    >>> sanitize_user_agent("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605 Safari/605")
    'macOS Safari'
    """
    text = ua[:MAX_AGENT_CHARACTERS]
    system = next((name for name, pattern in _SYSTEMS if pattern.search(text)), None)
    browser = next((name for name, pattern in _BROWSERS if pattern.search(text)), None)
    named = f"{system} {browser}"
    return named if named in USER_AGENTS else OTHER_AGENT
