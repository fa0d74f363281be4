"""The service, wired in one place: what a process opens, which routers it serves, in which order."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute
from starlette.middleware.cors import CORSMiddleware

from osler import __version__
from osler.analytics.registry import analytics
from osler.api import bank, catalogue, classes, health, me, privacy, summary
from osler.api.dashboard import serve_dashboard
from osler.api.description import describe
from osler.api.following import Following
from osler.api.reference import serve_reference
from osler.db.engine import Database
from osler.db.partitions import ensure_ahead
from osler.errors import Misconfigured
from osler.http.answers import Answers
from osler.http.auth import open_verifier
from osler.http.cache.open import open_cache, running
from osler.http.edge import Edge
from osler.http.kept import Kept
from osler.http.platform import Platform
from osler.http.problems import install_problems
from osler.http.rates import open_rates
from osler.http.scope import Require, public
from osler.http.straight import Straight
from osler.ingest.routes import routers as ingest_routers
from osler.ingest.routes.hooks import Hooks
from osler.live.gauges import keep_looking
from osler.observe import metrics
from osler.observe.reports import report
from osler.observe.statements import note_statement
from osler.privacy.sightings import Sightings
from osler.settings import Settings

DESCRIPTION = "Events in, seven analytics and one decision out: what to study next, and how sure we are."

Beside = Callable[[Platform], AbstractAsyncContextManager[None]]


def routers(following: Following) -> list[APIRouter]:
    """Every router of the service, in the order of the documentation."""
    hooks = Hooks(following.catch_up, following.wake, following.mastery_of)
    features = [analytic.router for analytic in analytics() if analytic.router is not None]
    catalog = [catalogue.router(), bank.router(), classes.router()]
    own = [health.router(), me.router(), privacy.router(), *catalog, summary.router()]
    return [*own, *ingest_routers(hooks), *features]


def create_app(settings: Settings, *, beside: Sequence[Beside] = ()) -> FastAPI:
    """The application. Nothing is opened before its lifespan begins, so that OpenAPI needs no server.

    `beside` is what else runs in the process while it serves, such as the nightly jobs.

    Errors: Misconfigured when a route declares no policy: what is not decided is not served.
    """
    following = Following()
    app = FastAPI(
        title="Osler",
        version=__version__,
        description=DESCRIPTION,
        lifespan=lambda app: _running(app, settings, following, beside),
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        generate_unique_id_function=operation_id,
    )
    for router in routers(following):
        app.include_router(router)
    refuse_undecided(app)
    install_problems(app)
    describe(app)
    app.add_middleware(Straight, routes=api_routes(app))
    app.add_middleware(Kept)
    if settings.cors_origins:
        app.add_middleware(
            CORSMiddleware, allow_origins=list(settings.cors_origins), allow_methods=["*"], allow_headers=["*"]
        )
    app.add_middleware(Edge, report=report)
    metrics.declare_routes(route.path for route in api_routes(app))
    if settings.serves_docs:
        serve_reference(app)
    serve_dashboard(app)
    return app


@asynccontextmanager
async def _running(
    app: FastAPI, settings: Settings, following: Following, beside: Sequence[Beside]
) -> AsyncGenerator[None]:
    """What the process holds while it serves, closed in the opposite order."""
    async with AsyncExitStack() as stack:
        db = await stack.enter_async_context(Database.open(settings))
        db.on_query = note_statement
        verifier = open_verifier(settings, db)
        stack.push_async_callback(verifier.close)
        cache = await stack.enter_async_context(open_cache(settings, verifier.forget))
        await ensure_ahead(db)
        await stack.enter_async_context(following.open(db, cache))
        sightings = Sightings(settings, db)
        await stack.enter_async_context(running(sightings.keep_flushing()))
        rates = open_rates(settings)
        stack.push_async_callback(rates.close)
        platform = Platform(settings, db, verifier, Answers(cache), rates, sightings.see)
        await stack.enter_async_context(running(keep_looking(db)))
        for begin in beside:
            await stack.enter_async_context(begin(platform))
        app.state.platform = platform
        yield
        app.state.platform = None


def api_routes(app: FastAPI | APIRouter) -> list[APIRoute]:
    """The routes of the API, without pages: those of the application and of every router inside it."""
    found: list[APIRoute] = []
    for route in app.routes:
        # Newer FastAPI keeps an included router as one entry; older ones copied its routes up.
        inner = getattr(route, "original_router", None)
        if isinstance(inner, APIRouter):
            found += api_routes(inner)
        elif isinstance(route, APIRoute):
            found.append(route)
    return found


def operation_id(route: APIRoute) -> str:
    """A stable name for generated clients: the tag and the function."""
    return f"{route.tags[0] if route.tags else 'api'}_{route.name}"


def refuse_undecided(app: FastAPI) -> None:
    """Default deny, before the first request. Errors: Misconfigured, naming the routes without a policy."""
    if not api_routes(app):
        raise Misconfigured("no route was found, so none can be checked")
    undecided = [f"{sorted(route.methods or ())} {route.path}" for route in api_routes(app) if policy_of(route) is None]
    if undecided:
        raise Misconfigured(f"routes without a policy: {', '.join(undecided)}; declare require(Action.…) or PUBLIC")


def policy_of(route: APIRoute) -> str | None:
    """The action that a route requires, `public`, or None where nothing is declared."""
    found = {_declared(dependency.call) for dependency in route.dependant.dependencies} - {None}
    return found.pop() if len(found) == 1 else None


def _declared(call: object) -> str | None:
    if isinstance(call, Require):
        return call.action.value
    return "public" if call is public else None
