"""P18: a model file that is not what was signed here is never served; the last good one is, and somebody is told.

P04: models that learnt from an erased learner are flagged, made again by the next weekly fits, and emptied.
"""

from __future__ import annotations

import base64
import hashlib
import json
import math
import pickle
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tests.forecasts.test_model_files import model
from tests.support.classes import class_catalogue
from tests.support.learning import LEARNER, START, answer, history, send, small_catalogue
from tests.support.planted import QUESTIONS, send_planted

from osler.analytics.registry import analytics
from osler.db.engine import Database
from osler.forecasts.model_files import Manifest, Payload, golden_of
from osler.forecasts.parameters import NEXT_ANSWER, TASK, Fitted, ParameterStore, store
from osler.forecasts.shelf import FOLDER, Shelf
from osler.forecasts.signing import own_key
from osler.forecasts.tables import predictions
from osler.live.catch_up import Live
from osler.live.draining import drain
from osler.observe import metrics
from osler.privacy.erasure import erase
from osler.science.features import NAMES
from osler.worker.fit_next_answer import golden_cases
from osler.worker.night import night_of

pytestmark = [pytest.mark.integration, pytest.mark.fault]

OLD, NEW = "next-answer-20260801-aaaaaaaaaa", "next-answer-20260808-bbbbbbbbbb"
FITS = ("fit_item_easiness", "fit_next_answer", "promote_fits", "refold")


async def promote(database: Database, version: str, days: int) -> Path:
    """A signed model on the shelf, promoted with a version of the parameters of its own."""
    made = model()
    manifest = Manifest(NEXT_ANSWER, version, NAMES, "0", START.isoformat(), 1, 1)
    path = Shelf(database.settings.home).write(Payload(manifest, made, golden_of(made, golden_cases(made))))
    until = START - timedelta(days=30 - days)
    async with database.write() as session:
        accepted = {"item_easiness": "none", "accepted": True}
        await store(session, Fitted(NEXT_ANSWER, accepted, until, 1, 1), promote=True, version=version)
        await store(session, Fitted(TASK, {"next_answer": version}, until, 1, 1), promote=True)
    return path


def swapped(path: Path, home: Path) -> None:
    path.write_bytes((home / FOLDER / f"{OLD}.model.json").read_bytes())


