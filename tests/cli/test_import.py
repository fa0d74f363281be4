"""`osler import`, as its user runs it: each kind adds up, twice is once, a killed one goes on, a wrong file exits 2."""

from __future__ import annotations

import asyncio
import gzip
import json
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import zstandard
from tests.conftest import Cluster
from tests.ingest.importers.conftest import reviews, write_collection
from tests.support.matrix import count
from typer.testing import CliRunner

from osler.analytics.registry import analytics
from osler.catalog import items
from osler.cli.main import app
from osler.db.connect import connect_plainly
from osler.db.engine import Database
from osler.errors import UnreadableSource
from osler.settings import Settings

pytestmark = pytest.mark.integration

Run = Callable[..., dict[str, Any]]
LOG = ("study_events", "question_attempts", "material_interactions", "exam_outcomes", "cards", "questions", "topics")


class Home:
    """An installation of a test: a database and a home, and the command line on it."""

    def __init__(self, cluster: Cluster, folder: Path) -> None:
        self.cluster = cluster
        self.name = f"i_{secrets.token_hex(6)}"
        self.folder = folder
        asyncio.run(cluster.create(self.name, cluster.template))

    @property
    def settings(self) -> Settings:
        return self.cluster.settings(self.name, home=self.folder)

    @property
    def environment(self) -> dict[str, str]:
        urls = self.cluster.urls(self.name)
        return {
            "OSLER_PROFILE": "test", "OSLER_HOME": str(self.folder), "OSLER_DATABASE_URL": urls.app,
            "OSLER_OWNER_DATABASE_URL": urls.owner, "OSLER_ERASER_DATABASE_URL": urls.eraser,
        }  # fmt: skip

    def osler(self, *words: object, fold: bool = False) -> dict[str, Any]:
        """`osler import … --json`, which must end well and add up."""
        more = [] if fold else ["--no-fold"]
        result = CliRunner().invoke(app, ["import", *map(str, words), "--json", *more], env=self.environment)
        assert result.exit_code == 0, (result.output, result.exception)
        said = json.loads(result.stdout)
        named = sum(sum(said[each].values()) for each in ("rejected", "refused", "skipped", "merged"))
        assert said["read"] == said["accepted"] + said["duplicate"] + said["conflict"] + named
        assert said["retry"] == 0
        return said

    def rows(self, query: str, *values: object) -> list[Any]:
        async def ask() -> list[Any]:
            connection = await connect_plainly(self.cluster.urls(self.name).admin)
            try:
                return list(await connection.fetch(query, *values))
            finally:
                await connection.close()

        return asyncio.run(ask())

    def age_by_a_month(self) -> None:
        """As if all had been received a month ago: months that an import filled lately rest for a week."""
        self.rows("alter table study_events disable trigger study_events_rows")
        self.rows("update study_events set received_at = received_at - interval '30 days'")
        self.rows("alter table study_events enable always trigger study_events_rows")

    def facts(self) -> dict[str, Any]:
        """What an import writes, by table: count and digest of the rows without their random and receipt columns."""
        dropped = "'nonce', 'received_at', 'recorded_at', 'created_at'"
        rows = "select (to_jsonb(t) - array[{}])::text r from {} t"
        query = f"select count(*), md5(string_agg(r, '|' order by r)) from ({rows}) x"
        return {table: tuple(self.rows(query.format(dropped, table))[0]) for table in LOG}

    def derived(self) -> dict[str, Any]:
        """Every derived row, by table, without what is declared not to follow from the log."""
        found: dict[str, Any] = {}
        for derived in [table for analytic in analytics() for table in analytic.tables]:
            ignored = ", ".join(f"'{name}'" for name in {*derived.ignore, "as_of", "settled_as_of", "generation"})
            query = f"select (to_jsonb(t) - array[{ignored}])::text from {derived.table.name} t order by 1"
            found[derived.table.name] = [row[0] for row in self.rows(query)]
        return found


