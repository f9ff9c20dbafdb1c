"""``./dj test``: the parts of the suite, each a few commands, and one line on each at the end."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from standalone.constellation import WORKSPACE

_BIN = Path(sys.executable).parent
_NO_SOCKETS = ("--disable-socket", "--allow-unix-socket")


@dataclass(frozen=True)
class Outcome:
    passed: bool
    summary: str


Part = Callable[[list[str]], Outcome]


def run_suite(part: str | None, pytest_arguments: list[str]) -> int:
    wanted = {part: {**PARTS, **EXTRA_PARTS}[part]} if part else PARTS
    lines, failed = [], 0
    for name, run in wanted.items():
        print(f"\n== {name} ==", flush=True)
        started = time.monotonic()
        outcome = run(pytest_arguments)
        failed += not outcome.passed
        verdict = "passed" if outcome.passed else "FAILED"
        lines.append(f"  {name:<12}{verdict}  {time.monotonic() - started:6.1f} s  {outcome.summary}")
    print("\n" + "\n".join(lines), flush=True)
    return 1 if failed else 0


def _lint(_arguments: list[str]) -> Outcome:
    checks = (["check", "."], ["format", "--check", "."])
    codes = [
        subprocess.run([_BIN / "ruff", *check], cwd=WORKSPACE, check=False).returncode for check in checks
    ]
    return Outcome(not any(codes), "ruff check, ruff format --check")


def _types(_arguments: list[str]) -> Outcome:
    """One mypy a folder: members have test modules of the same name, which one run would refuse."""
    folders = sorted({path.relative_to(WORKSPACE).parts[0] for path in WORKSPACE.glob("*/**/*.py")})
    folders = [name for name in folders if not name.startswith((".", "_"))]
    with ThreadPoolExecutor(max_workers=2) as pool:
        results = list(pool.map(_mypy, folders))
    for folder, result in zip(folders, results, strict=True):
        print(f"{folder}: {result.stdout.strip()}{result.stderr.strip()}", flush=True)
    bad = [folder for folder, result in zip(folders, results, strict=True) if result.returncode]
    return Outcome(
        not bad, f"wrong in {', '.join(bad)}" if bad else f"mypy --strict on {len(folders)} folders"
    )


def _mypy(folder: str) -> subprocess.CompletedProcess[str]:
    # A cache each: two that run at once would write over one another's.
    argv = [str(_BIN / "mypy"), "--cache-dir", f".mypy_cache/{folder}", folder]
    return subprocess.run(argv, cwd=WORKSPACE, capture_output=True, text=True, check=False)


def _pytest(pattern: str, *options: str) -> Part:
    def run(arguments: list[str]) -> Outcome:
        folders = sorted(str(path.relative_to(WORKSPACE)) for path in WORKSPACE.glob(pattern))
        if not folders:
            return Outcome(True, "no tests")
        argv = [sys.executable, "-m", "pytest", *folders, *options, *arguments]
        # Colours are kept for people: pytest sees a pipe, because its last line is wanted for the summary.
        colour = ["--color=yes"] if sys.stdout.isatty() else []
        with subprocess.Popen(
            [*argv, *colour],
            cwd=WORKSPACE,
            stdout=subprocess.PIPE,
            text=True,
            errors="replace",
            env=_environment(),
        ) as process:
            assert process.stdout is not None  # noqa: S101 - it was asked for
            last = ""
            for line in process.stdout:
                print(line, end="", flush=True)
                last = line.strip() or last
        return Outcome(process.returncode in (0, 5), last.strip("= "))

    return run


def _environment() -> dict[str, str]:
    """The developer's own servers and tokens must not leak into a test."""
    ours = ("DATABASE_URL", "REDIS_URL", "API_TOKEN", "SERVICE_TOKEN", "MUSIC_DIRS", "AUDIO_DIR", "DJ_DATA")
    return {name: value for name, value in os.environ.items() if name.removesuffix("_FILE") not in ours}


PARTS: dict[str, Part] = {
    "lint": _lint,
    "types": _types,
    "unit": _pytest("*/tests/unit", *_NO_SOCKETS),
    "integration": _pytest("*/tests/integration"),
    "contract": _pytest("*/tests/contract"),
    "e2e": _pytest("e2e", "--ignore=e2e/rehearsal"),
}
# Asked for by name: it needs a container engine, and minutes.
EXTRA_PARTS: dict[str, Part] = {"rehearsal": _pytest("e2e/rehearsal", "--timeout=900")}
