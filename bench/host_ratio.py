"""Is the 95th percentile of a tracked host within 1.05 of an untracked one, whatever Osler does? Yes, no, or not told.

Untracked hosts and tracked ones run in processes of their own and take requests in turns, a few at a time, in an order
that is drawn anew; a ratio is taken of a few hundred requests each, so that what else the machine does falls on both
sides alike. The answer is the median of these ratios with its 95 % interval, which follows from their ranks alone. One
untracked host is measured against another beside it: where even these two cannot be told to be equal, nothing is.
"""

from __future__ import annotations

import json
import math
import random
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

import msgspec
from bench.faulty_osler import ANSWERS
from bench.tracked_host import AGENT, Wanted, compute, go_first

ROOT = Path(__file__).resolve().parents[1]
MOST_RATIO = 1.05
BARE, CONTROL, PLANTED = "untracked", "untracked again", "planted 1 ms"
NETWORK = [*ANSWERS, "drops packets", "refuses"]
FAULTS = [*NETWORK, "disk full", "queue full"]
PIECES = 8
HOLDS, BROKEN, UNTOLD = "holds", "broken", "cannot tell"


@dataclass(frozen=True)
class Estimate:
    """A median with its interval."""

    median: float
    least: float
    most: float

    @classmethod
    def of(cls, ratios: Sequence[float]) -> Estimate:
        """The median, and the ranks between which it lies with 95 % (binomial; no shape of the noise is assumed)."""
        ordered = sorted(ratios)
        n = len(ordered)
        rank = next((k for k in range(n // 2, 0, -1) if _tail(n, k) <= 0.025), 0)
        least, most = (ordered[rank - 1], ordered[n - rank]) if rank else (0.0, math.inf)
        return cls(statistics.median(ordered), least, most)


def _tail(n: int, k: int) -> float:
    """The chance that fewer than k of n lie below the median."""
    return sum(math.comb(n, i) for i in range(k)) / 2**n


def verdict(tracked: Estimate, control: Estimate) -> str:
    """`holds` or `broken` with 95 %; `cannot tell` where the interval spans the limit, or the control's is as wide."""
    if (
        not (control.least >= 1 / MOST_RATIO and control.most <= MOST_RATIO)
        and tracked.least <= MOST_RATIO * control.most
    ):
        return UNTOLD
    if tracked.least > MOST_RATIO:
        return BROKEN
    return HOLDS if tracked.most <= MOST_RATIO else UNTOLD


@dataclass
class Taken:
    """A block of requests: seconds of each, and processor seconds of the thread that serves them and of the process."""

    seconds: list[float] = field(default_factory=list[float])
    cpu: float = 0.0
    process: float = 0.0

    def add(self, took: dict[str, Any]) -> None:
        """One more piece."""
        self.seconds += took["seconds"]
        self.cpu += took["cpu"]
        self.process += took["process"]


@dataclass
class Measured:
    """Of each host, by name: its blocks, each with the untracked host's beside it, and what became of its events.

    `is_first` when the hosts could be given precedence over everything else that the machine does.
    """

    pairs: dict[str, list[tuple[Taken, Taken]]] = field(default_factory=dict[str, list[tuple[Taken, Taken]]])
    ended: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    is_first: bool = False

    def ratios(self, name: str) -> list[float]:
        """The p95 against the untracked host's, block by block."""
        return [p95(tracked.seconds) / p95(bare.seconds) for tracked, bare in self.pairs[name]]

    def ratio(self, name: str) -> Estimate:
        """Their median, with its interval."""
        return Estimate.of(self.ratios(name))

    def pooled(self, name: str) -> float:
        """The same over all requests at once: whatever stalled the machine is in it."""
        tracked, bare = ([*chain(*(taken.seconds for taken in side))] for side in zip(*self.pairs[name], strict=True))
        return p95(tracked) / p95(bare)

    def verdict(self, name: str) -> str:
        """What can be said of this host."""
        return verdict(self.ratio(name), self.ratio(CONTROL))

    def added_us(self, name: str) -> Estimate:
        """Microseconds of processor time that tracking adds to a request, on the thread that serves it.

        Steadier than any time of day: what else the machine does is not counted, only what it does to the caches.
        """
        pairs = self.pairs[name]
        return Estimate.of([(tracked.cpu - bare.cpu) / len(bare.seconds) * 1e6 for tracked, bare in pairs])

    def added_process_us(self, name: str) -> Estimate:
        """The same with tracking's own threads: disk, network, TLS."""
        pairs = self.pairs[name]
        return Estimate.of([(tracked.process - bare.process) / len(bare.seconds) * 1e6 for tracked, bare in pairs])

    def untracked_ms(self) -> float:
        """The untracked host's p95, for orientation."""
        return statistics.median(p95(bare.seconds) for pairs in self.pairs.values() for _, bare in pairs) * 1e3


def p95(seconds: Sequence[float]) -> float:
    """The 95th percentile."""
    return statistics.quantiles(seconds, n=20)[-1]


class Host:
    """A process that takes blocks of requests."""

    def __init__(self, wanted: Wanted) -> None:
        command = [sys.executable, "-m", "bench.tracked_host", msgspec.json.encode(wanted).decode()]
        self._process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def _line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline()

    def until_ready(self) -> bool:
        """Wait until it takes requests; whether it may run before others."""
        line = self._line()
        assert line, "a host did not start"
        return json.loads(line)["is_first"]

    def take(self, requests: int) -> dict[str, Any]:
        """Seconds of each, and processor seconds of all."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{requests}\n")
        self._process.stdin.flush()
        return json.loads(self._line())

    def end(self) -> dict[str, Any]:
        """Let it close; what became of its events."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        return json.loads(self._line() or "{}")

    def close(self) -> None:
        """Gone, whatever it does."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        self._process.kill()
        self._process.wait(10)


class ServedHost(Host):
    """The same behind a web server: requests go over one connection, and are timed as a client sees them."""

    REQUEST = b"GET /works/7 HTTP/1.1\r\nHost: quiz.example\r\nUser-Agent: %b\r\n\r\n" % AGENT

    def __init__(self, wanted: Wanted) -> None:
        super().__init__(wanted)
        self._connection: socket.socket | None = None

    def until_ready(self) -> bool:
        """Wait until it takes requests; this process, which asks, goes first as well."""
        is_first = super().until_ready()
        port = json.loads(self._line())["port"]
        for _ in range(200):
            try:
                self._connection = socket.create_connection(("127.0.0.1", port), 5)
            except ConnectionRefusedError:
                time.sleep(0.05)
                continue
            self._connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return go_first() and is_first
        raise AssertionError("a host did not answer")

    def take(self, requests: int) -> dict[str, Any]:
        """Seconds of each, and processor seconds of all."""
        before = super().take(0)
        seconds = [self._ask() for _ in range(requests)]
        after = super().take(0)
        return {"seconds": seconds, **{name: after[name] - before[name] for name in ("cpu", "process")}}

    def _ask(self) -> float:
        assert self._connection is not None
        began = time.perf_counter()
        self._connection.sendall(self.REQUEST)
        got = b""
        while not got.endswith(b'{"number":"7"}'):
            part = self._connection.recv(4096)
            assert part, "a host hung up"
            got += part
        assert got.startswith(b"HTTP/1.1 200 ")
        return time.perf_counter() - began

    def close(self) -> None:
        """Gone, whatever it does."""
        if self._connection is not None:
            self._connection.close()
        super().close()


def turns_for(milliseconds: float) -> int:
    """How much to compute for so long, on this machine at rest."""
    best = math.inf
    for _ in range(20):
        began = time.perf_counter()
        compute(10_000)
        best = min(best, time.perf_counter() - began)
    return round(10_000 * milliseconds / 1000 / best)


@contextmanager
def oslers() -> Iterator[Mapping[str, int]]:
    """Ports of an Osler for each behaviour."""
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.faulty_osler"], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield {**json.loads(process.stdout.readline()), "refuses": 9}
    finally:
        process.stdin.close()
        process.stdout.close()
        process.kill()
        process.wait(10)


def _wanted(name: str, work: Wanted, ports: Mapping[str, int], folder: Path) -> Wanted:
    if name in (BARE, CONTROL):
        return work
    port = ports[name if name in NETWORK else "up" if name == PLANTED else "hangs after accept"]
    return msgspec.structs.replace(
        work, spool=str(folder / name), url=f"http://127.0.0.1:{port}", disk_full=name == "disk full",
        queue_full=name == "queue full", planted_ms=1.0 if name == PLANTED else 0.0,
    )  # fmt: skip


def measure(
    work: Wanted,
    names: Sequence[str],
    *,
    requests: int,
    rounds: int,
    most_rounds: int,
    until_told: Sequence[str] | None = None,
    seed: int = 1,
) -> Measured:
    """Rounds of one block for each host, until what can be said of all (or of `until_told`) is, or there are enough."""
    chance = random.Random(seed)
    with ExitStack() as stack:
        ports = stack.enter_context(oslers())
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        hosts: dict[str, Host] = {}
        for name in [BARE, CONTROL, *names]:
            hosts[name] = (ServedHost if work.served else Host)(_wanted(name, work, ports, folder))
            stack.callback(hosts[name].close)
        are_first = [host.until_ready() for host in hosts.values()]
        measured = Measured({name: [] for name in [CONTROL, *names]}, is_first=all(are_first))
        for host in hosts.values():
            host.take(requests)
        for done in range(1, most_rounds + 1):
            for name in chance.sample(list(measured.pairs), len(measured.pairs)):
                measured.pairs[name].append(_block(hosts[name], hosts[BARE], requests, chance))
            if done >= rounds and all(measured.verdict(name) != UNTOLD for name in until_told or names):
                break
        measured.ended = {name: hosts[name].end() for name in names}
    return measured


def _block(tracked: Host, bare: Host, requests: int, chance: random.Random) -> tuple[Taken, Taken]:
    """Both hosts' requests, piece by piece in turns: what slows the machine for longer than a piece slows both."""
    taken = Taken(), Taken()
    for _ in range(PIECES):
        for n in chance.sample((0, 1), 2):
            taken[n].add((tracked, bare)[n].take(requests // PIECES))
    return taken