@pytest.fixture
def homes(cluster: Cluster, tmp_path: Path) -> Iterator[Callable[[], Home]]:
    """Makes installations, each on a fresh database."""
    made: list[Home] = []

    def make() -> Home:
        made.append(Home(cluster, tmp_path / f"home{len(made)}"))
        return made[-1]

    yield make
    for each in made:
        asyncio.run(cluster.drop(each.name))


@pytest.fixture
def home(homes: Callable[[], Home]) -> Home:
    return homes()


def head_of(source: Path, target: Path, lines: int) -> Path:
    """The first lines of a packed file, packed the same way."""
    packed = source.read_bytes()
    plain = (
        gzip.decompress(packed) if source.suffix == ".gz" else zstandard.ZstdDecompressor().decompress(packed, 2**28)
    )
    kept = b"\n".join(plain.split(b"\n")[:lines]) + b"\n"
    target.write_bytes(gzip.compress(kept) if source.suffix == ".gz" else zstandard.compress(kept))
    return target


CSV = "id,who,when,question,right,subject\n1,a,2026-01-01T10:00:00,q1,1,Renal\n1,a,2026-01-01T10:00:00,q1,1,Heart\n"
MAPPING = """
type = "question_submit"
zone = "Europe/Berlin"
[columns]
id = "id"
learner = "who"
at = "when"
item = "question"
correct = "right"
topics = "subject"
"""


