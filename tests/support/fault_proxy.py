"""Between a client and PostgreSQL: passes bytes on, and cuts the connection right after the server has committed."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit, urlunsplit

READY_FOR_QUERY = b"Z"


@dataclass
class FaultProxy:
    """A socket folder that leads to the server of `url`.

    `armed` holds byte strings: a connection whose client sends one of them is cut when the server is ready for another
    statement. It says so after the commit, and nothing of its answer is passed on. `cuts` counts.
    """

    url: str
    folder: Path
    armed: set[bytes] = field(default_factory=set)
    cuts: int = 0
    _server: asyncio.Server | None = None
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    @property
    def through(self) -> str:
        """The same URL, through the proxy."""
        parts = urlsplit(self.url)
        secret = parts.netloc.rpartition("@")[0]
        return urlunsplit(parts._replace(netloc=f"{secret}@", query=f"host={quote(str(self.folder), safe='')}"))

    async def __aenter__(self) -> FaultProxy:
        self.folder.mkdir(mode=0o700, exist_ok=True)
        self._server = await asyncio.start_unix_server(self._meet, self.folder / ".s.PGSQL.5432")
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()

    async def _upstream(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        parts = urlsplit(self.url)
        [folder] = parse_qs(parts.query).get("host", [None])
        port = parts.port or int((parse_qs(parts.query).get("port") or ["5432"])[0])
        if folder is None:
            return await asyncio.open_connection(parts.hostname or "127.0.0.1", port)
        return await asyncio.open_unix_connection(f"{folder}/.s.PGSQL.{port}")

    async def _meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server_reader, server_writer = await self._upstream()
        pair = _Pair(self, writer, server_writer)
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            await asyncio.gather(pair.from_client(reader), pair.from_server(server_reader))
        finally:
            self._tasks.discard(task)
            pair.close()


@dataclass
class _Pair:
    """One client's connection and the proxy's own to the server."""

    proxy: FaultProxy
    client: asyncio.StreamWriter
    server: asyncio.StreamWriter
    is_armed: bool = False
    held: bytes = b""

    async def from_client(self, reader: asyncio.StreamReader) -> None:
        seen = b""
        with contextlib.suppress(OSError):
            while chunk := await reader.read(65_536):
                seen = (seen + chunk)[-131_072:]
                for text in [text for text in self.proxy.armed if text in seen]:
                    self.proxy.armed.discard(text)
                    self.is_armed = True
                self.server.write(chunk)
                await self.server.drain()
        self.close()

    async def from_server(self, reader: asyncio.StreamReader) -> None:
        with contextlib.suppress(OSError):
            while chunk := await reader.read(65_536):
                if not self.is_armed:
                    self.client.write(chunk)
                    await self.client.drain()
                    continue
                self.held += chunk
                if READY_FOR_QUERY in _kinds(self.held):
                    self.proxy.cuts += 1
                    break
        self.close()

    def close(self) -> None:
        for writer in (self.client, self.server):
            writer.close()


def _kinds(stream: bytes) -> set[bytes]:
    """The kinds of the whole messages at the beginning of what a server sent."""
    found: set[bytes] = set()
    while len(stream) >= 5:
        length = int.from_bytes(stream[1:5], "big") + 1
        if length > len(stream):
            break
        found.add(stream[:1])
        stream = stream[length:]
    return found