def cut(path: Path, _: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


class Bomb:
    """What a pickle would run."""

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return exec, ("raise SystemExit('a pickle was loaded')",)


def pickled(path: Path, _: Path) -> None:
    path.write_bytes(pickle.dumps(Bomb()))


def gone(path: Path, _: Path) -> None:
    path.unlink()


def signed_by_another(path: Path, _: Path) -> None:
    resign(path, Ed25519PrivateKey.generate(), lambda content: None)


def changed_and_signed_here(change: Callable[[dict[str, Any]], object]) -> Callable[[Path, Path], None]:
    """Worse than an attacker: our own key, round what must not be served."""

    def wrong(path: Path, home: Path) -> None:
        resign(path, own_key(home), change)

    return wrong


def resign(path: Path, key: Ed25519PrivateKey, change: Callable[[dict[str, Any]], object]) -> None:
    content = json.loads(path.read_bytes())["payload"]
    change(content)
    raw = json.dumps(content).encode()
    signature = base64.b64encode(key.sign(raw)).decode()
    head = {"format": 1, "sha256": hashlib.sha256(raw).hexdigest(), "signature": signature}
    path.write_bytes(json.dumps(head)[:-1].encode() + b', "payload": ' + raw + b"}")


FAULTS = {
    "swapped": swapped,
    "cut": cut,
    "pickle": pickled,
    "gone": gone,
    "signed by another": signed_by_another,
    "NaN": changed_and_signed_here(lambda c: c["model"]["regression"].update(intercept=math.nan)),
    "too large": changed_and_signed_here(lambda c: c["model"]["regression"].update(intercept=1e9)),
    "other features": changed_and_signed_here(lambda c: c["manifest"].update(features=["age"])),
    "not its golden answers": changed_and_signed_here(lambda c: c["model"]["regression"].update(intercept=0.9)),
    "old version": changed_and_signed_here(lambda c: c["manifest"].update(version=OLD)),
    "other task": changed_and_signed_here(lambda c: c["manifest"].update(task="exam")),
}


def alerts() -> float:
    return metrics.security_events.labels("model_refused")._value.get()


async def told_by(database: Database) -> str:
    """The version that forecast the learner's newest answer."""
    query = (
        sa.select(predictions.c.model_version)
        .where(predictions.c.user_id == LEARNER, predictions.c.task == "next-answer")
        .order_by(predictions.c.as_of.desc())
        .limit(1)
    )
    async with database.read(primary=True) as session:
        return str(await session.scalar(query))


@pytest.fixture
def no_pickle(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever unpickles anything while models are loaded fails the test."""

    def refuse(*_: object, **__: object) -> None:
        pytest.fail("something was unpickled")

    monkeypatch.setattr(pickle, "load", refuse)
    monkeypatch.setattr(pickle, "loads", refuse)
    monkeypatch.setattr(pickle, "Unpickler", refuse)
    joblib = pytest.importorskip("joblib")
    monkeypatch.setattr(joblib, "load", refuse)


@pytest.mark.usefixtures("no_pickle")
async def test_p18_a_file_that_is_not_what_was_signed_is_refused_and_the_last_good_one_serves(database: Database):
    await small_catalogue(database)
    await promote(database, OLD, 1)
    newest = await promote(database, NEW, 2)
    good = newest.read_bytes()
    for number, (name, fault) in enumerate(FAULTS.items()):
        fault(newest, database.settings.home)
        before = alerts()
        await send(database, [answer(START + timedelta(hours=2 * number), 2 * number, "q1", right=True)])
        await Live(database, analytics()).catch_up(LEARNER)
        assert (await told_by(database)).startswith(f"{OLD}/"), name
        assert alerts() == before + 1, name
        newest.write_bytes(good)
    await send(database, [answer(START + timedelta(days=3), 999, "q1", right=True)])
    await Live(database, analytics()).catch_up(LEARNER)
    assert (await told_by(database)).startswith(f"{NEW}/")


@pytest.mark.usefixtures("no_pickle")
async def test_p18_where_no_file_may_be_served_the_online_model_serves_alone_and_says_so(database: Database):
    await small_catalogue(database)
    for path in (await promote(database, OLD, 1), await promote(database, NEW, 2)):
        cut(path, database.settings.home)
    before = alerts()
    await send(database, [answer(START, 1, "q1", right=True)])
    await Live(database, analytics()).catch_up(LEARNER)
    assert (await told_by(database)).startswith("adf-2/parameters-")
    assert alerts() == before + 1


async def test_p04_what_learnt_from_an_erased_learner_is_flagged_made_again_and_emptied(database: Database):
    await class_catalogue(database, QUESTIONS)
    await send_planted(database, 20, 40)
    await send(database, history(6), LEARNER)
    await drain(database, Live(database, analytics()))
    night = night_of(database)
    for name in FITS:
        await night.run(name, again=True)
    flagged = sa.text("select version from models where flagged_at is not null")
    emptied = sa.text("select version from models where content = '{}' and task <> 'parameters'")
    async with database.read(primary=True) as session:
        made = {row["version"] for row in await session.rows(sa.text("select version from models"))}
        served = await ParameterStore().current_version(session)
    await erase(database.settings, LEARNER)
    async with database.read(primary=True) as session:
        assert {row["version"] for row in await session.rows(flagged)} == made
        assert not await session.rows(emptied)  # the others are served by it until the fits have run
    for name in FITS:
        await night.run(name, again=True)
    async with database.read(primary=True) as session:
        now = await ParameterStore().current_version(session)
        assert now != served
        assert await session.scalar(sa.text("select distinct parameter_version from learner_states")) == now
        gone_versions = {row["version"] for row in await session.rows(emptied)}
        assert gone_versions == {version for version in made if not version.startswith("parameters-")}
