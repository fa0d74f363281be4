"""R13: liveness never touches the database, readiness does, once a second."""

import pytest
from tests.support.web import Web

from osler.errors import Unavailable

pytestmark = pytest.mark.integration


async def test_r13_liveness_answers_without_and_readiness_with_the_database(
    web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = 0
    real = type(web.platform.db).read

    def counted(self, **options):
        nonlocal asked
        asked += 1
        return real(self, **options)

    monkeypatch.setattr(type(web.platform.db), "read", counted)
    for _ in range(50):
        assert (await web.client.get("/api/health/live")).status_code == 200
    assert asked == 0
    for _ in range(50):
        assert (await web.client.get("/api/health/ready")).json() == {"status": "ready"}
    assert asked == 1


async def test_r13_readiness_says_no_while_the_database_is_away_and_liveness_stays_yes(
    web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(self, **_):
        raise Unavailable("the database is away", code="db.away")

    monkeypatch.setattr(type(web.platform.db), "read", away)
    answer = await web.client.get("/api/health/ready")
    assert (answer.status_code, answer.json()["code"], answer.headers["retry-after"]) == (503, "not_ready", "1")
    assert (await web.client.get("/api/health/live")).status_code == 200
