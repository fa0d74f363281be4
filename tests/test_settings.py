"""Every setting comes from the environment, shows no secret, and names itself when it cannot work."""

from __future__ import annotations

from pathlib import Path

import pytest

from osler.errors import Misconfigured
from osler.settings import Profile, Settings, load_settings


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(f"OSLER_{name.upper()}", raising=False)


def production(**more: object) -> dict[str, object]:
    return {"profile": "production", "issuer": "https://id.example", "jwks_url": "https://id.example/keys", **more}


def test_without_settings_it_is_local_and_embedded() -> None:
    settings = load_settings()
    assert settings.profile is Profile.LOCAL
    assert settings.is_embedded
    assert settings.uses_local_issuer
    assert settings.home == Path.home() / ".osler"


def test_the_environment_is_read_and_an_override_wins(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("OSLER_HOME", str(tmp_path))
    monkeypatch.setenv("OSLER_PORT", "9000")
    monkeypatch.setenv("OSLER_CORS_ORIGINS", "https://a.example, https://b.example")
    settings = load_settings(port=9001)
    assert settings.home == tmp_path
    assert settings.port == 9001
    assert settings.cors_origins == ("https://a.example", "https://b.example")


def test_an_empty_variable_counts_as_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OSLER_DATABASE_URL", "")
    assert load_settings().is_embedded


def test_secrets_never_show() -> None:
    settings = load_settings(database_url="postgresql://osler_app:canary@h/d", redis_url="redis://:canary@h")
    assert "canary" not in f"{settings!r} {settings} {settings.model_dump()}"


def test_an_error_names_the_variable_and_not_its_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OSLER_PORT", "canary")
    with pytest.raises(Misconfigured, match="OSLER_PORT") as refused:
        load_settings()
    assert "canary" not in str(refused.value)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("DATABASE_URL", "mysql://canary@db/osler", "begins with postgresql://"),
        ("REPLICA_URL", "canary", "begins with postgresql://"),
        ("REDIS_URL", "http://canary:6379", "begins with redis://"),
        ("TIMEZONE", "Mars/canary", "is no zone"),
    ],
)
def test_what_is_of_another_kind_is_said_at_once(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str
) -> None:
    monkeypatch.setenv(f"OSLER_{name}", value)
    with pytest.raises(Misconfigured, match=f"OSLER_{name}.*{said}") as refused:
        load_settings()
    assert "canary" not in str(refused.value)


@pytest.mark.parametrize(
    ("override", "named"),
    [
        ({"local_issuer": True}, "OSLER_LOCAL_ISSUER"),
        ({"failpoint": "after_insert:kill"}, "OSLER_FAILPOINT"),
        ({"embedded_fsync": False}, "OSLER_EMBEDDED_FSYNC"),
        ({"issuer": None}, "OSLER_ISSUER"),
        ({"jwks_url": "http://id.example/keys"}, "OSLER_JWKS_URL"),
    ],
)
def test_shortcuts_are_refused_in_production(override: dict[str, object], named: str) -> None:
    with pytest.raises(Misconfigured, match=named):
        load_settings(**production(**override))


def test_production_signs_no_tokens_and_shows_no_docs() -> None:
    settings = load_settings(**production())
    assert not settings.uses_local_issuer
    assert not settings.serves_docs


def test_every_setting_says_what_it_is_for() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []
