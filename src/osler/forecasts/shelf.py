"""Where do this installation's model files stand, and which of them is served? The newest that may be.

A file that is refused is counted and logged, and the one promoted before it serves; where none may, the caller goes
without a model.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

from osler.errors import NotFound
from osler.forecasts import model_files
from osler.forecasts.model_files import Payload, Refusal
from osler.forecasts.signing import SUFFIX, own_key
from osler.observe import metrics
from osler.science.next_answer import NextAnswerModel

log = logging.getLogger("osler.models")

FOLDER = "models"


@dataclass(frozen=True, slots=True)
class Served:
    """A model whose file was found good, under the version that its file says."""

    version: str
    model: NextAnswerModel


class Shelf:
    """The folder of signed next-answer models under `OSLER_HOME/models`, which every process of it shares."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self.folder = home / FOLDER

    def write(self, payload: Payload) -> Path:
        """Sign a model with the installation's own key, and put it there whole or not at all."""
        return model_files.write(payload, own_key(self._home), self.folder)

    def load(self, versions: list[str]) -> Served | None:
        """The first of the versions (newest first) whose file may be served; None where none may."""
        if not versions:
            return None
        try:
            found = model_files.load(self.folder, [own_key(self._home).public_key()], versions)
        except NotFound as none:
            _alert((Refusal(f"{versions[0]}{SUFFIX}", none.text),))
            return None
        _alert(found.refused)
        return Served(found.payload.manifest.version, found.payload.model)

    def remove(self, version: str) -> None:
        """Take a file away that nobody is to be served from again."""
        (self.folder / f"{version}{SUFFIX}").unlink(missing_ok=True)


def _alert(refused: tuple[Refusal, ...]) -> None:
    for refusal in refused:
        metrics.security_events.labels("model_refused").inc()
        log.error("model file %s is not served: %s", refusal.name, refusal.reason)
