"""Settings from the environment (or a ``.env`` file), with defaults that run the demo."""

from __future__ import annotations

import ipaddress
import tomllib
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

ROOT = Path(__file__).resolve().parent.parent


class Settings(BaseSettings):
    """Every setting of the application.

    ``DATABASE_URL`` names the store; all others begin with ``TEPAT_``.
    """

    model_config = SettingsConfigDict(
        env_file=".env", env_prefix="TEPAT_", extra="ignore", env_ignore_empty=True
    )

    folder: Path = Field(default=ROOT / "var", description="where the SQLite store, key and models live")
    database_url: str = Field(default="", validation_alias="DATABASE_URL")
    key: str = Field(default="", description="base64 of 32 bytes; empty: a key file in the folder")
    key_file: Path | None = Field(default=None, description="a key file elsewhere; empty: one in the folder")
    key_command: str = Field(default="", description="a command that prints the key")
    audit_head: Path | None = Field(
        default=None, description="file in which the audit log's head is kept; empty: one in the folder"
    )
    tsa: str = Field(default="", description="service that stamps the audit log's head (RFC 3161)")
    tsa_ca: Path | None = Field(default=None, description="file of the certificates that prove its stamps")
    backup_key_file: Path | None = Field(default=None, description="key of 32 bytes that seals backups")
    backup_passphrase_file: Path | None = Field(default=None, description="or a passphrase that does")
    encoder: str = Field(default="", description="encoder name or weights path; empty: the shipped one")
    port: int = 8501
    replace_minutes: float = Field(
        default=10, ge=0, description="a process that is replaced waits so long for its tabs to be closed"
    )
    session_hours: float = Field(default=8, gt=0, description="a session ends after so long, used or not")
    idle_minutes: float = Field(default=30, gt=0, description="a session ends after so long without an act")
    first_password_days: float = Field(
        default=14, gt=0, description="a password set by somebody else opens nothing after so long unused"
    )
    contact: str = Field(
        default="", description="whom to ask about accounts, as the sign-in says: name, e-mail, telephone"
    )
    trusted_proxies: str = Field(
        default="", description="addresses or networks whose X-Forwarded-For is believed, comma between"
    )
    connections: int = Field(default=2000, gt=0, description="open browser tabs at once, per process")
    connections_unsigned: int = Field(default=500, gt=0, description="of those, where nobody signed in")
    connections_per_address: int = Field(default=100, gt=0, description="of those, from one address")
    connections_per_account: int = Field(default=100, gt=0, description="open tabs of one account")
    unsigned_minutes: float = Field(
        default=15, gt=0, description="a silent tab in which nobody signs in is let go after so long"
    )
    upload_mb: int = Field(default=200, gt=0, description="megabytes of one uploaded file")
    uploads_mb: int = Field(default=600, gt=0, description="megabytes of all files that an account uploaded")
    uploads: int = Field(default=500, gt=0, description="files that an account has uploaded and not left")
    feeder_url: str = Field(default="", description="web service of the institution's PDDikti Neo Feeder")
    feeder_user: str = Field(default="", description="account of that Feeder")
    feeder_password: SecretStr = Field(default=SecretStr(""), description="its password")
    feeder_ca: str = Field(default="", description="file of the authority that signed its certificate")
    address: str = Field(default="", description="where the dashboard is reached, for links in messages")
    smtp_host: str = Field(default="", description="server that takes messages; empty: none are sent")
    smtp_port: int = Field(default=587, gt=0, lt=65536)
    smtp_security: Literal["starttls", "tls"] = Field(default="starttls", description="never without TLS")
    smtp_user: str = Field(default="", description="account at that server; empty: it asks for none")
    smtp_password: SecretStr = Field(default=SecretStr(""), description="its password")
    smtp_from: str = Field(default="", description="sender's address of the messages")
    smtp_ca: str = Field(default="", description="file of the authority that signed its certificate")
    api: bool = Field(default=False, description="whether the JSON service answers at /api/v1 and /metrics")
    api_mb: int = Field(default=20, gt=0, description="megabytes of one request to the JSON service")
    api_per_token: int = Field(default=120, gt=0, description="requests a minute of one token")
    api_per_address: int = Field(default=240, gt=0, description="requests a minute from one address")
    metrics_loopback: bool = Field(
        default=False, description="whether /metrics answers this machine itself without a token"
    )
    signature_recipe: Path | None = Field(
        default=None, description="weights of the recipe graduation; empty: graduation.safetensors in models/"
    )
    oidc: Path | None = Field(
        default=None, description="file of the institution's own sign-in; empty: oidc.toml in the folder"
    )
    oidc_client_secret: SecretStr = Field(
        default=SecretStr(""), description="its secret, instead of the file"
    )
    local_accounts: bool = Field(default=True, description="whether passwords of the store open anything")
    threads: int = Field(default=0, description="CPU threads for torch and xgboost; 0: all")

    @field_validator("trusted_proxies")
    @classmethod
    def _are_networks(cls, value: str) -> str:
        parts = [part.strip() for part in value.split(",") if part.strip()]
        for part in parts:
            ipaddress.ip_network(part)  # a name or a typing error would be believed of nobody, silently
        return ",".join(parts)

    @property
    def url(self) -> str:
        """The store's SQLAlchemy URL; SQLite in :attr:`folder` unless ``DATABASE_URL`` is set."""
        if self.database_url:
            return self.database_url.replace("postgresql://", "postgresql+psycopg://", 1)
        return f"sqlite:///{self.folder / 'tepat.db'}"

    @property
    def models_folder(self) -> Path:
        """Where trained models are written."""
        return self.folder / "models"


@lru_cache
def software_version() -> str:
    """Version of the installed package, or that of the source tree."""
    try:
        return version("tepat")
    except PackageNotFoundError:
        return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]


@lru_cache
def get_settings() -> Settings:
    """The settings of this process, read once."""
    return Settings()
