"""An Osler that is up, slow, hangs, drips, fails or drops packets, each on a port of its own, in a process of its own.

`python -m bench.faulty_osler` prints the ports as one JSON object and serves until its standard input is closed. In the
host's process its work would be counted as the host's.
"""

from __future__ import annotations

import asyncio
import json
import socket
import sys
from collections.abc import Awaitable, Callable

SLOW_SECONDS = 2.0
DRIP_SECONDS = 1.0

Answer = Callable[[bytes, asyncio.StreamWriter], Awaitable[None]]


async def take(body: bytes, writer: asyncio.StreamWriter) -> None:
    """Accept every event."""
    events = json.loads(body)["events"]
    results = [{"index": n, "id": event["id"], "status": "accepted"} for n, event in enumerate(events)]
    _say(writer, 200, json.dumps({"results": results}).encode())


async def take_slowly(body: bytes, writer: asyncio.StreamWriter) -> None:
    """Accept every event, two seconds later."""
    await asyncio.sleep(SLOW_SECONDS)
    await take(body, writer)


async def fail(_: bytes, writer: asyncio.StreamWriter) -> None:
    """Say 500."""
    _say(writer, 500, b"{}")


async def hang(_: bytes, _writer: asyncio.StreamWriter) -> None:
    """Say nothing."""
    await asyncio.sleep(3600)


async def drip(_: bytes, writer: asyncio.StreamWriter) -> None:
    """One byte a second."""
    for byte in b"HTTP/1.1 200 OK\r\nX-Slow: " + b"z" * 600:
        writer.write(bytes([byte]))
        await writer.drain()
        await asyncio.sleep(DRIP_SECONDS)


ANSWERS: dict[str, Answer] = {
    "up": take,
    "answers after 2 s": take_slowly,
    "says 500": fail,
    "hangs after accept": hang,
    "one byte a second": drip,
}


def _say(writer: asyncio.StreamWriter, status: int, body: bytes) -> None:
    writer.write(b"HTTP/1.1 %d X\r\nContent-Length: %d\r\n\r\n" % (status, len(body)) + body)


def _served(answer: Answer) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).lower()
                length = int(head.partition(b"content-length:")[2].split(b"\r\n")[0])
                await answer(await reader.readexactly(length), writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    return serve


def _port(server: asyncio.Server) -> int:
    return server.sockets[0].getsockname()[1]


def deaf() -> tuple[socket.socket, list[socket.socket]]:
    """A listener whose queue is full: the kernel drops whatever else asks for a connection."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(0)
    waiting: list[socket.socket] = []
    for _ in range(4):
        one = socket.socket()
        one.setblocking(False)
        one.connect_ex(listener.getsockname())
        waiting.append(one)
    return listener, waiting


async def main() -> None:
    """Serve until nobody reads our output any more."""
    servers = {name: await asyncio.start_server(_served(a), "127.0.0.1", 0) for name, a in ANSWERS.items()}
    listener, waiting = deaf()
    ports = {name: _port(server) for name, server in servers.items()}
    ports["drops packets"] = listener.getsockname()[1]
    print(json.dumps(ports), flush=True)
    await asyncio.to_thread(sys.stdin.read)
    del listener, waiting


if __name__ == "__main__":
    asyncio.run(main())
