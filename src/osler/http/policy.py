"""Who may do what to whose data: one table, and the default is no."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import IntEnum, StrEnum


class Role(StrEnum):
    """What a caller is. Nobody holds two of analyst, auditor and privacy officer by default."""

    LEARNER = "learner"
    EDUCATOR = "educator"
    PROGRAM_ADMIN = "program_admin"
    ANALYST = "analyst"
    AUDITOR = "auditor"
    PRIVACY_OFFICER = "privacy_officer"
    SERVICE_INGEST = "service_ingest"


class Reach(IntEnum):
    """Whose data an action may touch; a wider reach contains the narrower ones.

    COURSE and COHORT are looked up in the database at the time of the request, so that a removal works at once.
    """

    NONE = 0
    OWN = 1
    COURSE = 2
    COHORT = 3
    ALL = 4


class Action(StrEnum):
    """A verb on a resource; every route declares exactly one."""

    WRITE_EVENTS = "events:write"
    READ_RECEIPT = "events:receipt"
    READ_LIMITS = "events:limits"
    READ_ANALYTICS = "analytics:read"
    READ_COHORT = "cohort:read"
    READ_COHORT_LEARNERS = "cohort:learners"
    READ_CATALOG = "catalog:read"
    WRITE_CATALOG = "catalog:write"
    READ_SELF = "me:read"
    WRITE_SELF = "me:write"
    EXPORT = "export:read"
    ERASE = "erasure:write"
    READ_AUDIT = "audit:read"
    MANAGE_CLASSES = "classes:write"


PERSONS: tuple[Role, ...] = (
    Role.LEARNER,
    Role.EDUCATOR,
    Role.PROGRAM_ADMIN,
    Role.ANALYST,
    Role.AUDITOR,
    Role.PRIVACY_OFFICER,
)
_EVERY_PERSON_OWN: Mapping[Role, Reach] = dict.fromkeys(PERSONS, Reach.OWN)
_EVERYBODY: Mapping[Role, Reach] = dict.fromkeys(Role, Reach.ALL)

POLICY: Mapping[Action, Mapping[Role, Reach]] = {
    Action.WRITE_EVENTS: {Role.LEARNER: Reach.OWN, Role.SERVICE_INGEST: Reach.ALL},
    Action.READ_RECEIPT: {Role.LEARNER: Reach.OWN, Role.SERVICE_INGEST: Reach.OWN},
    Action.READ_LIMITS: _EVERYBODY,
    Action.READ_ANALYTICS: {Role.LEARNER: Reach.OWN, Role.EDUCATOR: Reach.COHORT, Role.PROGRAM_ADMIN: Reach.ALL},
    Action.READ_COHORT: {
        Role.LEARNER: Reach.OWN,
        Role.EDUCATOR: Reach.COHORT,
        Role.PROGRAM_ADMIN: Reach.ALL,
        Role.ANALYST: Reach.ALL,
    },
    # One row for each learner: not for analysts, who see aggregates alone.
    Action.READ_COHORT_LEARNERS: {
        Role.LEARNER: Reach.OWN,
        Role.EDUCATOR: Reach.COHORT,
        Role.PROGRAM_ADMIN: Reach.ALL,
    },
    Action.READ_CATALOG: _EVERYBODY,
    # An application that shows questions keeps its bank in step; its token has to say so (the scope below).
    Action.WRITE_CATALOG: {Role.PROGRAM_ADMIN: Reach.ALL, Role.SERVICE_INGEST: Reach.ALL},
    Action.READ_SELF: _EVERY_PERSON_OWN,
    Action.WRITE_SELF: _EVERY_PERSON_OWN,
    Action.EXPORT: {Role.LEARNER: Reach.OWN, Role.PRIVACY_OFFICER: Reach.ALL},
    Action.ERASE: {Role.LEARNER: Reach.OWN, Role.PRIVACY_OFFICER: Reach.ALL},
    Action.READ_AUDIT: {Role.LEARNER: Reach.OWN, Role.AUDITOR: Reach.ALL},
    # Who is in a class decides whom an educator reaches; a platform that has the rosters keeps them in step.
    Action.MANAGE_CLASSES: {Role.PROGRAM_ADMIN: Reach.ALL, Role.SERVICE_INGEST: Reach.ALL},
}

OF_NOBODY: frozenset[Action] = frozenset(
    {Action.READ_CATALOG, Action.WRITE_CATALOG, Action.READ_LIMITS, Action.MANAGE_CLASSES}
)
"""Actions on what is about no person: a `user_id` in the request is ignored, and no access of a person is recorded."""

REQUIRED_SCOPE: Mapping[Action, str] = {
    Action.WRITE_EVENTS: "events:write",
    Action.WRITE_CATALOG: "catalog:write",
    Action.MANAGE_CLASSES: "classes:write",
}
"""Actions that a role alone does not open: the token must name this scope, or one that begins with it and a colon."""


def reach_of(roles: Iterable[Role], action: Action) -> Reach:
    """How far the roles reach with that action; the widest of them, NONE where the table says nothing."""
    row = POLICY.get(action, {})
    return max((row.get(role, Reach.NONE) for role in roles), default=Reach.NONE)


def has_scope(scopes: Iterable[str], action: Action) -> bool:
    """Whether the token's scopes allow the action: `events:write:any` contains `events:write`."""
    required = REQUIRED_SCOPE.get(action)
    return required is None or any(scope == required or scope.startswith(f"{required}:") for scope in scopes)
