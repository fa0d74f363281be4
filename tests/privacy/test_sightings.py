"""Addresses apart from events: keyed by the month, thirty days, keys destroyed."""

import base64
import uuid
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from tests.support.web import Web

from osler import clock
from osler.privacy.sightings import Sightings, month_key


def test_keys_of_months_before_the_last_are_destroyed(tmp_path: Path) -> None:
    september = month_key(tmp_path, date(2026, 9, 3))
    october = month_key(tmp_path, date(2026, 10, 3))
    assert september != october
    assert month_key(tmp_path, date(2026, 10, 30)) == october
    month_key(tmp_path, date(2026, 11, 1))
    kept = sorted((tmp_path / "keys" / "addresses").iterdir())
    assert [path.name for path in kept] == ["2026-10", "2026-11"]
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in kept)


@pytest.mark.integration
async def test_a_verified_request_leaves_a_keyed_address_and_a_closed_agent(web: Web, admin) -> None:
    sightings = Sightings(web.settings, web.platform.db)
    learner = uuid.uuid4()
    agent = b"Mozilla/5.0 (X11; Linux x86_64) Firefox/127.0 alice@example.org"
    scope = {"client": ("192.0.2.77", 1), "headers": [(b"user-agent", agent), (b"x-forwarded-for", b"203.0.113.9")]}
    for _ in range(5):
        sightings.see(learner, scope)
    assert await sightings.flush() == 1
    row = await admin.fetchrow("select * from address_sightings")
    assert (row["user_id"], row["user_agent"], len(row["address_mac"])) == (learner, "Linux Firefox", 16)
    assert "192.0.2" not in str(dict(row))
    await admin.execute("update address_sightings set seen_on = seen_on - 31")
    await sightings.flush()
    assert await admin.fetchval("select count(*) from address_sightings") == 0


@pytest.mark.integration
async def test_p11_a_dump_holds_no_key_and_after_a_rotation_an_address_is_another(
    web: Web, admin, monkeypatch: pytest.MonkeyPatch
) -> None:
    learner, scope = uuid.uuid4(), {"client": ("192.0.2.77", 1), "headers": []}
    keys: list[bytes] = []
    for month in (9, 10, 11):
        at = datetime(2026, month, 20, tzinfo=UTC)
        monkeypatch.setattr(clock, "now", lambda at=at: at)
        sightings = Sightings(web.settings, web.platform.db)  # as a process that was started again
        sightings.see(learner, scope)
        assert await sightings.flush() == 1
        keys.append(month_key(web.settings.home, at.date()))
        if month == 10:
            two = await admin.fetch("select distinct address_mac from address_sightings")
            assert len(two) == 2, "one address, two months, nothing in common"
    there = {path.name for path in (web.settings.home / "keys" / "addresses").iterdir()}
    assert there == {"2026-10", "2026-11"}, "who holds everything that is left cannot try addresses of September"
    tables = await admin.fetch(
        "select relname from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p')"
    )
    forms = [form for key in keys for form in (key.hex(), base64.b64encode(key).decode(), "192.0.2.77")]
    assert len(tables) > 30
    for (table,) in tables:
        for form in forms:
            found = await admin.fetchval(f'select count(*) from "{table}" t where strpos(t::text, $1) > 0', form)
            assert found == 0, f"{table} would give an address away"
