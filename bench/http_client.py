"""A client that costs next to nothing: one raw socket kept alive, requests as prepared bytes, no parsing but length.

Beside a full HTTP library the server's own time would be the smaller part of what is measured.
"""

from __future__ import annotations

import json
import socket
import time
from typing import Any, Self

PORTION = 262_144


class Refused(RuntimeError):
    """An answer of another status than was expected; `status` says which."""

    def __init__(self, status: int, answer: bytes) -> None:
        super().__init__(answer.decode(errors="replace"))
        self.status = status


class Wire:
    """One connection. Requests are made once by `request` and sent many times."""

    def __init__(self, port: int) -> None:
        self.last = b""
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def ask(self, prepared: bytes, expected: int = 200) -> bytes:
        """The body of the answer. Errors: Refused with the answer when the status is another."""
        self._socket.sendall(prepared)
        return self._answer(expected)

    def timed(self, prepared: bytes) -> float:
        """Seconds from the first byte sent to the last byte read; the answer is kept in `last`."""
        began = time.perf_counter()
        self.last = self.ask(prepared)
        return time.perf_counter() - began

    def _answer(self, expected: int) -> bytes:
        got = self._socket.recv(PORTION)
        while b"\r\n\r\n" not in got:
            got += self._more()
        head, _, body = got.partition(b"\r\n\r\n")
        length = _length(head)
        while len(body) < length:
            body += self._more()
        if int(head[9:12]) != expected:
            raise Refused(int(head[9:12]), head + b"\n\n" + body[:2000])
        return body

    def _more(self) -> bytes:
        got = self._socket.recv(PORTION)
        if not got:
            raise ConnectionError("the server hung up")
        return got


def _length(head: bytes) -> int:
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line[15:])
    return 0


def request(method: str, path: str, token: str, body: Any = None) -> bytes:
    """The bytes of a request; `body` is sent as JSON."""
    content = b"" if body is None else json.dumps(body, separators=(",", ":")).encode()
    head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n"
    if body is not None:
        head += f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n"
    return f"{head}\r\n".encode() + content
