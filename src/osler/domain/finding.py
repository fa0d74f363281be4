"""A sentence that leaves Osler: a stable code, the values in it, and its English text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

Value = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Finding:
    """One sentence as `{code, params, text}`, so that other languages can be made from code and params alone.

    >>> Finding("readiness.no_cut", {}, "No pass mark is set.").as_dict()["code"]
    'readiness.no_cut'
    """

    code: str
    params: Mapping[str, Value] = field(default_factory=dict[str, Value])
    text: str = ""

    def as_dict(self) -> dict[str, object]:
        """The sentence as the API sends it."""
        return {"code": self.code, "params": dict(self.params), "text": self.text}
