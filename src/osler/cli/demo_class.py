"""Which sample class is here, what is still to be made of it, and what was asked for."""

from __future__ import annotations

from collections.abc import Coroutine
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

import typer

from osler.cli.progress import Bar

if TYPE_CHECKING:
    from collections.abc import Iterable
    from uuid import UUID

    from osler.db.engine import Database
    from osler.settings import Settings
    from osler.simulate.sample_class import ClassPlan, Existing, SampleClass

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Wanted:
    """The class that was asked for."""

    learners: int
    days: int
    density: float
    seed: int
    reset: bool


async def prepare(db: Database, wanted: Wanted) -> SampleClass:
    """The class, made now, or found as it was left and gone on with where a start was stopped.

    Its first learner is the one whose page has most to show.
    """
    from osler.simulate.sample_class import most_told_first

    people = await _class_of(db, wanted)
    async with db.read(primary=True) as session:
        return replace(people, learners=await most_told_first(session, people.learners))


async def _class_of(db: Database, wanted: Wanted) -> SampleClass:
    from osler.simulate.sample_class import ClassPlan, editions, existing_class

    async with db.read(primary=True) as session:
        existing = await existing_class(session)
        edition = existing.edition if existing else await editions(session) + 1
    plan = ClassPlan(wanted.learners, wanted.days, wanted.density, wanted.seed, await db.now(), edition)
    if existing is None:
        return await _make(db, plan)
    people = await _not_erased(db, plan)
    is_asked_for = existing.is_of(plan, people.erased)
    is_whole = not is_asked_for or set(existing.learners) == set(people.learners)
    if wanted.reset or (is_whole and not existing.learners):
        await step("sample class erased", _erase(db.settings, existing.everybody))
        return await _make(db, replace(plan, edition=edition + 1))
    if not is_whole:
        say(f"going on with the sample class: {len(existing.learners)} of {len(people.learners)} learners were sent")
        return await _make(db, replace(plan, begun_on=existing.begun_on))
    return await _reuse(db, existing, people if is_asked_for else existing.people(people), is_asked_for=is_asked_for)


async def _not_erased(db: Database, plan: ClassPlan) -> SampleClass:
    from osler.eventlog.erased import erased
    from osler.eventlog.tombstones import KEY_NAME
    from osler.observe.keys import secret_key

    people = plan.people()
    async with db.write() as session:
        return people.without(await erased(session, people.everybody, secret_key(db.settings.home, KEY_NAME)))


async def _make(db: Database, plan: ClassPlan) -> SampleClass:
    from osler.ingest.importers.writing import bring_curriculum
    from osler.simulate.sample_class import send_class

    async with db.write() as session:
        loaded = await bring_curriculum(session)
    if loaded is not None:
        say(f"curriculum: {loaded.topics} topics, {loaded.edges} edges")
    with Bar("simulating the class", plan.learners) as bar:
        made = await step("class simulated and sent", send_class(db, plan, bar.advance))
    say(f"{len(made.learners)} learners, {made.stored:,} events stored")
    await _compute(db)
    return made


async def _reuse(db: Database, existing: Existing, people: SampleClass, *, is_asked_for: bool) -> SampleClass:
    """The class that is here, whatever was asked for; its analytics are made where a start was stopped before them."""
    from osler.worker.up_to_date import is_owed

    since = f", studying since {existing.begun_on.isoformat()}" if existing.begun_on else ""
    fewer = f" ({len(people.erased)} erased)" if people.erased else ""
    whose = f"{len(existing.learners)} learners{fewer}{since}"
    if is_asked_for:
        say(f"the sample class is here: {whose}")
    else:
        say(f"another sample class is here and is used: {whose}; --reset erases it and makes the one asked for")
    if await is_owed(db, existing.learners):
        await _compute(db)
    return people


async def _compute(db: Database) -> None:
    from osler.worker.up_to_date import bring_up_to_date

    with Bar("computing the analytics", None) as bar:
        await step("analytics computed", bring_up_to_date(db, bar.advance))


async def _erase(settings: Settings, everybody: Iterable[UUID]) -> None:
    from osler.privacy.erasure import erase

    for user_id in everybody:
        await erase(settings, user_id)


async def step(what: str, work: Coroutine[Any, Any, T]) -> T:
    """Do it, then say what was done and how long it took."""
    from osler import clock

    started = clock.monotonic_seconds()
    done = await work
    say(f"{what} ({clock.monotonic_seconds() - started:.1f} s)")
    return done


def say(text: str) -> None:
    """One line of what was done."""
    typer.echo(f"· {text}")
