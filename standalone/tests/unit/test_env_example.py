"""The manual of the settings and the settings themselves do not drift apart."""

import re

import pytest

from dj_servicekit.settings import ServiceSettings
from standalone.constellation import WORKSPACE

MEMBERS = ("gateway_api", "essentia_api", "ga_service", "download_worker")
# Read by ./dj itself rather than by a service.
OF_DJ = {"DJ_DATA"}
COMPOSE_VARIABLE = re.compile(r"(?<!\$)\$\{([A-Z][A-Z0-9_]*)|^ +([A-Z][A-Z0-9_]*):$", re.MULTILINE)


def documented() -> set[str]:
    return set(re.findall(r"^#?([A-Z][A-Z0-9_]+)=", (WORKSPACE / ".env.example").read_text(), re.MULTILINE))


def known() -> set[str]:
    names = set()
    for member in MEMBERS:
        settings = pytest.importorskip(f"{member}.settings")
        names |= {name.upper() for name in settings.Settings.model_fields}
    assert {name.upper() for name in ServiceSettings.model_fields} <= names
    return names


def of_compose() -> set[str]:
    texts = [path.read_text() for path in WORKSPACE.glob("docker-compose*.yml")]
    return {name for text in texts for pair in COMPOSE_VARIABLE.findall(text) for name in pair if name}


def test_every_setting_is_explained() -> None:
    assert known() - documented() == set()


def test_nothing_is_explained_that_nobody_reads() -> None:
    assert documented() - known() - of_compose() - OF_DJ == set()
