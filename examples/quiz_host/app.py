"""A small quiz application, tracked by Osler: what an existing FastAPI application has to add is marked with →."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Annotated, Any

from fastapi import Cookie, Depends, FastAPI, HTTPException, Request
from pydantic import BaseModel

from osler.tracking import Osler, TrackingMiddleware, maps_to, path

QUESTIONS = {
    "q0": ("Which valve lies between the left atrium and the left ventricle?", {"A": "mitral", "B": "tricuspid"}),
    "q3": ("Where does the impulse of a healthy heart begin?", {"A": "sinus node", "B": "AV node"}),
}
ARTICLES = {"m0": "The heart beats about a hundred thousand times a day."}

# → Which route means which event. A wrong name stops the application when it starts.
ROUTES = {
    ("GET", "/questions/{qid}"): maps_to("question_view", question_id=path("qid")),
    ("POST", "/questions/{qid}/answer"): maps_to("question_submit", question_id=path("qid"), mode="tutor"),
    ("GET", "/articles/{slug}"): maps_to("material_open", material_id=path("slug"), kind="text"),
}


class Answer(BaseModel):
    """What the page sends."""

    key: str
    seconds: float


class Note(BaseModel):
    """A learner's own words: they stay in this application."""

    text: str


def who(request: Request, login: Annotated[str | None, Cookie()] = None) -> str:
    """The application's own way of knowing its learners; here a cookie, and no password, as it is an example."""
    if not login:
        raise HTTPException(401, "log in first")
    request.state.learner = login
    return login


Learner = Annotated[str, Depends(who)]


# → Who it was, asked after the application has answered. The name itself never leaves this process.
def subject_of(scope: MutableMapping[str, Any]) -> str | None:
    """The learner whom the application found, if it found one."""
    return scope["state"].get("learner")


def create_app(osler: Osler | None = None) -> FastAPI:
    """The application. Without a client given, OSLER_URL, OSLER_TOKEN and OSLER_TRACKING_KEY say where Osler is."""
    osler = osler or Osler.from_env()  # →
    app = FastAPI(title="Quiz")
    app.add_middleware(TrackingMiddleware, osler=osler, identify=subject_of, routes=ROUTES)  # →

    @app.get("/questions/{qid}")
    def question(qid: str, _: Learner) -> dict[str, Any]:
        text, options = QUESTIONS[_known(qid, QUESTIONS)]
        return {"text": text, "options": options}

    @app.post("/questions/{qid}/answer")
    def answer(qid: str, given: Answer, request: Request, _: Learner) -> dict[str, Any]:
        _known(qid, QUESTIONS)
        # → What the route does not say. The grade is Osler's own, from its catalogue.
        request.state.osler.set(answer=[given.key], time_to_answer_seconds=given.seconds)
        return {"right": given.key == "A"}

    @app.get("/articles/{slug}")
    def article(slug: str, _: Learner) -> dict[str, str]:
        return {"text": ARTICLES[_known(slug, ARTICLES)]}

    @app.post("/articles/{slug}/notes")
    async def note(slug: str, written: Note, learner: Learner) -> dict[str, bool]:
        # → An event that no route stands for. Its length is told, never its text; `durable` waits for the disk.
        data = {"material_id": slug, "note_id": f"note-{slug}", "action": "create", "length_chars": len(written.text)}
        return {"kept": await osler.track("note_taken", user=learner, data=data, durable=True)}

    return app


def _known(name: str, among: dict[str, Any]) -> str:
    if name not in among:
        raise HTTPException(404, "there is no such page")
    return name
