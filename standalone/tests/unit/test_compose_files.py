"""The compose files, the images' environment, the settings classes and the manual tell one story.

A new setting needs a line in .env.example, and one in the service's ``environment`` in docker-compose.yml
and docker-compose.prod.yml. Each test says which line is missing where.
"""

import re
from typing import Any

import pytest
import yaml

from dj_servicekit.settings import ServiceSettings
from standalone.constellation import WORKSPACE

BASE, DEV, PROD = "docker-compose.yml", "docker-compose.dev.yml", "docker-compose.prod.yml"
FILES = (BASE, DEV, PROD)
# The compose service, its folder, its package.
OURS = {
    "gateway-api": ("gateway-api", "gateway_api"),
    "essentia-api": ("essentia-api", "essentia_api"),
    "ga-service": ("ga-service", "ga_service"),
    "download-worker": ("download-worker", "download_worker"),
    "bridge": ("download-worker", "download_worker"),
}
ONE_SHOT = ("prepare", "migrations")
SECRETS = {"API_TOKEN", "SERVICE_TOKEN", "POSTGRES_PASSWORD", "REDIS_PASSWORD", "MEILI_MASTER_KEY"}
VOLUMES = {
    "db_data", "meili_data", "redis_data", "music_data",
    "db_dumps", "analysis_scratch", "cookie_data", "discogs_exports", "spotify_exports",
}  # fmt: skip
# Where a service listens is the image's affair; the worker listens nowhere.
NOT_FOR_PEOPLE = {"HOST", "PORT"}
# Settings whose place is fixed for containers, with other values than the classes have.
OTHER_DEFAULT_IN = {"BIND": PROD, "ALLOWED_HOSTS": None, "LOG_LEVEL": DEV, "LOG_JSON": DEV, "MUSIC_DIR": BASE}
VARIABLE = re.compile(r"(?<!\$)\$\{([A-Z][A-Z0-9_]*)(?:(:?[-?])([^}]*))?\}")


