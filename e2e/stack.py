"""A ``./dj up`` of the tests: its data, its ports, its process."""

import json
import os
import signal
import subprocess
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from standalone.gateway import Gateway
from standalone.testing import eventually

ROOT = Path(__file__).resolve().parents[1]
UP_SECONDS = 90


@dataclass
class Stack:
    """A ``./dj up`` of the tests: its data, its ports, its process."""

    data: Path
    port_base: int
    music: Path
    process: subprocess.Popen[str] | None = None

    def start(self, *arguments: str) -> None:
        with (self.data.parent / "up.out").open("w") as out:
            self.process = subprocess.Popen(
                [
                    str(ROOT / "dj"),
                    "up",
                    "--data",
                    str(self.data),
                    "--port-base",
                    str(self.port_base),
                    *arguments,
                ],
                cwd=self.data.parent,
                env={**clean_environment(), "MUSIC_DIRS": str(self.music)},
                stdout=out,
                stderr=subprocess.STDOUT,
                text=True,
            )
        assert eventually(self.is_well, seconds=UP_SECONDS), self.said()

    def said(self) -> str:
        return (self.data.parent / "up.out").read_text()

    def status(self) -> dict[str, Any]:
        answer = dj("status", "--json", "--data", str(self.data))
        found: dict[str, Any] = json.loads(answer.stdout)
        return found

    def service(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = next(each for each in self.status()["services"] if each["name"] == name)
        return found

    def is_well(self) -> bool:
        assert self.process is None or self.process.poll() is None, self.said()
        # The state file is read directly, for a Python started five times a second would slow the start.
        file = self.data / "state.json"
        state = json.loads(file.read_text()) if file.exists() else {}
        mine = self.process is not None and state.get("pid") == self.process.pid
        return mine and all(each["health"] in ("healthy", "done") for each in state["services"])

    def interrupt(self) -> int:
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        return self.process.wait(60)

    def pids(self) -> list[int]:
        return [
            each["pid"] for each in self.status()["services"] if each["pid"] and each["health"] == "healthy"
        ]

    @cached_property
    def gateway(self) -> Gateway:
        return Gateway(f"http://127.0.0.1:{self.port_base}")


def clean_environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("COV_")}


def dj(*arguments: str, cwd: Path = ROOT, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(ROOT / "dj"), *arguments],
        cwd=cwd,
        env={**clean_environment(), **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