def test_every_kind_adds_up_and_a_second_run_changes_nothing(home: Home, shared_data: Path, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(CSV + "2,b@example.org,2026-01-02T10:00:00,q2,0,Renal\n3,b,never,q2,0,Renal\n")
    (tmp_path / "a.toml").write_text(MAPPING)
    write_collection(tmp_path / "c.anki2", reviews())
    commands: list[tuple[list[object], int]] = [
        (["anki", tmp_path / "c.anki2", "--zone", "Europe/London"], 6),
        (["assistments", shared_data / "assist09_raw_15_learners.csv"], 1_143),
        (["epm", head_of(shared_data / "epm_events.csv.zst", tmp_path / "e.csv.zst", 1_001)], 0),
        (["xapi", head_of(shared_data / "xapi_statements.jsonl.gz", tmp_path / "x.jsonl.gz", 1_000)], 0),
        (["csv", tmp_path / "a.csv", "--mapping", tmp_path / "a.toml"], 2),
    ]
    first = [home.osler(*words) for words, _ in commands]
    for said, (_, accepted) in zip(first, commands, strict=True):
        assert said["accepted"] == (accepted or said["accepted"]) > 0
        assert said["duplicate"] == said["conflict"] == 0
    assert (first[2]["read"], first[3]["read"]) == (1_000, 1_000)
    assert first[4]["skipped"] == {"time_unreadable": 1}
    before = home.facts()
    for said, (words, _) in zip(first, commands, strict=True):
        again = home.osler(*words)
        assert (again["accepted"], again["duplicate"]) == (0, said["accepted"])
    assert home.facts() == before
    assert "example.org" not in repr(home.rows("select e::text from study_events e"))
    assert "example.org" not in repr(home.rows("select u::text from users u"))


def test_an_import_that_stores_nothing_has_nothing_counted_again(home: Home, tmp_path: Path) -> None:
    write_collection(tmp_path / "c.anki2", reviews())
    runs = "select count(*) as n, max(started_at) as last from job_runs"
    assert home.osler("anki", tmp_path / "c.anki2", fold=True)["accepted"] == 6
    before = home.rows(runs)
    again = home.osler("anki", tmp_path / "c.anki2", fold=True)
    assert (again["accepted"], again["duplicate"]) == (0, 6)
    assert home.rows(runs) == before
    assert "nothing new was stored; the analytics are as they were" in again["notes"]
    # An import that was stored and not counted is counted by the next, which stores nothing itself.
    write_collection(tmp_path / "more.anki2", reviews(9))
    assert home.osler("anki", tmp_path / "more.anki2")["accepted"] > 0
    assert home.osler("anki", tmp_path / "more.anki2", fold=True)["accepted"] == 0
    assert home.rows(runs) != before


def test_e28_one_history_in_three_containers_is_stored_once(home: Home, tmp_path: Path) -> None:
    import zipfile

    plain = write_collection(tmp_path / "collection.anki2", reviews()).read_bytes()
    nothing = write_collection(tmp_path / "dummy.anki2", []).read_bytes()
    with zipfile.ZipFile(tmp_path / "old.apkg", "w") as package:
        package.writestr("collection.anki2", plain)
    with zipfile.ZipFile(tmp_path / "new.colpkg", "w") as package:
        package.writestr("collection.anki21b", zstandard.compress(plain))
        package.writestr("collection.anki2", nothing)
        package.writestr("meta", b"\x08\x03")
    counts = [
        home.osler("anki", tmp_path / name)["accepted"] for name in ("collection.anki2", "old.apkg", "new.colpkg")
    ]
    assert counts == [6, 0, 0]


def test_e28_old_months_may_leave_the_log_and_the_history_come_again(home: Home, tmp_path: Path) -> None:
    n, now_ms = count("E28", "reviews"), time.time_ns() // 1_000_000
    step = 6 * 365 * 86_400_000 // (n + 1)
    rows = [(now_ms - (n - k) * step, 100 + k % 3, -1, 1 + k % 4, 4, 4, 2500, 7_000, 1) for k in range(n)]
    path = write_collection(tmp_path / "years.anki2", rows)
    first = home.osler("anki", path, fold=True)
    again = home.osler("anki", path, fold=True)
    assert (first["accepted"], again["accepted"], again["duplicate"]) == (n, 0, n)
    home.age_by_a_month()
    before = home.derived()
    assert before["item_memory"], "unknown: nothing was folded"

    ran = CliRunner().invoke(app, ["jobs", "run", "retention", "--again"], env=home.environment)
    assert ran.exit_code == 0, ran.output
    dropped = home.rows("select sum(n_rows) from retention_runs where parent = 'study_events'")[0][0]
    [(left,)] = home.rows("select count(*) from study_events")
    assert 0 < dropped == n - left, "unknown: no month left the log"
    assert home.derived() == before

    third = home.osler("anki", path, fold=True)
    assert third["accepted"] == 0, "nothing is folded twice"
    assert (third["rejected"].get("too_old"), third["duplicate"]) == (dropped, left)
    assert home.rows("select count(*) from study_events")[0][0] == left
    assert home.derived() == before


def test_cards_under_other_tags_move_and_their_days_are_folded_again(home: Home, tmp_path: Path) -> None:
    home.osler("anki", write_collection(tmp_path / "a.anki2", reviews()), fold=True)
    assert home.rows("select count(*) from dirty_days where consumer = 'live'")[0][0] == 0
    assert {row[0] for row in home.rows("select topic_id from topic_mastery")} == {"renal"}
    said = home.osler("anki", write_collection(tmp_path / "b.anki2", reviews(), tags="#A::Respiratory::Asthma"))
    assert said["duplicate"] == 6
    assert home.rows("select sum(n_events) from dirty_days where consumer = 'live'")[0][0] == 6
    home.osler("anki", tmp_path / "b.anki2", fold=True)
    assert {tuple(row[0]) for row in home.rows("select topic_ids from cards")} == {("renal", "respiratory.asthma")}


def test_whose_records_they_are_and_when_they_end_can_be_said(home: Home, tmp_path: Path) -> None:
    user = UUID("5f0c0000-0000-4000-8000-00000000000a")
    path = write_collection(tmp_path / "a.anki2", reviews())
    words = ("anki", path, "--user", user, "--zone", "Asia/Kolkata", "--shift-to", "2026-03-01")
    said = home.osler(*words)
    assert said["user_id"] == str(user)
    assert said["shifted_days"] % 7 == 0
    (row,) = home.rows("select max(local_date)::text, min(utc_offset_minutes), min(zone_source) from study_events")
    assert "2026-02-22" < row[0] <= "2026-03-01"
    assert (row[1], row[2]) == (330, "import")
    assert home.rows("select time_zone from users where user_id = $1", user)[0][0] == "Asia/Kolkata"
    assert home.osler(*words)["duplicate"] == 6


def test_the_first_import_loads_the_curriculum_that_its_tags_are_mapped_to(home: Home, tmp_path: Path) -> None:
    path = write_collection(tmp_path / "a.anki2", reviews(), tags="#AK_Step1_v12::#FirstAid::Renal")
    words = ["import", "anki", str(path), "--no-fold", "--zone", "Europe/London"]
    first = CliRunner().invoke(app, words, env=home.environment)
    assert first.exit_code == 0, first.output
    assert "curriculum: usmle is loaded now" in first.stderr
    assert home.rows("select count(*) from topics")[0][0] > 250
    assert home.rows("select count(*) from cards where cardinality(topic_ids) > 0")[0][0] > 0
    again = CliRunner().invoke(app, words, env=home.environment)
    assert "curriculum" not in again.stderr


def test_an_export_imported_elsewhere_gives_the_same_derived_rows(homes: Callable[[], Home], tmp_path: Path) -> None:
    one, other = homes(), homes()
    said = one.osler("anki", write_collection(tmp_path / "a.anki2", reviews(40)), "--zone", "Europe/London", fold=True)
    file = tmp_path / "mine.jsonl"
    result = CliRunner().invoke(app, ["export", "--jsonl", "--out", str(file)], env=one.environment)
    assert result.exit_code == 0, result.output
    # The catalogue is not a learner's: it goes ahead, as the how-to says.
    loaded = CliRunner().invoke(app, ["curriculum", "load", "usmle"], env=other.environment)
    assert loaded.exit_code == 0, loaded.output
    cards = {row["card_id"]: row["topic_ids"] for row in one.rows("select card_id, topic_ids from cards")}
    asyncio.run(_map_cards(other, UUID(said["user_id"]), cards))
    moved = other.osler("jsonl", file, "--user", said["user_id"], fold=True)
    assert moved["accepted"] == 40
    assert moved["read"] > 40, "the catalogue goes with it"
    kept = "select event_id, effective_at, local_date, utc_offset_minutes, zone_source, content_hash from study_events"
    assert [tuple(row) for row in other.rows(kept + " order by 1")] == [
        tuple(row) for row in one.rows(kept + " order by 1")
    ]
    there, here = other.derived(), one.derived()
    assert there.keys() == here.keys()
    assert {name: rows for name, rows in there.items() if rows != here[name]} == {}
    assert here["item_memory"]
    assert one.osler("jsonl", file)["duplicate"] == 40


async def _map_cards(home: Home, user_id: UUID, cards: dict[str, list[str]]) -> None:
    from osler.catalog.writes import ensure_user

    async with Database.open(home.settings) as db, db.write() as session:
        await ensure_user(session, user_id, time_zone="Europe/London")
        await items.map_cards(session, user_id, cards, mapped_by="test")


@pytest.mark.slow
def test_an_import_that_was_killed_goes_on_where_it_stopped(home: Home, shared_data: Path) -> None:
    path = shared_data / "xapi_statements.jsonl.gz"
    command = [sys.executable, "-m", "osler", "import", "xapi", str(path), "--json", "--no-fold"]
    running = subprocess.Popen(command, env={**os.environ, **home.environment}, stdout=subprocess.DEVNULL)
    give_up_at = time.monotonic() + 60
    while not home.rows("select count(*) from study_events")[0][0] and time.monotonic() < give_up_at:
        time.sleep(0.05)
    running.send_signal(signal.SIGKILL)
    running.wait()
    stored = home.rows("select count(*) from study_events")[0][0]
    assert 0 < stored < 18_062
    said = home.osler("xapi", path)
    assert said["read"] == 22_000
    assert said["accepted"] + said["duplicate"] == 18_062
    assert said["duplicate"] >= stored
    assert home.rows("select count(*) from study_events")[0][0] == 18_062


@pytest.mark.slow
def test_the_whole_real_collection_is_imported_and_folded(home: Home, shared_data: Path) -> None:
    said = home.osler("anki", shared_data / "collection.anki2", fold=True)
    assert (said["read"], said["accepted"], said["events"]) == (6_779, 6_779, 6_779)
    before = home.derived()
    again = home.osler("anki", shared_data / "collection.anki2", fold=True)
    assert (again["accepted"], again["duplicate"]) == (0, 6_779)
    assert home.derived() == before
    # Six of its reviewed cards are suspended, three are deleted.
    never = (
        "select count(*), count(due_on) from item_memory m join cards c on c.card_id = m.item_id where c.is_suspended"
    )
    assert tuple(home.rows(never)[0]) == (9, 0)
    assert any("10 cards are suspended and 3 no longer in the collection" in note for note in again["notes"])


def test_a_later_copy_of_a_collection_says_what_was_suspended_since(home: Home, tmp_path: Path) -> None:
    words = ("--zone", "Europe/London")
    first = home.osler("anki", write_collection(tmp_path / "a.anki2", reviews()), *words, fold=True)
    due = "select item_id from item_memory where due_on is not null order by 1"
    assert [row[0] for row in home.rows(due)] == ["100", "101", "102"]
    later = write_collection(tmp_path / "b.anki2", reviews(), cards=(100, 101, 103), queues={100: -1})
    again = home.osler("anki", later, *words, fold=True)
    assert (first["accepted"], again["duplicate"]) == (6, 6)
    assert [row[0] for row in home.rows(due)] == ["101"]
    [topics] = {tuple(row[0]) for row in home.rows("select topic_ids from cards")}
    assert topics, "a card that was deleted keeps its topic"
    back = home.osler("anki", tmp_path / "a.anki2", *words, fold=True)
    assert back["accepted"] == 0
    assert [row[0] for row in home.rows(due)] == ["100", "101", "102"]


@pytest.mark.parametrize("words", [["epm", "c.anki2"], ["jsonl", "c.anki2"], ["csv", "c.anki2"], ["anki", "absent"]])
def test_a_wrong_file_is_refused_before_the_database_is_asked(tmp_path: Path, words: list[str]) -> None:
    write_collection(tmp_path / "c.anki2", reviews())
    nowhere = {"OSLER_HOME": str(tmp_path / "home"), "OSLER_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none"}
    result = CliRunner().invoke(app, ["import", words[0], str(tmp_path / words[1])], env=nowhere)
    assert isinstance(result.exception, UnreadableSource)


def test_a_dry_run_counts_and_stores_nothing(tmp_path: Path) -> None:
    path = write_collection(tmp_path / "c.anki2", reviews())
    nowhere = {"OSLER_HOME": str(tmp_path / "home"), "OSLER_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none"}
    result = CliRunner().invoke(app, ["import", "anki", str(path), "--dry-run", "--json"], env=nowhere)
    assert result.exit_code == 0, result.output
    said = json.loads(result.stdout)
    assert (said["dry_run"], said["read"], said["events"]) == (True, 6, {"flashcard_review": 6})
    assert said["hours"] == {"11": 6}
    shown = CliRunner().invoke(app, ["import", "anki", str(path), "--dry-run"], env=nowhere)
    assert "11 h ████" in shown.stdout


def test_a_csv_without_a_mapping_writes_a_guess_that_can_be_sent_into_a_file(home: Home, tmp_path: Path) -> None:
    table = tmp_path / "mine.csv"
    table.write_text("answer_id,answered_at,question_id,is_correct\n1,2026-01-01T10:00:00,q1,1\n")
    done = CliRunner().invoke(app, ["import", "csv", str(table)])
    assert isinstance(done.exception, UnreadableSource)
    assert "needs --mapping" in str(done.exception)
    (tmp_path / "mine.toml").write_text(done.stdout)
    assert home.osler("csv", table, "--mapping", tmp_path / "mine.toml")["accepted"] == 1
