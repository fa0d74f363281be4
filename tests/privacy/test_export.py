"""P06: an export holds exactly what is stored, its link works once, and another Osler derives the same from it."""

from __future__ import annotations

import csv
import io
import json
import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import msgspec
import pytest
import sqlalchemy as sa
from tests.conftest import Cluster
from tests.support.learning import LEARNER, OTHER, START, history, send, small_catalogue
from tests.support.nightly import enrol, exam_catalogue
from tests.support.web import Web

from osler import clock
from osler.analytics.registry import analytics
from osler.db.engine import Database
from osler.db.schema import Kind, kind_of
from osler.forecasts.easiness import Counts
from osler.forecasts.parameters import EASINESS, TASK, Fitted, Parts, store
from osler.http.policy import Role
from osler.ingest.importers.jsonl import JsonlSource
from osler.ingest.importers.record import ImportOptions
from osler.ingest.importers.report import ImportReport
from osler.ingest.importers.run import Importing, run_import
from osler.ingest.intake import ingest_events
from osler.live.catch_up import Live
from osler.privacy.archive import JSONL
from osler.privacy.explained import EVENT_COLUMNS, README
from osler.privacy.export import Export
from osler.privacy.own_rows import own_tables
from osler.science.item_easiness import FOLDS
from osler.worker.night import night_of

pytestmark = pytest.mark.integration


async def studied(web: Web, days: int = 10) -> None:
    await small_catalogue(web.platform.db)
    await web.get("/api/me")
    await send(web.platform.db, history(days), web.learner)
    await send(web.platform.db, history(3), OTHER)
    await Live(web.platform.db, analytics()).catch_up(web.learner)


