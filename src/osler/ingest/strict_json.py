"""Reads one JSON text and refuses what parsers disagree about: NUL, lone surrogates, repeated keys, odd numbers."""

from __future__ import annotations

import json
import math
import re
from typing import Any, NoReturn, cast

from osler.domain.event_fields import INT_MAX
from osler.domain.outcomes import Code, EventProblem

MAX_DEPTH = 16
MAX_KEYS = 200
MAX_ABSOLUTE = 10.0**15
MAX_DIGITS = 400

_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*+"|[\[\]{}]', re.DOTALL)
_SURROGATE = re.compile("[\ud800-\udfff]")


def parse(raw: bytes, *, max_depth: int = MAX_DEPTH) -> Any:
    """The value of a JSON text.

    Errors: EventProblem `json.encoding`, `json.depth`, `json.duplicate_key`, `json.nul`, `json.number`. A text that is
    no JSON at all raises ValueError.
    """
    check_depth(raw, max_depth)
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        raise EventProblem(Code.JSON_ENCODING) from None
    value = _decoder.decode(text)
    _check_texts(value)
    return value


def check_depth(raw: bytes, max_depth: int = MAX_DEPTH) -> None:
    """Stops at the first bracket that lies too deep, so that a hundred thousand of them cost nothing."""
    if raw.count(b"[") + raw.count(b"{") <= max_depth:
        return
    depth = 0
    for match in _TOKEN.finditer(raw):
        token = match[0]
        if token in {b"[", b"{"}:
            depth += 1
            if depth > max_depth:
                raise EventProblem(Code.JSON_DEPTH)
        elif token in {b"]", b"}"}:
            depth -= 1


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(pairs) > MAX_KEYS:
        raise EventProblem(Code.JSON_DEPTH)
    made = dict(pairs)
    if len(made) != len(pairs):
        raise EventProblem(Code.JSON_DUPLICATE_KEY)
    for key in made:
        _check_text(key)
    return made


def _integer(text: str) -> int:
    if len(text) > MAX_DIGITS or abs(value := int(text)) > INT_MAX:
        raise EventProblem(Code.JSON_NUMBER)
    return value


def _number(text: str) -> float:
    value = float(text)
    if not math.isfinite(value) or abs(value) > MAX_ABSOLUTE:
        raise EventProblem(Code.JSON_NUMBER)
    return value + 0.0  # −0 becomes 0


def _constant(_text: str) -> NoReturn:
    raise EventProblem(Code.JSON_NUMBER)


def _check_text(text: str) -> None:
    if "\0" in text:
        raise EventProblem(Code.JSON_NUL)
    if not text.isascii() and _SURROGATE.search(text):
        raise EventProblem(Code.JSON_ENCODING)


def _check_texts(value: Any) -> None:
    if isinstance(value, str):
        _check_text(value)
    elif isinstance(value, list):
        for each in cast("list[Any]", value):
            _check_texts(each)
    elif isinstance(value, dict):
        for each in cast("dict[str, Any]", value).values():
            _check_texts(each)


_decoder = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=_integer, parse_float=_number, parse_constant=_constant
)
