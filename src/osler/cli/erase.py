"""`osler erase`: a learner's right to deletion, carried out and proved."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

if TYPE_CHECKING:
    from osler.settings import Settings


def command(
    user: Annotated[
        UUID | None, typer.Option("--user", metavar="ID", help="Pseudonym of the learner to erase (UUID).")
    ] = None,
    requested: Annotated[
        bool, typer.Option("--requested", help="Erase all who asked for it, and finish what was begun.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object for each learner.")] = False,
) -> None:
    """Erase a learner: events, everything made from them, caches, sign-ins; then search every table for them.

    Runs as OSLER_ERASER_DATABASE_URL (embedded: by itself). It may be stopped at any point and run again, and
    running it twice changes nothing. A tombstone stays: what that learner's devices send later is refused.
    The installation's own learner, whom `osler import` and `osler token` mean without --user, is a new one afterwards.
    Exit code 0 with a certificate, 2 when rows remain.
    """
    import asyncio

    from osler.settings import load_settings

    if (user is None) is not requested:
        typer.echo("osler: name one learner with --user ID, or all who asked with --requested", err=True)
        raise typer.Exit(2)
    asyncio.run(_erase(load_settings(), user, as_json=as_json))


async def _erase(settings: Settings, user: UUID | None, *, as_json: bool) -> None:
    from osler.privacy.erasure import erase, unfinished

    wanted = [user] if user else await unfinished(settings)
    if not wanted:
        typer.echo("nobody has asked to be erased, and nothing was begun", err=True)
    for user_id in wanted:
        certificate = await erase(settings, user_id)
        if as_json:
            said = {
                "erasure_id": str(certificate.erasure_id),
                "state": certificate.state,
                "deleted_rows": certificate.deleted_rows,
                "scanned_tables": certificate.scanned_tables,
                "certified_at": certificate.certified_at.isoformat(),
                "was_known": certificate.was_known,
            }
            typer.echo(json.dumps(said))
        else:
            rows = sum(certificate.deleted_rows.values())
            typer.echo(
                f"erased: {rows:,} rows deleted, {certificate.scanned_tables} tables searched, none holds the learner; "
                f"certificate {certificate.erasure_id}"
            )
