"""May this model file be served? Signed JSON, checked before a number of it is used; never a pickle.

A file is one JSON object: `format`, `sha256` and `signature` (Ed25519) of the bytes of `payload`, and `payload` itself:
a manifest (which task, which features, trained until when, on what), the model, and golden predictions. Loading
verifies the signature over the bytes as they stand, before it parses them; then kind, version, features, ranges, and
that the model still gives its golden predictions. What fails is refused with a reason, and the last good one serves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from osler.errors import InvalidModelInput, NotFound
from osler.forecasts.signing import SUFFIX, Refused, seal, unseal, write_whole
from osler.science import next_answer
from osler.science.features import NAMES, TopicHistory
from osler.science.next_answer import NextAnswerModel

TASK = "next-answer"
TOLERANCE = 1e-12


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a model is and what it rests on. `trained_until` is ISO 8601, the newest answer that a fit saw."""

    task: str
    version: str
    features: tuple[str, ...]
    code_version: str
    trained_until: str
    learners: int
    rows: int
    metrics: dict[str, float] = {}


class Golden(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One forecast that the model must still give. `topics` are (name, right answers, wrong answers)."""

    features: tuple[float, ...]
    item: str
    topics: tuple[tuple[str, int, int], ...]
    probability: float


class Payload(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is signed."""

    manifest: Manifest
    model: NextAnswerModel
    golden: tuple[Golden, ...]


@dataclass(frozen=True, slots=True)
class Refusal:
    """A file that was not served, and why: what an alert says."""

    name: str
    reason: str


def golden_of(
    model: NextAnswerModel, cases: Sequence[tuple[Sequence[float], str, Sequence[tuple[str, int, int]]]]
) -> tuple[Golden, ...]:
    """Golden predictions of a model on (features, item, topics with counts) cases."""
    return tuple(
        Golden(tuple(features), item, tuple(topics), _predicted(model, features, item, topics))
        for features, item, topics in cases
    )


def _predicted(
    model: NextAnswerModel, features: Sequence[float], item: str, topics: Sequence[tuple[str, int, int]]
) -> float:
    histories = [(name, TopicHistory(right=right, wrong=wrong)) for name, right, wrong in topics]
    return next_answer.predict(model, features, item, histories)


def sign(payload: Payload, key: Ed25519PrivateKey) -> bytes:
    """The bytes of a signed file. Errors: Refused for a payload that could not be loaded again."""
    _check(payload)
    return seal(msgspec.json.encode(payload, order="deterministic"), key)


def write(payload: Payload, key: Ed25519PrivateKey, folder: Path) -> Path:
    """Write a signed file under the name of its version, whole or not at all."""
    path = folder / f"{payload.manifest.version}{SUFFIX}"
    write_whole(sign(payload, key), path)
    return path


def verify(raw: bytes, keys: Sequence[Ed25519PublicKey], *, version: str | None = None) -> Payload:
    """The payload of a signed file. `version`, if given, must be the manifest's: no file serves under another name.

    Errors: Refused, saying why.
    """
    signed = unseal(raw, keys)
    try:
        payload = msgspec.json.decode(signed, type=Payload)
    except msgspec.DecodeError as broken:
        raise Refused("The model file's content does not have the shape of a model.") from broken
    if version is not None and payload.manifest.version != version:
        raise Refused("The model file holds another version than its name says.")
    _check(payload)
    return payload


def _check(payload: Payload) -> None:
    """Task, features, ranges, golden predictions."""
    if payload.manifest.task != TASK:
        raise Refused(f"The model file is for another task than {TASK}.")
    if payload.manifest.features != NAMES:
        raise Refused("The model was trained on other features than those computed here.")
    if not payload.golden:
        raise Refused("The model file holds no golden predictions.")
    try:
        next_answer.check(payload.model)
    except InvalidModelInput as wrong:
        raise Refused(f"The model is out of range: {wrong.text}") from wrong
    for case in payload.golden:
        if len(case.features) != len(NAMES):
            raise Refused("A golden prediction rests on other features than those computed here.")
        got = _predicted(payload.model, case.features, case.item, case.topics)
        if not abs(got - case.probability) <= TOLERANCE:
            raise Refused("The model does not give its golden predictions.")


@dataclass(frozen=True, slots=True)
class Loaded:
    """The model to serve, and the files that were refused before it was found."""

    payload: Payload
    refused: tuple[Refusal, ...]


def load(folder: Path, keys: Sequence[Ed25519PublicKey], versions: Sequence[str]) -> Loaded:
    """The first of the versions (the promoted one first, then earlier ones) whose file may be served.

    Errors: NotFound, with each reason, where none may.
    """
    refused: list[Refusal] = []
    for version in versions:
        path = folder / f"{version}{SUFFIX}"
        try:
            return Loaded(verify(path.read_bytes(), keys, version=version), tuple(refused))
        except OSError:
            refused.append(Refusal(path.name, "The file is not there or cannot be read."))
        except Refused as wrong:
            refused.append(Refusal(path.name, wrong.text))
    reasons = "; ".join(f"{refusal.name}: {refusal.reason}" for refusal in refused)
    raise NotFound(f"No model file may be served. {reasons}", code="model.none")
