"""The rules that docs/architecture.md states, read off the source of every service."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PACKAGES = {
    "gateway_api": ROOT / "gateway-api" / "gateway_api",
    "essentia_api": ROOT / "essentia-api" / "essentia_api",
    "ga_service": ROOT / "ga-service" / "ga_service",
    "download_worker": ROOT / "download-worker" / "download_worker",
    "dj_contracts": ROOT / "contracts" / "dj_contracts",
    "dj_servicekit": ROOT / "servicekit" / "dj_servicekit",
    "standalone": ROOT / "standalone" / "standalone",
}
SERVICES = ("gateway_api", "essentia_api", "ga_service", "download_worker")
MODULES = [path for folder in PACKAGES.values() for path in sorted(folder.rglob("*.py"))]
MOST_LINES = 300


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def modules_of(package: str) -> list[Path]:
    return [path for path in MODULES if path.is_relative_to(PACKAGES[package])]


def roots(path: Path) -> set[str]:
    return {name.partition(".")[0] for name in imports(path)}


def shown(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("package", SERVICES)
def test_no_service_imports_another(package: str) -> None:
    others = {*SERVICES, "standalone"} - {package}
    assert not {shown(path): found for path in modules_of(package) if (found := roots(path) & others)}


def test_contracts_need_pydantic_and_nothing_else() -> None:
    allowed = {"pydantic", "dj_contracts", *sys.stdlib_module_names}
    assert not {shown(p): found for p in modules_of("dj_contracts") if (found := roots(p) - allowed)}


@pytest.mark.parametrize("package", ["essentia_api", "ga_service", "download_worker"])
def test_only_the_gateway_speaks_to_postgres_and_the_index(package: str) -> None:
    forbidden = {"psycopg", "psycopg_pool", "pgvector", "meilisearch"}
    assert not {shown(path): found for path in modules_of(package) if (found := roots(path) & forbidden)}


@pytest.mark.parametrize("package", ["essentia_api", "ga_service"])
def test_the_compute_services_keep_no_state(package: str) -> None:
    forbidden = {"redis", "rq", "sqlite3"}
    assert not {shown(path): found for path in modules_of(package) if (found := roots(path) & forbidden)}


def test_imports_point_inward() -> None:
    """routes -> usecases -> store | adapters: nobody imports what stands further out."""
    outer_of = {
        "store": {"usecases", "routes", "internal_routes"},
        "models": {"store", "usecases", "routes", "internal_routes"},
        "usecases": {"routes", "internal_routes"},
    }
    wrong = []
    for path in modules_of("gateway_api"):
        parts = path.relative_to(PACKAGES["gateway_api"]).parts
        outer = outer_of.get(path.stem, set())
        for name in imports(path):
            inside = name.split(".")
            if inside[:2] == ["gateway_api", "features"] and set(inside[3:]) & outer:
                wrong.append(f"{shown(path)} imports {name}")
            if parts[0] == "adapters" and inside[:2] == ["gateway_api", "features"]:
                wrong.append(f"{shown(path)} imports {name}")
            if name == "gateway_api.main" and path.name != "__main__.py":
                wrong.append(f"{shown(path)} imports {name}")
    assert not wrong


def test_sql_stands_in_store_modules_only() -> None:
    def runs_sql(path: Path) -> bool:
        calls = (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Attribute))
        return any(node.attr in ("execute", "executemany") for node in calls)

    adapters = PACKAGES["gateway_api"] / "adapters"  # a Redis pipeline is executed too
    modules = [path for path in modules_of("gateway_api") if not path.is_relative_to(adapters)]
    assert {path.name for path in modules if runs_sql(path)} == {"store.py"}


@pytest.mark.parametrize("path", MODULES, ids=shown)
def test_a_module_says_what_it_owns_and_stays_readable(path: Path) -> None:
    text = path.read_text()
    docstring = ast.get_docstring(ast.parse(text))
    assert docstring, "A module says in its docstring what it owns."
    assert path.stem not in ("utils", "helpers", "common", "misc")
    lines = text.count("\n")
    assert lines <= MOST_LINES or "whole" in docstring, f"{lines} lines: split it, or say why it is whole."


@pytest.mark.parametrize("path", MODULES, ids=shown)
def test_nothing_pickles_and_no_settings_are_read_at_import(path: Path) -> None:
    assert not roots(path) & {"pickle", "cloudpickle", "dill"}
    for node in ast.parse(path.read_text()).body:
        called = (
            node.value.func if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call) else None
        )
        assert not (isinstance(called, ast.Name) and called.id in ("Settings", "load_settings", "create_app"))


@pytest.mark.parametrize("package", SERVICES)
def test_importing_a_service_connects_to_nothing(package: str) -> None:
    module = f"{package}.main" if (PACKAGES[package] / "main.py").exists() else f"{package}.tasks"
    code = f"""
import socket
def refuse(*args, **kwargs): raise SystemExit("connected at import")
socket.socket.connect = socket.create_connection = socket.getaddrinfo = refuse
import {module}
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
