"""Settings from the environment (or a ``.env`` file), with defaults that run the demo."""

from __future__ import annotations

import ipaddress
import tomllib
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

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
    encoder: str = Field(default="", description="encoder name or weights path; empty: the shipped one")
    port: int = 8501
    session_hours: float = Field(default=8, gt=0, description="a session ends after so long, used or not")
    idle_minutes: float = Field(default=30, gt=0, description="a session ends after so long without an act")
    trusted_proxies: str = Field(
        default="", description="addresses or networks whose X-Forwarded-For is believed, comma between"
    )
    feeder_url: str = Field(default="", description="web service of the institution's PDDikti Neo Feeder")
    feeder_user: str = Field(default="", description="account of that Feeder")
    feeder_password: SecretStr = Field(default=SecretStr(""), description="its password")
    feeder_ca: str = Field(default="", description="file of the authority that signed its certificate")
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
