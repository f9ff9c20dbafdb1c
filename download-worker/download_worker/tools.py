"""The tools that a worker needs, their versions and ages, for the page on which people see its health.

Sites change, so most downloads that stop working are cured by a newer yt-dlp: its age is what matters most.
"""

import os
import re
import shutil
import subprocess
import sys
import time
from datetime import UTC, date, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from dj_contracts.workers import CookieFile, Tool
from download_worker.media import list_ffmpegs
from download_worker.settings import Settings

_OLD_DAYS = 60
_ANSWER_SECONDS = 15
_VERSION = re.compile(r"\d+(?:\.\d+)+[\w.-]*")
_RELEASED = re.compile(r"(\d{4})\.(\d{1,2})\.(\d{1,2})")


def look_at_tools(settings: Settings) -> list[Tool]:
    return [_yt_dlp(), _javascript(), _ffmpeg(), _gamdl(settings.gamdl_command)]


def list_cookies(settings: Settings) -> list[CookieFile]:
    """Names and ages only; what is in them is nobody's business here."""
    if settings.cookies_dir is None or not settings.cookies_dir.is_dir():
        return []
    files = sorted(path for path in settings.cookies_dir.glob("*.txt") if path.is_file())
    now = time.time()
    return [
        CookieFile(name=path.name, age_days=max(0, int((now - path.stat().st_mtime) / 86400)))
        for path in files[:200]
    ]


def _yt_dlp() -> Tool:
    found = _installed("yt-dlp")
    age = _age_days(found)
    advice = ""
    if found is None:
        advice = "yt-dlp is missing: no link can be fetched. Install the worker again."
    elif age is not None and age > _OLD_DAYS:
        advice = f"yt-dlp is {age} days old, and sites change. Update it."
    return Tool(name="yt-dlp", version=found, age_days=age, advice=advice)


def _javascript() -> Tool:
    """What yt-dlp runs YouTube's scripts with: Deno, or where it is not, QuickJS."""
    # The wheel puts it beside the interpreter, which need not be on PATH.
    beside = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", "")))
    if deno := _asked(shutil.which("deno", path=beside), "--version"):
        return Tool(name="deno", version=deno, advice="")
    # It knows no question for its version alone, and ends its help with 1.
    if quickjs := _asked(shutil.which("qjs", path=beside), "--help", fine=(0, 1)):
        return Tool(name="quickjs", version=quickjs, advice="")
    return Tool(
        name="deno",
        version=None,
        advice="Deno or QuickJS is missing: YouTube gives few formats or none. Install yt-dlp[deno].",
    )


def _ffmpeg() -> Tool:
    found = _asked(next(iter(list_ffmpegs()), None), "-version")
    return Tool(
        name="ffmpeg",
        version=found,
        advice="" if found else "ffmpeg is missing or does not start: nothing can be verified.",
    )


def _gamdl(command: str) -> Tool:
    found = _asked(shutil.which(command), "--version")
    advice = (
        "" if found else "gamdl is not installed: links of Apple Music cannot be fetched. It is optional."
    )
    return Tool(name="gamdl", version=found, advice=advice)


def _installed(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _age_days(calendar_version: str | None) -> int | None:
    if not (found := _RELEASED.match(calendar_version or "")):
        return None
    try:
        released = date(*map(int, found.groups()))
    except ValueError:
        return None
    return max(0, (datetime.now(UTC).date() - released).days)


def _asked(program: str | None, question: str, *, fine: tuple[int, ...] = (0,)) -> str | None:
    """The version that a program gives; None when there is none, or it does not answer."""
    if program is None:
        return None
    try:
        done = subprocess.run(
            [program, question],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_ANSWER_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    said = done.stdout.decode(errors="replace")
    found = _VERSION.search(said) or re.search(r"\S+-\S+", said)
    return found[0][:200] if found and done.returncode in fine else None
