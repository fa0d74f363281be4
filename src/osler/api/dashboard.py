"""The page in the browser: built files out of `webdist`, compressed when they were built, never at the request."""

from __future__ import annotations

import mimetypes
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from fastapi import FastAPI, Request
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, HTMLResponse, Response

from osler.http.methods import EVERY_ADDRESS, methods_at

WEBDIST = Path(__file__).resolve().parent.parent / "webdist"
ENCODINGS = (("br", ".br"), ("gzip", ".gz"))
# What is elsewhere, or off: answering with the page would look as if it were here.
NO_PAGES = ("/api", "/metrics", "/docs", "/redoc")
FOREVER = "public, max-age=31536000, immutable"
WITHOUT_DASHBOARD = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Osler</title>
<h1>Osler</h1>
<p>This installation was built without its dashboard. The API is at work:
its description is at <a href="/api/docs">/api/docs</a>,
its health at <a href="/api/health/ready">/api/health/ready</a>.</p>
</html>
"""


@dataclass(frozen=True, slots=True)
class Asset:
    """One built file and its compressed forms."""

    path: Path
    media_type: str
    is_hashed: bool
    compressed: Mapping[str, Path]

    def response(self, accepted: str) -> Response:
        """The file in the first encoding that the browser takes."""
        chosen = next((name for name, _ in ENCODINGS if name in self.compressed and name in accepted), None)
        headers = {"Cache-Control": FOREVER if self.is_hashed else "no-cache", "Vary": "Accept-Encoding"}
        if chosen is not None:
            headers["Content-Encoding"] = chosen
        path = self.compressed[chosen] if chosen else self.path
        return FileResponse(path, media_type=self.media_type, headers=headers)


def read_assets(folder: Path) -> dict[str, Asset]:
    """Every built file by its path in the address. Only what is listed here is ever served."""
    if not folder.is_dir():
        return {}
    files = {path for path in folder.rglob("*") if path.is_file() and not _is_hidden(path.relative_to(folder))}
    suffixes = tuple(suffix for _, suffix in ENCODINGS)
    plain = [path for path in files if not path.name.endswith(suffixes)]
    return {f"/{path.relative_to(folder).as_posix()}": _asset(path, folder, files) for path in plain}


def _is_hidden(path: Path) -> bool:
    """Of the build and for it: its stamp, and the manifest of its parts."""
    return any(part.startswith(".") for part in path.parts)


def _asset(path: Path, folder: Path, files: set[Path]) -> Asset:
    kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    compressed = {name: path.with_name(path.name + suffix) for name, suffix in ENCODINGS}
    return Asset(
        path=path,
        media_type=f"{kind}; charset=utf-8" if kind.startswith("text/") else kind,
        is_hashed=path.relative_to(folder).parts[0] == "assets",
        compressed={name: beside for name, beside in compressed.items() if beside in files},
    )


class Dashboard:
    """The built files of a folder, read again when it is built anew while it is served."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._state: tuple[int, ...] = ()
        self._assets: dict[str, Asset] = {}

    def asset(self, path: str) -> Asset | None:
        """The file at an address, None where there is none."""
        state = tuple(_changed_ns(each) for each in (self._folder / "index.html", self._folder / "assets"))
        if state != self._state:
            self._assets, self._state = read_assets(self._folder), state
        return self._assets.get(path)


def _changed_ns(path: Path) -> int:
    """When a file was written, or a file in a folder made or removed; 0 where there is none."""
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


def serve_dashboard(app: FastAPI, folder: Path = WEBDIST) -> None:
    """Answer every address outside `/api` with a built file, and a page's address with the page itself."""
    built = Dashboard(folder)

    async def page(request: Request) -> Response:
        path = request.url.path
        asset = built.asset(path)
        if asset is None and path.startswith("/api") and methods_at(request):
            raise HTTPException(405)
        if asset is None and (path.startswith(NO_PAGES) or "." in path.rsplit("/", 1)[-1]):
            raise HTTPException(404)
        asset = asset or built.asset("/index.html")
        if asset is None:
            if path != "/":
                raise HTTPException(404)
            return HTMLResponse(WITHOUT_DASHBOARD)
        return asset.response(request.headers.get("accept-encoding", ""))

    app.add_route(EVERY_ADDRESS, page, methods=["GET"], include_in_schema=False)
