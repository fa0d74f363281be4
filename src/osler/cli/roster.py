"""Whom a command speaks of: pseudonyms, or subjects of an identity provider, by hand or out of a CSV file."""

from __future__ import annotations

import csv
import uuid
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from uuid import UUID

from osler.catalog.classes import MemberRole
from osler.db.engine import WriteSession
from osler.errors import InvalidInput, NotFound, UnreadableSource
from osler.http.audit import AuditEntry
from osler.http.auth import IDENTITY_KEY
from osler.http.identities import find, identity_mac, meet
from osler.http.local_issuer import LOCAL_ISSUER
from osler.http.policy import Action
from osler.observe.keys import secret_key
from osler.settings import Settings

COLUMNS = ("user_id", "subject", "role")
MOST_ROWS = 100_000
Named = UUID | str
"""A pseudonym, or the subject of a sign-in."""


def gather(
    users: Sequence[UUID] | None, subjects: Sequence[str] | None, file: Path | None, role: MemberRole
) -> dict[Named, MemberRole]:
    """Everybody who is named, each once, with the role that the file says, else `role`.

    Errors: InvalidInput when nobody is named, or somebody in two roles; UnreadableSource, naming the line.
    """
    found: dict[Named, MemberRole] = dict.fromkeys([*(users or ()), *(subjects or ())], role)
    for line, who, said in _rows(file) if file is not None else ():
        if found.setdefault(who, said or role) is not (said or role):
            raise InvalidInput(f"line {line} names somebody again, in another role", code="class.twice")
    if not found:
        raise InvalidInput("name somebody: pseudonyms, --subject SUB, or --from FILE", code="class.nobody")
    return found


def _rows(file: Path) -> Iterator[tuple[int, Named, MemberRole | None]]:
    try:
        with file.open(encoding="utf-8-sig", newline="") as text:
            rows = csv.DictReader(text, strict=True)
            _check_columns(rows.fieldnames or ())
            for row in rows:
                if rows.line_num > MOST_ROWS:
                    raise UnreadableSource(f"more than {MOST_ROWS:,} lines are no class", code="class.file")
                yield rows.line_num, _who(row, rows.line_num), _role(row, rows.line_num)
    except OSError as error:
        raise UnreadableSource(f"{file}: {error.strerror}", code="class.file") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise UnreadableSource(f"{file.name} is no CSV in UTF-8: {error}", code="class.file") from error


def _check_columns(columns: Sequence[str]) -> None:
    if not {"user_id", "subject"} & set(columns):
        raise UnreadableSource(
            f"the first line names the columns; user_id or subject is needed, {', '.join(COLUMNS)} are read",
            code="class.file",
        )


def _who(row: Mapping[str, str | None], line: int) -> Named:
    pseudonym, subject = (row.get("user_id") or "").strip(), (row.get("subject") or "").strip()
    if bool(pseudonym) is bool(subject):
        raise UnreadableSource(f"line {line} needs a user_id or a subject, one of both", code="class.file")
    if subject:
        return subject
    try:
        return UUID(pseudonym)
    except ValueError:
        raise UnreadableSource(f"line {line}: its user_id is no pseudonym (UUID)", code="class.file") from None


def _role(row: Mapping[str, str | None], line: int) -> MemberRole | None:
    said = (row.get("role") or "").strip()
    if said and said not in set(MemberRole):
        raise UnreadableSource(f"line {line}: a role is one of {', '.join(MemberRole)}", code="class.file")
    return MemberRole(said) if said else None


async def pseudonyms(
    session: WriteSession, settings: Settings, issuer: str | None, named: Mapping[Named, object], *, meets: bool
) -> dict[Named, UUID]:
    """The pseudonym of everybody; with `meets`, a subject that never signed in gets one now, before its first token.

    Errors: InvalidInput where a subject has no issuer that signs others in; NotFound for one that never signed in;
    Forbidden `subject.erased`.
    """
    name = issuer or settings.issuer
    key = secret_key(settings.home, IDENTITY_KEY)
    found: dict[Named, UUID] = {}
    for who in named:
        if isinstance(who, UUID):
            found[who] = who
        elif name is None or name == LOCAL_ISSUER:
            raise InvalidInput(
                "a subject needs its issuer: set OSLER_ISSUER or --issuer. The local issuer's subjects are pseudonyms",
                code="class.issuer",
            )
        elif meets:
            found[who] = await meet(session, name, identity_mac(key, name, who), uuid.uuid4())
        elif (known := await find(session, name, identity_mac(key, name, who))) is not None:
            found[who] = known
        else:
            raise NotFound("one of the subjects has never signed in; nobody was taken out", code="class.stranger")
    return found


def by_operator(action: Action) -> AuditEntry:
    """The audit entry of a command: whoever has a shell on the machine, whom no token names."""
    return AuditEntry(
        actor_id=None,
        role="operator",
        action=action,
        purpose="unstated",
        subject_id=None,
        fields=(),
        is_allowed=True,
        request_id="command",
    )
