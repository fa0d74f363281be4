"""Key sets of an issuer: what is usable, how often it is asked, what happens while it is away."""

import json

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import dsa, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, SECP384R1, generate_private_key
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from osler import clock
from osler.http.keysets import RemoteKeys, read_keyset, verifying_key


def keyset() -> dict[str, list[dict[str, object]]]:
    entries = {
        "ec": ECAlgorithm.to_jwk(generate_private_key(SECP256R1()).public_key(), as_dict=True),
        "rsa": RSAAlgorithm.to_jwk(rsa.generate_private_key(65537, 2048).public_key(), as_dict=True),
        "ed": OKPAlgorithm.to_jwk(ed25519.Ed25519PrivateKey.generate().public_key(), as_dict=True),
        "secret": {"kty": "oct", "k": "c2VjcmV0"},
        "broken": {"kty": "EC", "crv": "P-256", "x": "!!", "y": "!!"},
    }
    return {"keys": [{**entry, "kid": kid} for kid, entry in entries.items()]}


def test_each_key_is_bound_to_one_algorithm_and_others_are_passed_over() -> None:
    found = read_keyset(json.dumps(keyset()).encode())
    assert {kid: key.algorithm for kid, key in found.items()} == {"ec": "ES256", "rsa": "RS256", "ed": "EdDSA"}


def test_weak_foreign_and_private_keys_are_not_used() -> None:
    assert verifying_key(rsa.generate_private_key(65537, 1024).public_key()) is None
    assert verifying_key(generate_private_key(SECP384R1()).public_key()) is None
    assert verifying_key(dsa.generate_private_key(1024).public_key()) is None
    assert verifying_key(generate_private_key(SECP256R1())) is None
    assert verifying_key(b"secret") is None


class Issuer:
    """An issuer behind a counted transport."""

    def __init__(self) -> None:
        self.asked = 0
        self.is_down = False
        self.redirects = False
        self.document = keyset()

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked += 1
        if self.is_down:
            raise httpx.ConnectError("down")
        if self.redirects:
            return httpx.Response(302, headers={"Location": "http://evil.example/keys"})
        return httpx.Response(200, json=self.document)

    def keys(self) -> RemoteKeys:
        client = httpx.AsyncClient(transport=httpx.MockTransport(self), follow_redirects=False)
        return RemoteKeys("https://id.example/keys", client)


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    moment = [1000.0]
    monkeypatch.setattr(clock, "monotonic_seconds", lambda: moment[0])
    return moment


async def test_a03_a_flood_of_unknown_kids_asks_the_issuer_once_in_30_seconds(at: list[float]) -> None:
    issuer = Issuer()
    keys = issuer.keys()
    for n in range(1000):
        assert await keys.find(f"made-up-{n}") is None
    assert issuer.asked == 1
    at[0] += 31
    assert await keys.find("made-up") is None
    assert issuer.asked == 2


async def test_a03_known_keys_work_for_an_hour_while_the_issuer_is_down_and_no_longer(at: list[float]) -> None:
    issuer = Issuer()
    keys = issuer.keys()
    assert await keys.find("ec") is not None
    issuer.is_down = True
    at[0] += 3500
    assert await keys.find("ec") is not None
    at[0] += 200
    assert await keys.find("ec") is None
    issuer.is_down = False
    at[0] += 31
    assert await keys.find("ec") is not None


async def test_a15_redirects_are_not_followed(at: list[float]) -> None:
    issuer = Issuer()
    issuer.redirects = True
    assert await issuer.keys().find("ec") is None
    assert issuer.asked == 1
