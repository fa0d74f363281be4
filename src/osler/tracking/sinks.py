"""Where batches go: to a remote Osler over HTTP, or to one in the same process. One answer, whatever the way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import msgspec

from osler import clock

if TYPE_CHECKING:
    import httpx


class Verdict(msgspec.Struct):
    """What Osler said of one event."""

    index: int
    status: str
    code: str | None = None
    retry_after_seconds: float | None = None


class _Answer(msgspec.Struct):
    results: list[Verdict]


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer to one batch: an HTTP status (0 when there was none), the verdicts, how long to wait if it says."""

    status: int
    verdicts: Mapping[int, Verdict] = field(default_factory=dict[int, Verdict])
    retry_after_seconds: float | None = None


class Sink(Protocol):
    """Sends one batch and waits for its answer. Called from the sender's thread; must not raise."""

    def send(self, body: bytes) -> Reply:
        """Send the envelope. A reply of status 0 means that nobody answered."""
        ...

    def close(self) -> None:
        """Let go of connections."""
        ...


def parse_reply(status: int, body: bytes, retry_after: str | None = None) -> Reply:
    """A reply out of what came back: HTML, cut JSON and missing results leave their events without a verdict."""
    wait = float(retry_after) if retry_after and retry_after.isdigit() else None
    if status != 200:
        return Reply(status, retry_after_seconds=wait)
    try:
        answer = msgspec.json.decode(body, type=_Answer)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return Reply(status, retry_after_seconds=wait)
    return Reply(status, {verdict.index: verdict for verdict in answer.results}, wait)


class HttpSink:
    """A remote Osler. One connection, a hard limit on connecting and on the whole exchange."""

    MOST_ANSWER_BYTES = 4 * 1024 * 1024

    def __init__(self, url: str, token: str, *, connect_seconds: float, total_seconds: float) -> None:
        self.url = url.rstrip("/") + "/api/events/batch"
        self._token = token
        self._connect_seconds = connect_seconds
        self._total_seconds = total_seconds
        self._client: httpx.Client | None = None

    def send(self, body: bytes) -> Reply:
        """Send the envelope; whatever goes wrong on the way is a reply of status 0."""
        import httpx  # noqa: PLC0415  (a tenth of a second that a host's start-up does not have to pay)

        if self._client is None:
            timeout = httpx.Timeout(self._total_seconds, connect=self._connect_seconds)
            self._client = httpx.Client(timeout=timeout, follow_redirects=False)
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        try:
            return self._exchange(self._client, body, headers)
        except (httpx.HTTPError, OSError, TimeoutError):
            return Reply(0)

    def _exchange(self, client: httpx.Client, body: bytes, headers: dict[str, str]) -> Reply:
        # A read time-out counts from byte to byte; a server that drips one a second would hold us for ever.
        end = clock.monotonic_seconds() + self._total_seconds
        parts: list[bytes] = []
        size = 0
        with client.stream("POST", self.url, content=body, headers=headers) as response:
            for part in response.iter_bytes():
                parts.append(part)
                size += len(part)
                if clock.monotonic_seconds() > end or size > self.MOST_ANSWER_BYTES:
                    raise TimeoutError
            return parse_reply(response.status_code, b"".join(parts), response.headers.get("Retry-After"))

    def close(self) -> None:
        """Close the connection."""
        if self._client is not None:
            self._client.close()
