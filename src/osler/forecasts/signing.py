"""Who signed this model? Bytes under an Ed25519 signature, checked before anything in them is read; and the own key.

A sealed file is one JSON object: `format`, `sha256` and `signature` of the bytes of `payload` as they stand, and
`payload` itself.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from osler.errors import IntegrityBroken, Misconfigured
from osler.observe.keys import write_once

FORMAT = 1
SUFFIX = ".model.json"
LARGEST_BYTES = 64 * 1024 * 1024
KEY_FILE = "models-ed25519.pem"


class Refused(IntegrityBroken):
    """A model file may not be served."""

    default_code = "model.refused"


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    format: int
    sha256: str
    signature: str
    payload: msgspec.Raw


def seal(payload: bytes, key: Ed25519PrivateKey) -> bytes:
    """The bytes of a sealed file around a payload, which is JSON already."""
    signature = base64.b64encode(key.sign(payload)).decode()
    return msgspec.json.encode(_File(FORMAT, hashlib.sha256(payload).hexdigest(), signature, msgspec.Raw(payload)))


def unseal(raw: bytes, keys: Sequence[Ed25519PublicKey]) -> bytes:
    """The payload's bytes of a file that one of the keys has signed. Errors: Refused, saying why."""
    if len(raw) > LARGEST_BYTES:
        raise Refused("The model file is too large.")
    try:
        file = msgspec.json.decode(raw, type=_File)
    except msgspec.DecodeError as broken:
        raise Refused("The model file is cut, or is no JSON of a model.") from broken
    if file.format != FORMAT:
        raise Refused(f"The model file has format {file.format}; this version reads {FORMAT}.")
    signed = bytes(file.payload)
    if hashlib.sha256(signed).hexdigest() != file.sha256:
        raise Refused("The model file's content does not match its hash.")
    try:
        signature = base64.b64decode(file.signature, validate=True)
    except binascii.Error as broken:
        raise Refused("The model file's signature is not readable.") from broken
    if not any(_is_signed_by(key, signature, signed) for key in keys):
        raise Refused("The model file is not signed by a key that is trusted here.")
    return signed


def _is_signed_by(key: Ed25519PublicKey, signature: bytes, signed: bytes) -> bool:
    try:
        key.verify(signature, signed)
    except InvalidSignature:
        return False
    return True


def write_whole(raw: bytes, path: Path) -> None:
    """Write a file whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    part.write_bytes(raw)
    os.replace(part, path)


def own_key(home: Path) -> Ed25519PrivateKey:
    """The key that this installation signs its models with, made on first use under `OSLER_HOME/keys`.

    Errors: Misconfigured when the file holds another kind of key.
    """
    path = home / "keys" / KEY_FILE
    if not path.exists():
        write_once(path, _new_key())
    key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    if not isinstance(key, Ed25519PrivateKey):
        raise Misconfigured(f"{path} holds no Ed25519 key; remove it and a new one is made.")
    return key


def _new_key() -> bytes:
    return Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
