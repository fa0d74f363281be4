"""PostgreSQL without an installation: a server of our own, run from the binaries of a wheel."""

from osler.db.embedded.roles import Urls
from osler.db.embedded.supervisor import Embedded, ensure_running

__all__ = ["Embedded", "Urls", "ensure_running"]
