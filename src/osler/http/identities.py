"""Which pseudonym a sign-in is: (issuer, subject) → `user_id`, with the subject kept only as a keyed hash."""

from __future__ import annotations

import uuid
from collections.abc import MutableMapping

import sqlalchemy as sa
from cachetools import TTLCache
from sqlalchemy.dialects.postgresql import insert

from osler.catalog.tables import identities, users
from osler.db.engine import Database, ReadSession, WriteSession
from osler.errors import Forbidden, Unauthenticated
from osler.http.tables import erased_identities
from osler.http.tokens import Claims
from osler.observe.keys import mac

REMEMBERED = 50_000
REMEMBERED_SECONDS = 60
MEETING_SPACE = 7
"""Of advisory locks; those below are named in jobs/leases.py."""
_ALONE = sa.text("select pg_advisory_xact_lock(:space, :who)")


class Identities:
    """Finds the learner of verified claims and makes one on first sight."""

    def __init__(self, db: Database, key: bytes) -> None:
        self._db = db
        self._key = key
        self._known: MutableMapping[bytes, uuid.UUID] = TTLCache(REMEMBERED, REMEMBERED_SECONDS)

    async def user_of(self, claims: Claims) -> uuid.UUID:
        """The pseudonym of that sign-in.

        Errors: Forbidden `subject.erased` when the person was erased; a new sign-in must not collect them anew.
        """
        subject_mac = identity_mac(self._key, claims.issuer.name, claims.subject)
        known = self._known.get(subject_mac)
        if known is None:
            known = await self._find(claims.issuer.name, subject_mac) or await self._make(claims, subject_mac)
            self._known[subject_mac] = known
        return known

    def forget(self, user_id: uuid.UUID | None) -> None:
        """Drop what is remembered of a learner who was erased; of everybody for None."""
        for subject_mac in [key for key, value in self._known.items() if user_id in {None, value}]:
            del self._known[subject_mac]

    async def _find(self, issuer: str, subject_mac: bytes) -> uuid.UUID | None:
        async with self._db.read() as session:
            return await find(session, issuer, subject_mac)

    async def _make(self, claims: Claims, subject_mac: bytes) -> uuid.UUID:
        user_id = pseudonym_of(claims)
        async with self._db.write() as session:
            return await meet(session, claims.issuer.name, subject_mac, user_id)


async def find(session: ReadSession, issuer: str, subject_mac: bytes) -> uuid.UUID | None:
    """The pseudonym of a sign-in; None where nobody has met this person yet."""
    query = sa.select(identities.c.user_id).where(
        identities.c.issuer == issuer, identities.c.subject_mac == subject_mac
    )
    return await session.scalar(query)


async def meet(session: WriteSession, issuer: str, subject_mac: bytes, user_id: uuid.UUID) -> uuid.UUID:
    """The pseudonym of a sign-in; `user_id`, with a row of its own, where nobody has met this person yet.

    Errors: Forbidden `subject.erased`.
    """
    # One after the other: the pseudonym of who comes second would stay behind, and nobody may delete it.
    await session.execute(_ALONE, {"space": MEETING_SPACE, "who": int.from_bytes(subject_mac[:4], "big", signed=True)})
    await _refuse_erased(session, subject_mac)
    found = await find(session, issuer, subject_mac)
    if found is not None:
        return found
    await session.execute(insert(users).values(user_id=user_id).on_conflict_do_nothing())
    await session.execute(insert(identities).values(issuer=issuer, subject_mac=subject_mac, user_id=user_id))
    return user_id


def identity_mac(key: bytes, issuer: str, subject: str) -> bytes:
    """The keyed hash under which a sign-in is stored."""
    return mac(key, "identity", issuer, subject)


def pseudonym_of(claims: Claims) -> uuid.UUID:
    """A new random pseudonym; the local issuer's subjects are pseudonyms already."""
    if not claims.issuer.subject_is_user_id:
        return uuid.uuid4()
    try:
        user_id = uuid.UUID(claims.subject)
    except ValueError as error:
        raise Unauthenticated("The token does not verify.") from error
    if user_id.int in {0, 2**128 - 1}:
        raise Unauthenticated("The token does not verify.")
    return user_id


async def _refuse_erased(session: WriteSession, subject_mac: bytes) -> None:
    query = sa.select(sa.func.count()).where(erased_identities.c.subject_mac == subject_mac)
    if await session.scalar(query):
        raise Forbidden("This person's data were erased; nothing is collected again.", code="subject.erased")