class _Loader(yaml.SafeLoader):
    """Reads Compose's own tags as the plain values below them, and refuses what Compose refuses."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        names = [key.value for key, _ in node.value if key.value != "<<"]
        assert len(names) == len(set(names)), (
            f"twice: {sorted(name for name in names if names.count(name) > 1)}"
        )
        return super().construct_mapping(node, deep)


def _plain(loader: yaml.SafeLoader, _suffix: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    if isinstance(node, yaml.MappingNode):
        return loader.construct_mapping(node, deep=True)
    return loader.construct_object(node)


_Loader.add_multi_constructor("!", _plain)


def text_of(file: str) -> str:
    return (WORKSPACE / file).read_text()


def services_of(file: str) -> dict[str, dict[str, Any]]:
    services: dict[str, dict[str, Any]] = yaml.load(text_of(file), _Loader)["services"]  # noqa: S506 - safe
    return services


def fields_of(package: str) -> dict[str, Any]:
    settings: type[ServiceSettings] = pytest.importorskip(f"{package}.settings").Settings
    return {name.upper(): field for name, field in settings.model_fields.items()}


def image_environment(folder: str) -> set[str]:
    text = (WORKSPACE / folder / "Dockerfile").read_text().rpartition("\nFROM ")[2]
    lines = re.findall(r"^ENV ((?:.*\\\n)*.*)$", text, re.MULTILINE)
    return {name for line in lines for name in re.findall(r"([A-Z_]+)=", line)}


def manual() -> dict[str, str]:
    """Each variable of .env.example with the default that it shows."""
    return dict(re.findall(r"^#?([A-Z][A-Z0-9_]+)=(.*)$", text_of(".env.example"), re.MULTILINE))


@pytest.mark.parametrize("file", [BASE, PROD])
@pytest.mark.parametrize("service", OURS)
def test_every_setting_of_a_service_can_be_set_through_compose(file: str, service: str) -> None:
    folder, package = OURS[service]
    given = {name.removesuffix("_FILE") for name in services_of(file)[service]["environment"]}
    missing = set(fields_of(package)) - given - image_environment(folder) - NOT_FOR_PEOPLE
    if file == PROD:
        missing -= {"MUSIC_DIRS"}  # there are no folders of the host in it
    assert not missing, f"{file}: add {', '.join(sorted(missing))} to the environment of {service}"


@pytest.mark.parametrize("file", [BASE, PROD])
@pytest.mark.parametrize("service", OURS)
def test_no_service_is_given_what_it_does_not_read(file: str, service: str) -> None:
    fields = set(fields_of(OURS[service][1]))
    given = services_of(file)[service]["environment"]
    assert not [name for name in given if name not in fields and name.removesuffix("_FILE") not in fields]


@pytest.mark.parametrize("file", FILES)
def test_every_variable_of_a_compose_file_is_in_the_manual_with_its_default(file: str) -> None:
    shown = manual()
    used = {(name, kind, value) for name, kind, value in VARIABLE.findall(text_of(file))}
    handed_through = {
        name
        for service in services_of(file).values()
        for name, value in (service.get("environment") or {}).items()
        if value is None
    }
    assert not ({name for name, _, _ in used} | handed_through) - set(shown)
    defaults = {name: value for name, kind, value in used if kind == ":-"}
    different = {
        name: (value, shown[name])
        for name, value in defaults.items()
        if value != shown[name] and OTHER_DEFAULT_IN.get(name, "") not in (file, None)
    }
    assert not different, f"{file} and .env.example disagree: {different}"


def test_the_manual_shows_the_defaults_that_the_services_have() -> None:
    defaults: dict[str, set[str]] = {}
    for _, package in OURS.values():
        for name, field in fields_of(package).items():
            defaults.setdefault(name, set()).add(as_written(field.default))
    wrong = {
        name: (value, defaults[name])
        for name, value in manual().items()
        if value and name in defaults and value not in defaults[name] and name not in STARTS_WITHOUT
    }
    assert not wrong


# Without a default, or computed at start: the manual shows an example.
STARTS_WITHOUT = {"DATABASE_URL", "REDIS_URL", "AUDIO_DIR", "GATEWAY_URL", "ESSENTIA_URL", "S3_URL"}


def as_written(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return " ".join(str(part) for part in value)
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return "" if value is None else str(value)


def test_base_and_production_hand_the_same_settings_through() -> None:
    for service in OURS:
        base, prod = (
            {name for name, value in services_of(file)[service]["environment"].items() if value is None}
            for file in (BASE, PROD)
        )
        assert base - prod <= SECRETS, service
        assert prod <= base, service


def test_production_names_registry_images_of_one_version_and_needs_no_file_beside_it() -> None:
    for name, service in services_of(PROD).items():
        assert not {"build", "env_file", "extends"} & set(service), name
        for mount in service.get("volumes", []):
            assert mount.partition(":")[0] in VOLUMES, f"{name} mounts {mount}"
        if name in (*OURS, *ONE_SHOT):
            assert service["image"].startswith("${DJ_REGISTRY:-"), name
            assert service["image"].endswith(f"{manual()['DJ_VERSION']}}}"), name
    assert set(yaml.load(text_of(PROD), _Loader)["volumes"]) == VOLUMES  # noqa: S506 - a safe loader


def test_no_secret_has_a_default_and_each_that_is_missing_is_asked_for_in_a_sentence() -> None:
    for file in FILES:
        for name, kind, value in VARIABLE.findall(text_of(file)):
            if name in SECRETS:
                assert kind != ":-" or not value, f"{file} gives {name} a default"
    asked = {name: value for name, _, value in VARIABLE.findall(text_of(PROD)) if name in SECRETS}
    assert set(asked) == SECRETS
    assert all(value.startswith("Set ") and value.endswith(".") for value in asked.values())


@pytest.mark.parametrize("file", FILES)
def test_only_the_gateway_can_be_published_beyond_loopback(file: str) -> None:
    for name, service in services_of(file).items():
        for port in service.get("ports", []):
            if name == "gateway-api":
                assert port.startswith("${BIND:-")
            else:
                assert port.startswith("127.0.0.1:"), f"{file}: {name} publishes {port}"
                assert file != PROD, f"{name} is published without being asked for"


@pytest.mark.parametrize("file", [BASE, PROD])
def test_every_container_is_held_as_tight_as_it_can_be(file: str) -> None:
    for name, service in services_of(file).items():
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service["logging"]["options"]["max-size"], name
        assert service.get("read_only") or name == "meilisearch", name
        assert name in ONE_SHOT or service["restart"] == "unless-stopped", name
        if file == PROD:
            assert set(service["deploy"]["resources"]["limits"]) == {"memory", "pids"}, name
        image = service["image"]
        assert ":" in image, f"{name} names no version"
        assert not image.endswith(":latest"), name


def test_meilisearch_is_of_version_one_and_tells_nobody() -> None:
    for file in (BASE, PROD):
        service = services_of(file)["meilisearch"]
        assert re.fullmatch(r"getmeili/meilisearch:v1\.\d+", service["image"])
        assert service["environment"]["MEILI_NO_ANALYTICS"] == "true"


def test_development_starts_the_same_services_from_mounted_sources() -> None:
    dev = services_of(DEV)
    assert set(dev) == set(services_of(BASE))
    for name, (folder, package) in OURS.items():
        assert f"./{folder}/{package}:/opt/app/{package}:ro" in dev[name]["volumes"]
        assert dev[name]["command"][:4] == ["python", "-m", "dj_servicekit.reload", "/opt/app"]
