"""A stack of the tests: a compose file, a project name and ports of its own, and what people do with it."""

import json
import os
import subprocess
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from standalone.constellation import WORKSPACE
from standalone.gateway import Gateway
from standalone.ports import free_port_base

BASE, DEV, PROD = "docker-compose.yml", "docker-compose.dev.yml", "docker-compose.prod.yml"
IMAGES = ("gateway-api", "essentia-api", "ga-service", "download-worker", "migrations")
SECRETS = {
    "API_TOKEN": "rehearsal-api-token",
    "SERVICE_TOKEN": "rehearsal-service-token",
    "POSTGRES_PASSWORD": "rehearsalPostgres1",
    "REDIS_PASSWORD": "rehearsalRedis1",
    "MEILI_MASTER_KEY": "rehearsal-meili-key",
}
# Long enough for a machine that does something else as well.
_UP_SECONDS = 240


@dataclass
class Stack:
    file: str
    environment: dict[str, str] = field(default_factory=dict)
    folder: Path = WORKSPACE
    project: str = field(default_factory=lambda: f"djrehearsal-{uuid.uuid4().hex[:8]}")
    port_base: int = field(default_factory=lambda: free_port_base(6))

    def compose(self, *arguments: str, check: bool = True, stdin: bytes | None = None) -> str:
        """Run docker compose on this stack and answer what it printed."""
        done = self.try_compose(*arguments, stdin=stdin)
        assert not check or done.returncode == 0, f"{' '.join(arguments)}: {done.stderr.decode()}"
        return done.stdout.decode()

    def try_compose(
        self, *arguments: str, stdin: bytes | None = None
    ) -> "subprocess.CompletedProcess[bytes]":
        # A .env of whoever runs this has no business in here.
        argv = ["docker", "compose", "--env-file", os.devnull, "-p", self.project, "-f", self.file]
        return subprocess.run(
            [*argv, *arguments],
            cwd=self.folder,
            env={**outer_environment(), **self.ports, **self.environment},
            input=stdin or b"",
            capture_output=True,
            timeout=900,
            check=False,
        )

    @property
    def ports(self) -> dict[str, str]:
        names = ("GATEWAY_PORT", "ESSENTIA_PORT", "GA_PORT", "POSTGRES_PORT", "REDIS_PORT", "MEILI_PORT")
        return {name: str(self.port_base + offset) for offset, name in enumerate(names)}

    def up(self, *arguments: str) -> "subprocess.CompletedProcess[bytes]":
        """Until every service is well. Answers what was said meanwhile."""
        done = self.try_compose(
            "up", "-d", "--no-build", "--wait", "--wait-timeout", str(_UP_SECONDS), *arguments
        )
        assert done.returncode == 0, done.stderr.decode()[-3000:] + self.logs(tail=40)
        return done

    def down(self, *arguments: str) -> None:
        self.compose("down", "--timeout", "30", *arguments)

    def logs(self, *services: str, tail: int = 400) -> str:
        done = self.try_compose("logs", "--no-color", "--tail", str(tail), *services)
        return done.stdout.decode(errors="replace")

    def containers(self, service: str) -> list[dict[str, Any]]:
        """What the engine knows of each container of a service, ended ones too."""
        ids = self.compose("ps", "--all", "--quiet", service).split()
        return json.loads(docker("inspect", *ids)) if ids else []

    def container(self, service: str) -> dict[str, Any]:
        (found,) = self.containers(service)
        return found

    def is_well(self, service: str) -> bool:
        states = [each["State"].get("Health", {}).get("Status") for each in self.containers(service)]
        return bool(states) and set(states) == {"healthy"}

    def address(self, service: str, network: str) -> str:
        """Where a container can be reached from this machine although nothing of it is published."""
        networks = self.container(service)["NetworkSettings"]["Networks"]
        found: str = networks[f"{self.project}_{network}"]["IPAddress"]
        return found

    def secret(self, service: str, file: str) -> str:
        return self.compose("exec", "-T", service, "cat", file)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port_base}"

    @cached_property
    def gateway(self) -> Gateway:
        return Gateway(self.url, token=self.environment.get("API_TOKEN"))


def docker(*arguments: str) -> str:
    done = subprocess.run(["docker", *arguments], capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def outer_environment() -> dict[str, str]:
    """What the docker client itself needs; the settings of whoever runs this stay outside."""
    kept = ("PATH", "HOME", "TMPDIR", "XDG_RUNTIME_DIR")
    return {name: value for name, value in os.environ.items() if name in kept or name.startswith("DOCKER_")}


def moment(text: str) -> datetime:
    """The engine's times have nanoseconds, which Python's have not."""
    whole, _, fraction = text.rstrip("Z").partition(".")
    return datetime.fromisoformat(f"{whole}.{fraction[:6]:<06}")


@contextmanager
def running(stack: Stack) -> Iterator[Stack]:
    """Up for as long as a test needs it; nothing of it is left afterwards."""
    try:
        yield stack
    finally:
        stack.gateway.close()
        stack.try_compose("down", "--timeout", "10", "--volumes", "--remove-orphans")
