"""What a handler may touch: `require(Action.X)` gives a scope, and without a scope nothing can be asked."""

from __future__ import annotations

import uuid
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Annotated

import sqlalchemy as sa
from fastapi import Depends, Query, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from osler.catalog.tables import cohort_members, users
from osler.db.engine import Database, ReadSession, WriteSession
from osler.errors import Forbidden, NotFound, Unauthenticated
from osler.http.audit import AuditEntry, record, stated_purpose
from osler.http.auth import Principal
from osler.http.platform import Platform, platform_of
from osler.http.policy import OF_NOBODY, POLICY, Action, Reach, has_scope, reach_of
from osler.http.problems import request_id_of

bearer = HTTPBearer(
    auto_error=False,
    bearerFormat="JWT",
    description="Access token (`typ` at+jwt) of the pinned issuer; `osler token` makes one outside production.",
)
Credentials = Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)]
Learner = Annotated[
    str | None,
    Query(
        alias="user_id",
        description="whose data, for staff; without it the caller's own",
        examples=["5b0c6d1e-9a50-4a5e-8f3e-0d6b8f3a1c11"],
    ),
]


@dataclass(frozen=True, slots=True)
class Scope:
    """A caller, an action, and whose data the policy lets it touch.

    `read` and `write` open a db session with the learner set for row-level policy. Reading another person's data
    writes the audit entry in the same transaction, so a read that cannot be audited fails.
    """

    principal: Principal
    user_id: uuid.UUID
    action: Action
    reach: Reach
    db: Database = field(repr=False)
    purpose: str = "unstated"
    fields: tuple[str, ...] = ()
    request_id: str = ""
    address: str = ""

    @property
    def is_own(self) -> bool:
        """Whether callers look at their own data."""
        return self.user_id == self.principal.user_id

    @asynccontextmanager
    async def read(self) -> AsyncGenerator[ReadSession | WriteSession]:
        """A db session for reading that learner's data; audited when it is another's."""
        if self.is_own:
            async with self.db.read(user_id=self.user_id) as session:
                yield session
        else:
            async with self.db.write(user_id=self.user_id) as session:
                await record(session, self.entry(is_allowed=True))
                yield session

    @asynccontextmanager
    async def write(self) -> AsyncGenerator[WriteSession]:
        """A db session for changing that learner's data; audited when it is another's."""
        async with self.db.write(user_id=self.user_id) as session:
            if not self.is_own:
                await record(session, self.entry(is_allowed=True))
            yield session

    def entry(self, *, is_allowed: bool) -> AuditEntry:
        """This access as an audit entry."""
        return AuditEntry(
            actor_id=self.principal.user_id,
            role="+".join(sorted(self.principal.roles)),
            action=self.action,
            purpose=self.purpose,
            subject_id=self.user_id,
            fields=self.fields,
            is_allowed=is_allowed,
            request_id=self.request_id,
        )


class Require:
    """The dependency that a route declares its policy with; `action` is what the policy tests read."""

    def __init__(self, action: Action) -> None:
        self.action = action

    async def __call__(self, request: Request, credentials: Credentials, learner: Learner = None) -> Scope:
        """The scope of this request; also kept on it for `ReadDb` and `WriteDb`."""
        platform = platform_of(request)
        principal = await _verified(request, platform, credentials)
        await platform.rates.check(principal.user_id, request.scope)
        platform.seen(principal.user_id, request.scope)
        reach = reach_of(principal.roles, self.action)
        if reach is Reach.NONE:
            raise Forbidden("The caller's role does not allow this.", code="auth.role")
        if not has_scope(principal.scopes, self.action):
            raise Forbidden("The token's scope does not allow this.", code="auth.scope")
        scope = await _aimed(
            request,
            platform,
            Scope(
                principal,
                principal.user_id,
                self.action,
                reach,
                platform.db,
                address=platform.rates.address_of(request.scope),
            ),
            learner,
        )
        request.state.learner_scope = scope
        return scope


@cache
def require(action: Action) -> Require:
    """The dependency for an action: `Annotated[Scope, Depends(require(Action.READ_ANALYTICS))]`."""
    if action not in POLICY:
        msg = f"{action} has no row in the policy table"
        raise TypeError(msg)
    return Require(action)


async def public() -> None:
    """The declared policy of a route that anybody may ask: health and nothing about a person."""


PUBLIC = Depends(public)


async def _verified(
    request: Request, platform: Platform, credentials: HTTPAuthorizationCredentials | None
) -> Principal:
    if credentials is None:
        raise Unauthenticated("A bearer token is needed.", code="auth.missing")
    try:
        return await platform.verifier.verify(credentials.credentials)
    except Unauthenticated:
        await platform.rates.check(None, request.scope)
        raise


async def _aimed(request: Request, platform: Platform, own: Scope, learner: str | None) -> Scope:
    """The scope turned to the learner that was asked for, or 404 as if that learner did not exist."""
    asked = own.user_id if learner is None or own.action in OF_NOBODY else _uuid(learner)
    if asked == own.user_id:
        return own
    scope = Scope(
        own.principal,
        asked,
        own.action,
        own.reach,
        own.db,
        purpose=stated_purpose(request.headers.get("osler-purpose")),
        fields=(str(getattr(request.scope.get("route"), "name", "")),),
        request_id=request_id_of(request.scope),
    )
    if not await _reaches(scope):
        # The same work and the same answer whether the learner exists or not; and the attempt is on record.
        async with platform.db.write() as session:
            await record(session, scope.entry(is_allowed=False))
        raise NotFound("There is nothing here.")
    return scope


def _uuid(text: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError as error:
        raise NotFound("There is nothing here.") from error


async def _reaches(scope: Scope) -> bool:
    """Whether the policy reaches that learner now: looked up at each request, so that a removal works at once."""
    if scope.reach is Reach.ALL:
        query = sa.select(sa.literal(1)).where(users.c.user_id == scope.user_id)
    elif scope.reach in {Reach.COHORT, Reach.COURSE}:
        query = _shares_cohort(scope.principal.user_id, scope.user_id)
    else:
        return False
    async with scope.db.read() as session:
        return await session.scalar(query) is not None


def _shares_cohort(educator_id: uuid.UUID, learner_id: uuid.UUID) -> sa.Select[int]:
    teaches, learns = cohort_members.alias("teaches"), cohort_members.alias("learns")
    today = sa.func.current_date()
    return (
        sa.select(sa.literal(1))
        .select_from(teaches.join(learns, teaches.c.cohort_id == learns.c.cohort_id))
        .where(
            teaches.c.user_id == educator_id,
            teaches.c.role == "educator",
            learns.c.user_id == learner_id,
            learns.c.role == "learner",
            *(
                sa.and_(member.c.since_on <= today, sa.or_(member.c.until_on.is_(None), member.c.until_on > today))
                for member in (teaches, learns)
            ),
        )
        .limit(1)
    )
