"""`osler token`: a signed access token of this installation's own issuer."""

from __future__ import annotations

import json
from typing import Annotated
from uuid import UUID

import typer


def command(
    user: Annotated[
        UUID | None, typer.Option("--user", metavar="ID", help="Pseudonym (UUID); without it the installation's own.")
    ] = None,
    role: Annotated[
        list[str] | None,
        typer.Option(
            "--role",
            help="learner, educator, program_admin, analyst, auditor, privacy_officer or service_ingest; may repeat.",
        ),
    ] = None,
    scope: Annotated[
        list[str] | None, typer.Option("--scope", help="Scope, e.g. events:write; the role's usual ones without it.")
    ] = None,
    minutes: Annotated[int, typer.Option("--minutes", min=1, max=525_600, help="How long it is valid.")] = 480,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Print an access token, signed with ES256 by a key of this installation.

    The service checks it as it checks the tokens of any identity provider. Refused in production, where
    OSLER_ISSUER and OSLER_JWKS_URL name the provider.
    """
    from datetime import timedelta

    from osler import clock
    from osler.catalog.own_learner import own_learner
    from osler.http.auth import open_local_issuer
    from osler.http.local_issuer import default_scopes
    from osler.http.policy import Role
    from osler.settings import load_settings

    unknown = sorted(set(role or ()) - set(Role))
    if unknown:
        typer.echo(f"osler: there is no role {', '.join(unknown)}; roles are {', '.join(Role)}", err=True)
        raise typer.Exit(2)
    settings = load_settings()
    roles = frozenset(Role(name) for name in role or ("learner",))
    user_id = user or own_learner(settings.home)
    scopes = default_scopes(roles) if scope is None else frozenset(scope)
    now, lifetime = clock.now(), timedelta(minutes=minutes)
    signed = open_local_issuer(settings).sign(user_id, roles=roles, scopes=scopes, issued_at=now, lifetime=lifetime)
    if as_json:
        said = {
            "token": signed,
            "user_id": str(user_id),
            "roles": sorted(roles),
            "scopes": sorted(scopes),
            "expires_at": (now + lifetime).isoformat(timespec="seconds"),
        }
        typer.echo(json.dumps(said))
    else:
        typer.echo(signed)
