"""Settings from the environment, with NAME_FILE for secrets, checked once at start."""

import os
import sys
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from pydantic import ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict


class SettingsError(Exception):
    """A setting is missing or wrong; the message names the variable."""


class _SecretFiles(PydanticBaseSettingsSource):
    """Reads ``NAME`` from the file that ``NAME_FILE`` points to, as container secrets are mounted."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        name = field_name.upper()
        path = os.environ.get(f"{name}_FILE")
        if not path:
            return None, field_name, False
        if os.environ.get(name):
            raise SettingsError(f"Set {name} or {name}_FILE, not both.")
        try:
            return Path(path).read_text().rstrip("\r\n"), field_name, False
        except OSError as exc:
            raise SettingsError(f"{name}_FILE: {path} cannot be read ({exc.strerror}).") from exc

    def __call__(self) -> dict[str, Any]:
        found = {
            name: self.get_field_value(field, name)[0]
            for name, field in self.settings_cls.model_fields.items()
        }
        return {name: value for name, value in found.items() if value is not None}


class ServiceSettings(BaseSettings):
    """What every service can be told. A variable set to nothing counts as not set."""

    model_config = SettingsConfigDict(frozen=True, env_ignore_empty=True, extra="ignore")

    host: str = "127.0.0.1"
    log_level: str = "INFO"
    log_json: bool | None = None

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - pydantic's signature
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - pydantic's signature
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, _SecretFiles(settings_cls)


SettingsT = TypeVar("SettingsT", bound=ServiceSettings)


def load_settings(cls: type[SettingsT]) -> SettingsT:
    """Read the settings or end the process with one sentence for each that is wrong."""
    try:
        return cls()
    except SettingsError as exc:
        _refuse(str(exc))
    except ValidationError as exc:
        _refuse(*(_sentence(dict(error)) for error in exc.errors()))


def _sentence(error: dict[str, Any]) -> str:
    name = str(error["loc"][0]).upper() if error["loc"] else ""
    if error["type"] == "missing":
        return f"{name} is not set. See .env.example for what it means."
    message = str(error["msg"]).removeprefix("Value error, ")
    return f"{name}: {message}." if name else message


def _refuse(*sentences: str) -> NoReturn:
    for sentence in sentences:
        print(sentence, file=sys.stderr)
    raise SystemExit(2)
