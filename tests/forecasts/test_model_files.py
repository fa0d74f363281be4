"""P18: is a model file that is swapped, cut, no JSON, out of range, for other features or of an old format refused?"""

from __future__ import annotations

import base64
import hashlib
import json
import pickle
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from osler.errors import NotFound
from osler.forecasts import model_files
from osler.forecasts.model_files import Manifest, Payload, Refused, load, sign, verify, write
from osler.science.features import NAMES
from osler.science.next_answer import NextAnswerModel, Regression, TopicWeights
from osler.science.trees import Boosted, Tree

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER = Ed25519PrivateKey.from_private_bytes(bytes(32))
TRUSTED = [KEY.public_key()]


def model(**changes: Any) -> NextAnswerModel:
    rng = np.random.default_rng(0)
    regression = Regression(
        intercept=0.2,
        items={"q1": 0.3},
        topics={"heart": TopicWeights(0.1, 0.2, -0.3)},
        counts=(0.1, -0.1, 0.05, -0.05),
        mean=tuple(rng.normal(size=len(NAMES)).tolist()),
        spread=tuple(rng.uniform(0.5, 2, len(NAMES)).tolist()),
        weights=tuple(rng.normal(size=len(NAMES)).tolist()),
    )
    boosted = Boosted(0.1, (Tree((0, -1, -1), (0.5, 0.0, 0.0), (1, 0, 0), (2, 0, 0), (0.0, -0.2, 0.3)),))
    return NextAnswerModel(
        changes.get("features", NAMES), changes.get("regression", regression), changes.get("boosted", boosted)
    )


def payload(version: str = "next-2", **changes: Any) -> Payload:
    manifest = Manifest(changes.get("task", "next-answer"), version, NAMES, "0.1.0", "2026-11-01T00:00:00Z", 100, 5000)
    cases = [(tuple(np.linspace(-1, 1, len(NAMES)).tolist()), "q1", (("heart", 3, 1),))]
    made = changes.get("model", model())
    return Payload(manifest, made, model_files.golden_of(model(), cases))


def resigned(change: Any, key: Ed25519PrivateKey = KEY) -> bytes:
    """A file whose payload was changed by somebody who holds a key."""
    content = json.loads(msgspec.json.encode(payload()))
    change(content)
    raw = json.dumps(content).encode()
    signature = base64.b64encode(key.sign(raw)).decode()
    head = {"format": 1, "sha256": hashlib.sha256(raw).hexdigest(), "signature": signature}
    return json.dumps(head)[:-1].encode() + b', "payload": ' + raw + b"}"


def test_a_signed_file_comes_back_as_it_was() -> None:
    assert verify(sign(payload(), KEY), TRUSTED, version="next-2") == payload()
    assert verify(resigned(lambda content: None), TRUSTED) == payload()


def test_one_changed_byte_is_refused() -> None:
    raw = sign(payload(), KEY)
    at = raw.index(b"0.1.0")
    with pytest.raises(Refused, match="hash"):
        verify(raw[:at] + b"0.2.0" + raw[at + 5 :], TRUSTED)


def test_a_file_signed_by_somebody_else_is_refused() -> None:
    with pytest.raises(Refused, match="not signed"):
        verify(sign(payload(), OTHER), TRUSTED)
    with pytest.raises(Refused, match="not signed"):
        verify(sign(payload(), KEY), [])


@pytest.mark.parametrize("share", [0.0, 0.3, 0.999])
def test_a_cut_file_is_refused(share: float) -> None:
    raw = sign(payload(), KEY)
    with pytest.raises(Refused, match="cut"):
        verify(raw[: int(share * len(raw))], TRUSTED)


def test_a_pickle_named_json_is_refused_and_never_read(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = pickle.dumps({"model": 1})

    def never(*_: Any, **__: Any) -> None:
        raise AssertionError("a pickle was read")

    for name in ("load", "loads", "Unpickler"):
        monkeypatch.setattr(pickle, name, never)
    monkeypatch.setattr("joblib.load", never)
    with pytest.raises(Refused):
        verify(raw, TRUSTED)
    assert verify(sign(payload(), KEY), TRUSTED) == payload()


def test_another_version_under_the_name_is_refused() -> None:
    with pytest.raises(Refused, match="another version"):
        verify(sign(payload("next-1"), KEY), TRUSTED, version="next-2")


def test_an_old_format_is_refused() -> None:
    raw = sign(payload(), KEY).replace(b'"format":1', b'"format":0')
    with pytest.raises(Refused, match="format 0"):
        verify(raw, TRUSTED)


def set_to(path: str, value: Any) -> Any:
    *parents, last = path.split(".")

    def change(content: Any) -> None:
        for part in parents:
            content = content[int(part)] if part.isdigit() else content[part]
        content[int(last) if last.isdigit() else last] = value

    return change


@pytest.mark.parametrize(
    ("path", "value", "why"),
    [
        ("manifest.task", "exam", "another task"),
        ("manifest.features", ["item_easiness"], "other features"),
        ("model.features", ["item_easiness"], "other features"),
        ("model.regression.weights", [0.0] * 23, "do not match"),
        ("model.regression.weights.3", 1e9, "absurdly large"),
        ("model.regression.items.q1", float("nan"), "shape of a model|cut"),
        ("model.regression.items.q1", 0.4, "golden"),
        ("model.regression.spread.0", 0.0, "above 0"),
        ("model.boosted.trees.0.left.0", 0, "points outside"),
        ("model.boosted.trees.0.feature.0", 24, "points outside"),
        ("model.boosted.trees.0.value", [0.0], "one length"),
        ("model.boosted.trees.0.value.1", 0.25, "golden"),
        ("golden", [], "no golden"),
        ("golden.0.features", [1.0], "golden prediction rests"),
        ("extra", 1, "shape"),
    ],
)
def test_a_signed_file_that_makes_no_sense_is_refused_all_the_same(path: str, value: Any, why: str) -> None:
    with pytest.raises(Refused, match=why):
        verify(resigned(set_to(path, value)), TRUSTED)


def test_infinity_by_overflow_is_refused() -> None:
    raw = resigned(set_to("model.regression.intercept", 0.123456))
    content = raw[raw.index(b'"payload": ') + 11 : -1].replace(b"0.123456", b"1e999")
    signature = base64.b64encode(KEY.sign(content)).decode()
    head = {"format": 1, "sha256": hashlib.sha256(content).hexdigest(), "signature": signature}
    with pytest.raises(Refused):
        verify(json.dumps(head)[:-1].encode() + b', "payload": ' + content + b"}", TRUSTED)


def test_nothing_out_of_range_is_signed_at_all() -> None:
    with pytest.raises(Refused):
        sign(payload(model=model(features=("item_easiness",))), KEY)


def test_the_last_good_one_serves_and_the_refused_are_named(tmp_path: Path) -> None:
    write(payload("next-1"), KEY, tmp_path)
    newest = write(payload("next-3"), KEY, tmp_path)
    newest.write_bytes(newest.read_bytes()[:-50])
    loaded = load(tmp_path, TRUSTED, ["next-3", "next-2", "next-1"])
    assert loaded.payload.manifest.version == "next-1"
    assert [refusal.name for refusal in loaded.refused] == ["next-3.model.json", "next-2.model.json"]
    with pytest.raises(NotFound, match="next-3"):
        load(tmp_path, TRUSTED, ["next-3"])
