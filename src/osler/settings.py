"""Every setting, once: name, meaning, default, and what is refused in which profile."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from osler.domain.transport import postgres_problem, redis_problem, web_problem
from osler.errors import Misconfigured

ENV_PREFIX = "OSLER_"
_POSTGRES = ("postgresql", "postgres", "postgresql+asyncpg")
_REDIS = ("redis", "rediss", "unix")
_PROTECTED: tuple[tuple[str, Callable[[str], str | None]], ...] = (
    *((f"{name}_url", postgres_problem) for name in ("database", "owner_database", "eraser_database", "replica")),
    *((f"{name}_url", redis_problem) for name in ("redis", "broker")),
    ("sentry_dsn", web_problem),
)
"""Secrets that are addresses, and what has to be said against each in production."""


class Profile(StrEnum):
    """What the process is for; decides which shortcuts are allowed."""

    LOCAL = "local"
    PRODUCTION = "production"
    TEST = "test"


def _default_home() -> Path:
    return Path.home() / ".osler"


class Settings(BaseSettings):
    """All settings; each is read from `OSLER_<NAME>`. Secrets never show in `repr`."""

    model_config = SettingsConfigDict(
        env_prefix=ENV_PREFIX, env_ignore_empty=True, frozen=True, extra="forbid", hide_input_in_errors=True
    )

    home: Path = Field(default_factory=_default_home, description="folder of all local state")
    profile: Profile = Field(default=Profile.LOCAL, description="local, production or test")

    database_url: SecretStr | None = Field(
        default=None, description="PostgreSQL 15 or newer, as role osler_app; without it the embedded one is started"
    )
    owner_database_url: SecretStr | None = Field(
        default=None, description="the same database as a member of osler_owner, for `osler migrate` and retention"
    )
    eraser_database_url: SecretStr | None = Field(
        default=None, description="the same database as role osler_eraser, for `osler erase`"
    )
    replica_url: SecretStr | None = Field(default=None, description="streaming replica that answers reads")
    redis_url: SecretStr | None = Field(default=None, description="Redis for the cache; without it in process")
    broker_url: SecretStr | None = Field(default=None, description="Celery broker; without it jobs run in process")

    embedded_shared_buffers: str = Field(
        default="512MB", pattern=r"^\d+(kB|MB|GB)$", description="buffer memory of the embedded PostgreSQL"
    )
    embedded_linger_seconds: float = Field(
        default=3.0, ge=0, le=8, description="how long the embedded PostgreSQL waits for a next user"
    )
    embedded_fsync: bool = Field(default=True, description="off only in the test profile: a power cut would lose data")
    embedded_account: str | None = Field(
        default=None, description="account that the embedded PostgreSQL drops to when started as root"
    )

    embedded_programs_folder: Path = Field(
        default=Path("/var/cache/osler"),
        description="where root copies PostgreSQL's programs when the account it drops to cannot read the wheel",
    )

    host: str = Field(default="127.0.0.1", description="address that the API listens on")
    port: int = Field(default=8000, ge=0, le=65535, description="port of the API")
    tls_certificate: Path | None = Field(
        default=None, description="PEM file of the API's certificate and those above it; TLS 1.3 alone is spoken then"
    )
    tls_key: Path | None = Field(default=None, description="PEM file of its private key, without a password")
    metrics_host: str = Field(default="127.0.0.1", description="address of /metrics; keep it internal")
    metrics_port: int | None = Field(default=None, ge=0, le=65535, description="port of /metrics; without it none")
    health_cache_seconds: float = Field(default=1.0, ge=0, description="how long a readiness answer is kept")
    docs_enabled: bool | None = Field(default=None, description="serve /docs; off in production unless set")
    trusted_proxies: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(), description="proxy addresses whose X-Forwarded-For counts, separated by commas"
    )
    cors_origins: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(), description="origins that may call the API from a browser, separated by commas"
    )

    pool_size: int = Field(default=10, ge=1, le=500, description="database connections of one process for pages")
    ingest_pool_size: int = Field(default=4, ge=1, le=500, description="database connections kept for ingestion")
    pool_wait_seconds: float = Field(default=1.0, gt=0, le=30, description="longest wait for a connection, then 503")
    connect_timeout_seconds: float = Field(default=3.0, gt=0, le=60, description="longest wait for a new connection")
    statement_timeout_seconds: float = Field(default=10.0, gt=0, description="longest query of a page")
    job_statement_timeout_seconds: float = Field(default=3600.0, gt=0, description="longest statement of a job")
    lock_timeout_seconds: float = Field(default=3.0, gt=0, description="longest wait for a lock, then a retry")

    cache_ttl_seconds: int = Field(default=300, ge=0, description="how long an analytic answer may be kept")
    cache_max_bytes: int = Field(default=64 * 1024 * 1024, ge=0, description="memory of the in-process cache")
    cache_timeout_seconds: float = Field(default=0.1, gt=0, description="longest wait for Redis, then without it")
    rate_per_minute: int = Field(default=120, ge=1, description="requests a minute of one learner")
    rate_address_per_minute: int = Field(default=6000, ge=1, description="requests a minute of one address")

    retention_months: int = Field(default=24, ge=1, le=240, description="months of the event log that are kept")
    timezone: str = Field(default="UTC", description="zone of a learner who has none, IANA name")

    fit_most_answers: int = Field(
        default=500_000, ge=20_000, description="answers that the weekly fit of the next answer learns from; .6 kB each"
    )

    issuer: str | None = Field(default=None, description="`iss` of accepted tokens; without it the local issuer")
    audience: str = Field(default="osler", description="`aud` of accepted tokens")
    jwks_url: str | None = Field(default=None, description="key set of the issuer, https")
    issuer_ca_file: Path | None = Field(
        default=None, description="PEM file of the authorities that the key set's server may have, not the public ones"
    )
    role_claim: str = Field(default="roles", description="claim that holds the roles")
    local_issuer: bool | None = Field(default=None, description="sign tokens on this machine; refused in production")

    failpoint: str | None = Field(default=None, description="named point and what happens there; test profile only")
    log_level: str = Field(default="INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$", description="least severe log line")
    log_json: bool | None = Field(default=None, description="JSON log lines; on unless a terminal reads")
    sentry_dsn: SecretStr | None = Field(default=None, description="where errors are reported; silent without it")
    otlp_endpoint: str | None = Field(
        default=None, description="where traces go over OTLP/HTTP; off without it; needs the extra `otlp`"
    )

    @field_validator("trusted_proxies", "cors_origins", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        """Lists are written with commas in the environment."""
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("home")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        return value.expanduser().absolute()

    @field_validator("database_url", "owner_database_url", "eraser_database_url", "replica_url", "redis_url")
    @classmethod
    def _of_its_kind(cls, value: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        """Else a mistyped address would be told as a server that is away."""
        kinds = _REDIS if info.field_name == "redis_url" else _POSTGRES
        if value is not None and value.get_secret_value().partition("://")[0] not in kinds:
            msg = f"begins with {kinds[0]}://"
            raise ValueError(msg)
        return value

    @field_validator("timezone")
    @classmethod
    def _zone(cls, value: str) -> str:
        try:
            return ZoneInfo(value).key
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            msg = "is no zone of the IANA database, such as Europe/London"
            raise ValueError(msg) from error

    @field_validator("otlp_endpoint")
    @classmethod
    def _http(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("http://", "https://")):
            msg = "begins with http:// or https://, as in http://collector:4318"
            raise ValueError(msg)
        return value

    @field_validator("issuer", "jwks_url")
    @classmethod
    def _https(cls, value: str | None) -> str | None:
        """Who can change the keys on their way can sign as anybody, in whatever profile."""
        problem = None if value is None or value.startswith("urn:") else web_problem(value)
        if problem is not None:
            raise ValueError(problem)
        return value

    @field_validator("tls_certificate", "tls_key", "issuer_ca_file")
    @classmethod
    def _file(cls, value: Path | None) -> Path | None:
        if value is not None and not value.is_file():
            msg = "is no file that can be read"
            raise ValueError(msg)
        return value

    @model_validator(mode="after")
    def _one_half_of_a_certificate(self) -> Self:
        if (self.tls_certificate is None) != (self.tls_key is None):
            msg = "OSLER_TLS_CERTIFICATE and OSLER_TLS_KEY belong together; set both or none"
            raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _shortcuts_stay_out_of_production(self) -> Self:
        if self.failpoint is not None and self.profile is not Profile.TEST:
            msg = "OSLER_FAILPOINT is for OSLER_PROFILE=test; unset it"
            raise ValueError(msg)
        if not self.embedded_fsync and self.profile is not Profile.TEST:
            msg = "OSLER_EMBEDDED_FSYNC=false is for OSLER_PROFILE=test; unset it, or a power cut loses data"
            raise ValueError(msg)
        if self.profile is Profile.PRODUCTION:
            self._check_production()
        return self

    def _check_production(self) -> None:
        if self.local_issuer:
            msg = "OSLER_LOCAL_ISSUER is refused in production; set OSLER_ISSUER and OSLER_JWKS_URL"
            raise ValueError(msg)
        if self.issuer is None or self.jwks_url is None:
            msg = "production needs OSLER_ISSUER and OSLER_JWKS_URL: the local issuer is refused there"
            raise ValueError(msg)
        for name, problem_of in _PROTECTED:
            url: SecretStr | None = getattr(self, name)
            problem = problem_of(url.get_secret_value()) if url is not None else None
            if problem is not None:
                msg = f"{ENV_PREFIX}{name.upper()} {problem}; production speaks no clear text beyond this machine"
                raise ValueError(msg)

    @property
    def is_embedded(self) -> bool:
        """Whether Osler runs its own PostgreSQL."""
        return self.database_url is None

    @property
    def scheme(self) -> str:
        """How the API is spoken to: https where a certificate is set."""
        return "http" if self.tls_certificate is None else "https"

    @property
    def uses_local_issuer(self) -> bool:
        """Whether tokens are signed on this machine: never in production."""
        return self.profile is not Profile.PRODUCTION and self.local_issuer is not False and self.issuer is None

    @property
    def serves_docs(self) -> bool:
        """Whether the API shows its own documentation pages."""
        return self.docs_enabled if self.docs_enabled is not None else self.profile is not Profile.PRODUCTION

    @property
    def keys_folder(self) -> Path:
        """Folder of the local secrets: issuer key, cache tag key, pseudonym key; files in it are 0600."""
        return self.home / "keys"


def load_settings(**overrides: object) -> Settings:
    """The settings of this process: from the environment, then `overrides`.

    Errors: Misconfigured names every variable that cannot work and why, never its value.
    """
    try:
        return Settings.model_validate(overrides)
    except ValidationError as bad:
        raise Misconfigured(_explain(bad)) from None


def _explain(bad: ValidationError) -> str:
    found = bad.errors(include_input=False)
    return "; ".join(_explain_one(str(error["loc"][0]) if error["loc"] else None, error["msg"]) for error in found)


def _explain_one(name: str | None, message: str) -> str:
    if name is None:  # a rule over several settings names them itself
        return message.removeprefix("Value error, ")
    return f"{ENV_PREFIX}{name.upper()}: {message}"
