"""Kept answers: seen again, never old, never somebody else's; the same in process and in Redis."""

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Coroutine
from typing import Any, TypeVar

import pytest
import redis
from tests.support.redis_server import RedisServer

from osler.http.cache.breaker import FAILURES_TO_OPEN, OPEN_SECONDS, Breaker
from osler.http.cache.entry import MAX_VALUE_BYTES, SCHEMA, Cache, Entry, Key, etag_of, seal, unseal
from osler.http.cache.memory import MemoryCache
from osler.http.cache.redis import RedisCache

SECRET = b"k" * 32
T = TypeVar("T")


def entry(key: Key, generation: str, body: bytes = b'{"x":1}') -> Entry:
    return Entry(key, generation, body, etag_of(body))


@pytest.fixture(params=["memory", "redis"])
async def cache(request: pytest.FixtureRequest) -> AsyncIterator[Cache]:
    if request.param == "memory":
        yield MemoryCache(ttl_seconds=300, max_bytes=1_000_000)
        return
    server: RedisServer = request.getfixturevalue("redis_server")
    shared = RedisCache(server.url, SECRET, ttl_seconds=300, timeout_seconds=0.5)
    yield shared
    await shared.close()


@pytest.fixture
async def shared(redis_server: RedisServer) -> AsyncIterator[RedisCache]:
    opened = RedisCache(redis_server.url, SECRET, ttl_seconds=300, timeout_seconds=1.0)  # a busy machine's
    yield opened
    await opened.close()


async def test_what_is_kept_is_found_again_for_its_learner_name_and_variant_alone(cache: Cache) -> None:
    key = Key(uuid.uuid4(), "mastery", "days=30")
    generation, found = await cache.get(key)
    assert found is None
    assert generation is not None
    await cache.put(entry(key, generation))
    assert (await cache.get(key))[1] == entry(key, generation)
    for other in (
        Key(uuid.uuid4(), "mastery", "days=30"),
        Key(key.subject, "gaps", "days=30"),
        Key(key.subject, "mastery"),
    ):
        assert (await cache.get(other))[1] is None


async def test_a_new_answer_is_seen_at_once(cache: Cache) -> None:
    key = Key(uuid.uuid4(), "mastery")
    generation, _ = await cache.get(key)
    assert generation is not None
    await cache.put(entry(key, generation))
    await cache.bump(key.subject)
    renewed, found = await cache.get(key)
    assert found is None
    assert renewed != generation
    # a computation that began before the change and ends after it leaves nothing that is believed
    await cache.put(entry(key, generation, b"old"))
    assert (await cache.get(key))[1] is None


async def test_everybody_can_be_renewed(cache: Cache) -> None:
    keys = [Key(uuid.uuid4(), "mastery") for _ in range(3)]
    for key in keys:
        await cache.bump(key.subject)
        generation, _ = await cache.get(key)
        assert generation is not None
        await cache.put(entry(key, generation))
    await cache.bump_all()
    assert [found for key in keys for found in [(await cache.get(key))[1]]] == [None] * 3


def test_a_sealed_value_opens_only_whole_and_under_its_own_key() -> None:
    key = Key(uuid.uuid4(), "mastery", "v")
    sealed = seal(entry(key, "g"), SECRET)
    assert unseal(sealed, key, SECRET) == entry(key, "g")
    assert unseal(sealed, Key(uuid.uuid4(), "mastery", "v"), SECRET) is None
    assert unseal(sealed, Key(key.subject, "gaps", "v"), SECRET) is None
    assert unseal(sealed, key, b"z" * 32) is None
    for place in range(0, len(sealed), 7):
        assert unseal(sealed[:place] + b"#" + sealed[place + 1 :], key, SECRET) is None


async def test_memory_is_bounded_in_bytes() -> None:
    cache = MemoryCache(ttl_seconds=300, max_bytes=50_000)
    keys = [Key(uuid.uuid4(), "mastery") for _ in range(100)]
    for key in keys:
        await cache.put(entry(key, "0.0", b"x" * 1000))
    kept = sum([(await cache.get(key))[1] is not None for key in keys])
    assert 20 <= kept <= 50
    await cache.put(entry(keys[0], "0.0", b"x" * 60_000))


async def test_a_deaf_process_keeps_and_serves_nothing() -> None:
    cache = MemoryCache(ttl_seconds=300, max_bytes=50_000)
    key = Key(uuid.uuid4(), "mastery")
    await cache.put(entry(key, "0.0"))
    cache.is_hearing = False
    assert await cache.get(key) == (None, None)


def test_the_breaker_opens_after_five_failures_and_lets_one_try_through() -> None:
    breaker = Breaker()
    for _ in range(FAILURES_TO_OPEN):
        assert breaker.allows(0.0)
        breaker.failed(0.0)
    assert not breaker.allows(OPEN_SECONDS - 0.1)
    assert breaker.allows(OPEN_SECONDS + 0.1)
    assert not breaker.allows(OPEN_SECONDS + 0.2)
    breaker.succeeded()
    assert breaker.allows(OPEN_SECONDS + 0.3)


def at_once(work: Coroutine[Any, Any, T]) -> T:
    """The result of what waits for nothing and nobody; fails where it waits."""
    with pytest.raises(StopIteration) as ended:
        work.send(None)
    return ended.value.value


async def _misses(cache: Cache, key: Key) -> None:
    assert await cache.get(key) == (None, None)


async def _seconds(work: Awaitable[None]) -> float:
    began = time.monotonic()
    await work
    return time.monotonic() - began


async def test_f10_a_hung_redis_costs_a_tenth_of_a_second_five_times(redis_server: RedisServer) -> None:
    key = Key(uuid.uuid4(), "mastery")
    hurried = RedisCache(redis_server.url, SECRET, ttl_seconds=300, timeout_seconds=0.1)
    await hurried.get(key)
    redis_server.hang()
    took: list[float] = []
    for _ in range(FAILURES_TO_OPEN):
        alarm = asyncio.create_task(_seconds(asyncio.sleep(0.1)))
        took.append(await _seconds(_misses(hurried, key)) - (await alarm - 0.1))  # as late as anybody is woken here
    assert max(took) < 0.25
    for _ in range(5):
        assert at_once(hurried.get(key)) == (None, None)
    redis_server.go_on()
    async with asyncio.timeout(30):
        while (await hurried.get(key))[0] is None:
            await asyncio.sleep(0.1)
    await hurried.close()


async def test_a_change_that_redis_missed_is_made_good_before_redis_is_believed(
    redis_server: RedisServer, shared: RedisCache
) -> None:
    key = Key(uuid.uuid4(), "mastery")
    generation, _ = await shared.get(key)
    assert generation is not None
    await shared.put(entry(key, generation))
    redis_server.hang()
    await shared.bump(key.subject)
    assert await shared.get(key) == (None, None)
    redis_server.go_on()
    await asyncio.sleep(OPEN_SECONDS + 0.1)
    await shared.bump(uuid.uuid4())
    assert (await shared.get(key))[1] is None, "the old answer must not come back with Redis"


def fill(client: redis.Redis) -> None:
    """Until it takes no more."""
    for n in range(10_000):
        try:
            client.set(f"filler-{n}", b"x" * 10_000)
        except redis.OutOfMemoryError:
            return
    pytest.fail("Redis was never full")


async def test_f13_a_full_redis_is_passed_by(redis_server: RedisServer, shared: RedisCache) -> None:
    with redis_server.client() as client:
        client.config_set("maxmemory", "1mb")
        client.config_set("maxmemory-policy", "noeviction")
        fill(client)
    key = Key(uuid.uuid4(), "mastery")
    generation, _ = await shared.get(key)
    assert generation is not None
    await shared.put(entry(key, generation))
    assert (await shared.get(key))[1] is None
    await shared.bump(key.subject)
    assert await shared.get(key) == (None, None)


async def test_f11_a_poisoned_value_is_a_miss_and_deleted(redis_server: RedisServer, shared: RedisCache) -> None:
    key, other = Key(uuid.uuid4(), "mastery"), Key(uuid.uuid4(), "mastery")
    generation, _ = await shared.get(key)
    assert generation is not None
    good = seal(entry(key, generation), SECRET)
    poisons: dict[str, bytes] = {
        "random bytes": bytes(range(256)) * 4,
        "a pickle": b"\x80\x04\x8c\x05posix\x94\x8c\x06system\x94\x93\x94\x8c\x02id\x94\x85\x94R\x94.",
        "another learner's value": seal(entry(other, generation, b'{"secret":1}'), SECRET),
        "another analytic's value": seal(entry(Key(key.subject, "gaps"), generation), SECRET),
        "an older schema": good.replace(f'"schema":{SCHEMA}'.encode(), f'"schema":{SCHEMA - 1}'.encode()),
        "a value under another key": seal(entry(key, generation), b"z" * 32),
        "JSON of another shape": b'{"v": ["x"], "subject": 1}',
        "deep JSON": b"[" * 100_000,
        "50 MB": b"x" * 50_000_000,
        "just too long": b"x" * (MAX_VALUE_BYTES + 10),
    }
    with redis_server.client() as client:
        for name, poison in poisons.items():
            client.set(key.text(), poison)
            seen, found = await shared.get(key)
            assert (seen, found) == (generation, None), name
            assert client.exists(key.text()) == 0, name
        client.rpush(key.text(), "a list")
        assert await shared.get(key) == (generation, None)
        assert client.exists(key.text()) == 0
        client.set(key.text(), good)
    assert (await shared.get(key))[1] is not None, "the good value must still open"
