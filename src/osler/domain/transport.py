"""Which connections may leave this machine unprotected? None in production: TLS 1.3 with the other side's name checked.

Only addresses are read here. What is said of one never repeats it: it may hold a password.
"""

from __future__ import annotations

import ssl
from ipaddress import ip_address
from typing import Any
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

NEWEST_POSTGRES = "TLSv1.3"
_SOCKETS = {"unix", "redis+socket"}
_CHECKED = {None, "required", "CERT_REQUIRED"}


def is_loopback(host: str) -> bool:
    """Whether a host's name or address is this machine's own, and cannot be made another by a name server."""
    if host.lower() == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def web_problem(url: str) -> str | None:
    """What is wrong with an address on the web: https is needed, but on this machine."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return "is no address"
    if parts.scheme == "https" and host:
        return None
    if parts.scheme == "http" and is_loopback(host):
        return None
    return "has to begin with https://, or to be on this machine"


def postgres_problem(url: str) -> str | None:
    """What is wrong with how a PostgreSQL is reached: `verify-full` and TLS 1.3, but through a socket or loopback."""
    try:
        parts = urlsplit(url)
        options, hosts = _options(parts), _postgres_hosts(parts)
    except ValueError:
        return "is no address"
    if all(host.startswith("/") or is_loopback(host) for host in hosts):
        return None
    if options.get("sslmode") != "verify-full":
        return "needs sslmode=verify-full, so that nobody between can read or answer"
    if options.get("ssl_min_protocol_version", NEWEST_POSTGRES) != NEWEST_POSTGRES:
        return "has to leave ssl_min_protocol_version out: TLS 1.3 is the least"
    return None


def redis_problem(url: str) -> str | None:
    """What is wrong with how a Redis (or a broker) is reached: TLS with its name checked, but through a socket."""
    try:
        parts = urlsplit(url)
        options = _options(parts)
        host = parts.hostname or ""
    except ValueError:
        return "is no address"
    if parts.scheme in _SOCKETS or is_loopback(host):
        return None
    if parts.scheme != "rediss":
        return "has to begin with rediss://, or to be on this machine"
    if options.get("ssl_cert_reqs") not in _CHECKED or options.get("ssl_check_hostname", "true").lower() != "true":
        return "must not switch the check of the certificate off"
    return None


def postgres_with_newest_tls(url: str) -> str:
    """The URL with TLS 1.3 as the least where it asks for a checked connection and names no other least."""
    parts = urlsplit(url)
    options = _options(parts)
    if options.get("sslmode") != "verify-full" or "ssl_min_protocol_version" in options:
        return url
    return parts._replace(query=f"{parts.query}&ssl_min_protocol_version={NEWEST_POSTGRES}").geturl()


def redis_options(url: str) -> dict[str, Any]:
    """What a client of redis-py is told beside the URL: TLS 1.3 as the least, where it is TLS."""
    return {"ssl_min_version": ssl.TLSVersion.TLSv1_3} if url.startswith("rediss://") else {}


def _options(parts: SplitResult) -> dict[str, str]:
    """Of an option that is named twice the last counts, as for the drivers."""
    return {name: values[-1] for name, values in parse_qs(parts.query).items()}


def _postgres_hosts(parts: SplitResult) -> list[str]:
    """Every host that may be tried; none named is the server's socket."""
    named = [_without_port(part) for part in parts.netloc.rpartition("@")[2].split(",")]
    asked = _options(parts)
    given = [*named, *asked.get("host", "").split(","), *asked.get("hostaddr", "").split(",")]
    return [unquote(host) for host in given if host]


def _without_port(place: str) -> str:
    return place[1:].partition("]")[0] if place.startswith("[") else place.partition(":")[0]