def lines_of(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


async def stored_ids(admin, user_id: uuid.UUID) -> set[str]:
    return {str(row[0]) for row in await admin.fetch("select event_id from study_events where user_id = $1", user_id)}


async def test_p06_the_set_exported_is_the_set_stored_and_a_resend_is_known(web: Web, admin) -> None:
    await studied(web)
    answer = await web.get("/api/me/export", params={"form": "jsonl"})
    assert answer.headers["content-type"] == "application/x-ndjson"
    head, *lines = lines_of(answer.text)
    assert (head["export"], head["form"]) == ("osler", 2)
    events = [line for line in lines if "id" in line]
    assert {line["id"] for line in events} == await stored_ids(admin, web.learner)
    assert len(events) == 70
    tables = {line["table"] for line in lines if "table" in line}
    assert {"users", "topic_mastery", "item_memory"} <= tables
    assert str(OTHER) not in answer.text
    again = [{name: value for name, value in line.items() if name != "stored"} for line in events]
    assert (await ingest_events(web.platform.db, again, web.learner)).counts["duplicate"] == 70


async def test_p06_the_zip_holds_the_same_in_csv_with_every_column_explained(web: Web, admin) -> None:
    await studied(web)
    answer = await web.get("/api/me/export")
    assert answer.headers["content-type"] == "application/zip"
    with ZipFile(io.BytesIO(answer.content)) as made:
        assert made.testzip() is None
        files = {name: made.read(name).decode() for name in made.namelist()}
    assert {name for name in files if name.startswith("tables/")} == {f"tables/{t.name}.csv" for t in own_tables()}
    rows = list(csv.DictReader(io.StringIO(files["events.csv"], newline="")))
    assert {row["id"] for row in rows} == await stored_ids(admin, web.learner)
    assert [row["id"] for row in rows] == [line["id"] for line in lines_of(files[JSONL]) if "id" in line]
    assert json.loads(rows[0]["data"])["answer"] == ["B"]
    forecasts = list(csv.DictReader(io.StringIO(files["tables/predictions.csv"], newline="")))
    assert {row["model_version"] for row in forecasts} - {""}
    assert set(rows[0]) == set(EVENT_COLUMNS)
    page = files[README]
    for name, text in files.items():
        if name.endswith(".csv"):
            section = page[page.index(f"## {name}") :].split("\n## ", 1)[0]
            heading = next(csv.reader(io.StringIO(text, newline="")))
            assert not [column for column in heading if f"| `{column}` |" not in section], name
    assert str(OTHER) not in "".join(files.values())


async def test_p06_the_catalogue_in_it_is_what_the_events_name_without_right_answers(web: Web) -> None:
    await studied(web, days=1)
    _, *lines = lines_of((await web.get("/api/me/export", params={"form": "jsonl"})).text)
    questions = {line["row"]["question_id"]: line["row"] for line in lines if line.get("catalogue") == "questions"}
    assert set(questions) == {"q0", "q1", "q2", "q3"}
    assert not [row for row in questions.values() if "key" in row]
    assert questions["q1"]["topic_ids"] == ["renal"]
    assert {line["row"]["topic_id"] for line in lines if line.get("catalogue") == "topics"} == {
        "cardio", "renal", "neuro",
    }  # fmt: skip


async def test_p06_a_link_works_once_without_a_token_for_a_day_and_is_on_record(web: Web, admin) -> None:
    await studied(web, days=1)
    made = await web.client.post("/api/me/export", headers=web.auth())
    assert made.status_code == 201
    link = made.json()["url"]
    assert made.headers["Location"] == link
    assert str(web.learner) not in link
    stored = await admin.fetchrow("select *, expires_at - made_at as lasts from export_links")
    assert stored["lasts"] == timedelta(hours=24)
    assert link.rpartition("/")[2].encode() not in bytes(stored["link_mac"])
    first = await web.client.get(link, params={"form": "jsonl"})
    assert first.status_code == 200
    assert {line["id"] for line in lines_of(first.text) if "id" in line} == await stored_ids(admin, web.learner)
    second = await web.client.get(link)
    assert (second.status_code, second.json()["code"]) == (404, "export.link")
    assert second.json()["detail"] == "This link was used, or its day is over. Ask for another."
    seen = await admin.fetch(
        "select role, fields, result from access_audit where subject_id = $1 order by audit_id", web.learner
    )
    assert [(row["role"], row["fields"], row["result"]) for row in seen] == [
        ("learner", ["export_link"], "allowed"), ("link", ["export"], "allowed"), ("link", ["export"], "denied"),
    ]  # fmt: skip


async def test_p06_a_link_whose_day_is_over_and_one_that_never_was_give_nothing(web: Web, admin) -> None:
    await web.get("/api/me")
    link = (await web.client.post("/api/me/export", headers=web.auth())).json()["url"]
    await admin.execute(
        "update export_links set made_at = made_at - interval '1 day', expires_at = expires_at - interval '1 day'"
    )
    assert (await web.client.get(link)).json()["code"] == "export.link"
    assert (await web.client.get(link[:-4] + "AAAA")).json()["code"] == "export.link"
    assert (await web.client.get("/api/me/export/short")).status_code == 404
    assert (await web.client.post("/api/me/export")).status_code == 401


async def test_two_who_open_a_link_at_once_get_it_once(web: Web) -> None:
    import asyncio

    await web.get("/api/me")
    link = (await web.client.post("/api/me/export", headers=web.auth())).json()["url"]
    answers = await asyncio.gather(*(web.client.get(link) for _ in range(8)))
    assert sorted(answer.status_code for answer in answers) == [200] + [404] * 7


async def test_a_privacy_officers_export_and_ones_own_are_on_record(web: Web, admin) -> None:
    await web.get("/api/me")
    headers = {**web.auth(uuid.uuid4(), Role.PRIVACY_OFFICER), "Osler-Purpose": "export"}
    answer = await web.client.get("/api/me/export", params={"user_id": str(web.learner)}, headers=headers)
    assert answer.status_code == 200
    row = await admin.fetchrow("select action, purpose, subject_id, result from access_audit")
    assert tuple(row) == ("export:read", "export", web.learner, "allowed")
    await web.get("/api/me/export")
    assert await admin.fetchval("select count(*) from access_audit where actor_id = subject_id") == 1


async def test_who_asks_to_be_erased_sends_nothing_more(web: Web) -> None:
    answer = await web.client.post("/api/me/erasure", headers=web.auth())
    assert (answer.status_code, answer.json()) == (202, {"state": "requested"})
    result = await ingest_events(web.platform.db, history(1), web.learner)
    assert result.counts["refused"] == 7


@asynccontextmanager
async def another_osler(cluster: Cluster, folder: Path) -> AsyncIterator[Database]:
    """An empty installation: its own database, its own keys."""
    name = f"t_{uuid.uuid4().hex[:12]}"
    await cluster.create(name, cluster.template)
    try:
        async with Database.open(cluster.settings(name, home=folder)) as database:
            yield database
    finally:
        await cluster.drop(name)


async def moved(source: Database, target: Database, file: Path, user_id: uuid.UUID | None = LEARNER) -> ImportReport:
    """Export the learner (None: everybody) there, import the file here."""
    with file.open("wb") as out:
        async for part in Export(source, user_id, clock.now(), with_keys=True).lines(with_derived=False):
            out.write(part)
    return await run_import(Importing(target, LEARNER), JsonlSource(file, ImportOptions()))


async def a_night(database: Database) -> None:
    night = night_of(database)
    for job in night.jobs:
        await night.run(job.name)


async def all_derived(database: Database) -> dict[str, list[Mapping[str, Any]]]:
    """Every derived row, by table, without what counts runs or times of writing."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    async with database.read(primary=True) as session:
        for derived in [table for analytic in analytics() for table in analytic.tables]:
            table = derived.table
            assert kind_of(table) is Kind.DERIVED
            keys = list(table.primary_key.columns)
            rows = await session.rows(sa.select(table).order_by(*keys))
            found[table.name] = [{k: v for k, v in row.items() if k not in derived.ignore} for row in rows]
    return found


async def test_from_an_empty_osler_every_derived_table_is_the_same(
    database: Database, cluster: Cluster, tmp_path: Path
) -> None:
    await exam_catalogue(database)
    await enrol(database)
    async with database.write() as s:
        await s.driver().execute(
            "update users set day_start_minutes = 180, desired_retention = 0.85, "
            'consents = \'{"cohort": "2026-01-01T00:00:00Z", "research": null}\' where user_id = $1',
            LEARNER,
        )
        await s.driver().execute(
            "insert into cards (user_id, card_id, topic_ids) values ($1, 'c1', '{renal}'), ($1, 'c2', '{cardio}')",
            LEARNER,
        )
        await s.driver().execute("update questions set option_count = 4 where question_id = 'q3'")
    await send(database, history(40))
    await a_night(database)
    async with another_osler(cluster, tmp_path / "another") as target:
        report = await moved(database, target, tmp_path / "learner.jsonl")
        counted = report.as_json()
        assert counted["accepted"] == counted["events"] == 280
        assert counted["read"] == counted["accepted"] + sum(counted["merged"].values()) + sum(
            counted["skipped"].values()
        )
        assert (counted["skipped"], set(counted["merged"])) == ({"heading": 1}, {"catalogue", "own_facts"})
        await a_night(target)
        there, here = await all_derived(database), await all_derived(target)
        assert sum(len(rows) for rows in there.values()) > 150
        assert len([name for name, rows in there.items() if rows]) >= 8
        for name, rows in there.items():
            assert here[name] == rows, name
        async with target.read() as s:
            user = await s.one(sa.text("select * from users where user_id = :u"), {"u": LEARNER})
            assert user is not None
            assert (user["time_zone"], user["day_start_minutes"], user["desired_retention"]) == (
                "Europe/Berlin",
                180,
                0.85,
            )
            assert user["consents"] == {"cohort": "2026-01-01T00:00:00Z", "research": None}
            assert await s.scalar(sa.text("select key from questions where question_id = 'q1'")) == ["A"]
        again = await moved(database, target, tmp_path / "learner.jsonl")
        assert (again.accepted, again.duplicate) == (0, 280)


async def test_a_whole_installation_moves_learner_by_learner(
    database: Database, cluster: Cluster, tmp_path: Path
) -> None:
    await exam_catalogue(database)
    await enrol(database)
    await enrol(database, OTHER, exam_on=None)
    async with database.write() as s:
        await s.driver().execute("insert into cohorts (cohort_id, name) values ('a', 'A')")
        await s.driver().execute(
            "insert into cohort_members (cohort_id, user_id, role, since_on) "
            "select 'a', user_id, 'learner', '2026-01-01' from users"
        )
    await send(database, history(20))
    await send(database, history(9), OTHER)
    await a_night(database)
    async with another_osler(cluster, tmp_path / "another") as target:
        report = await moved(database, target, tmp_path / "all.jsonl", None)
        assert (report.accepted, report.learners) == (7 * 29, 2)
        await a_night(target)
        there, here = await all_derived(database), await all_derived(target)
        for name, rows in there.items():
            assert here[name] == rows, name
        assert {row["user_id"] for row in here["topic_mastery"]} == {LEARNER, OTHER}
        async with target.read() as s:
            assert await s.scalar(sa.text("select count(*) from cohort_members where cohort_id = 'a'")) == 2


async def fitted(database: Database) -> str:
    """Parameters that were fitted and promoted: counts of first attempts at the twelve questions."""
    ones = tuple(1.0 for _ in range(12))
    counts = Counts(
        items=tuple(f"q{n}" for n in range(12)), topics=("cardio",), item_topics=((0, 0),),
        right=(ones,) * FOLDS, answers=(tuple(3.0 for _ in range(12)),) * FOLDS,
    )  # fmt: skip
    easiness = Fitted(EASINESS, msgspec.to_builtins(counts), START, 5, 60)
    async with database.write() as s:
        parts = Parts(item_easiness=await store(s, easiness, promote=False))
        return await store(s, Fitted(TASK, msgspec.to_builtins(parts), START, 5, 60), promote=True)


async def test_parameters_move_into_an_empty_osler_and_into_no_other(
    database: Database, cluster: Cluster, tmp_path: Path, web: Web
) -> None:
    await exam_catalogue(database)
    await enrol(database)
    version = await fitted(database)
    await send(database, history(5))
    await Live(database, analytics()).catch_up(LEARNER)
    asked = sa.text("select parameter_version from learner_states where user_id = :u")
    async with another_osler(cluster, tmp_path / "another") as target:
        await moved(database, target, tmp_path / "learner.jsonl")
        await Live(target, analytics()).catch_up(LEARNER)
        assert (await all_derived(target))["topic_mastery"] == (await all_derived(database))["topic_mastery"]
        async with target.read() as s:
            assert await s.scalar(asked, {"u": LEARNER}) == version
    async with another_osler(cluster, tmp_path / "lived_in") as target:
        await small_catalogue(target)
        await send(target, history(1), OTHER)
        await moved(database, target, tmp_path / "learner.jsonl")
        async with target.read() as s:
            assert await s.scalar(sa.text("select count(*) from models")) == 0
    answer = await web.get("/api/me/export", params={"form": "jsonl"})
    assert '"models"' not in answer.text


async def test_a_learner_who_has_events_keeps_their_settings(
    database: Database, cluster: Cluster, tmp_path: Path
) -> None:
    await exam_catalogue(database)
    await enrol(database)
    await send(database, history(2))
    async with another_osler(cluster, tmp_path / "another") as target:
        await small_catalogue(target)
        await send(target, history(2)[:7])
        async with target.write() as s:
            await s.driver().execute("update users set time_zone = 'Asia/Kolkata' where user_id = $1", LEARNER)
        report = await moved(database, target, tmp_path / "learner.jsonl")
        assert (report.accepted, report.duplicate) == (7, 7)
        async with target.read() as s:
            assert await s.scalar(sa.text("select time_zone from users")) == "Asia/Kolkata"


async def test_what_is_carried_and_does_not_fit_is_said(database: Database, tmp_path: Path) -> None:
    from osler.errors import UnreadableSource

    file = tmp_path / "bad.jsonl"
    file.write_text(json.dumps({"catalogue": "topics", "row": {"topic_id": "t", "level": "deep"}}) + "\n")
    with pytest.raises(UnreadableSource, match="does not fit its table"):
        await run_import(Importing(database, LEARNER), JsonlSource(file, ImportOptions()))


async def test_osler_evaluate_reads_what_osler_exports(database: Database, tmp_path: Path) -> None:
    from osler.evaluate.next_answer_sources import rows_of_file
    from osler.evaluate.recall_logs import read_log

    await exam_catalogue(database)
    await enrol(database)
    await send(database, history(3))
    file = tmp_path / "learner.jsonl"
    with file.open("wb") as out:
        async for part in Export(database, LEARNER, clock.now()).lines(with_derived=True):
            out.write(part)
    assert len(read_log(file, []).rating) == 6
    answers = [row for row in rows_of_file(file) if not row.is_card]
    assert [row.correct for row in answers] == [0, 1, 1, 0, 1, 1, 0, 1, 1, 0, 1, 1]
