"""docker-compose.yml from nothing: it starts in order, without a warning, and the end-to-end tests pass."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from e2e.rehearsal.engine import IMAGES, Stack, docker, moment
from standalone.constellation import WORKSPACE

OURS = ("gateway-api", "essentia-api", "ga-service", "download-worker", "bridge")


def started(container: dict[str, Any]) -> Any:
    return moment(container["State"]["StartedAt"])


def finished(container: dict[str, Any]) -> Any:
    return moment(container["State"]["FinishedAt"])


def test_a_cold_start_goes_in_order(stack: Stack) -> None:
    prepare, migrations = stack.container("prepare"), stack.container("migrations")
    assert (prepare["State"]["ExitCode"], migrations["State"]["ExitCode"]) == (0, 0)
    assert finished(prepare) <= started(stack.container("postgres"))
    assert finished(prepare) <= started(stack.container("redis"))
    assert finished(migrations) <= started(stack.container("gateway-api"))
    assert started(stack.container("gateway-api")) <= started(stack.container("download-worker"))
    assert "0001_collection.sql" in stack.logs("migrations")


def test_every_service_of_ours_is_well_and_none_runs_as_root(stack: Stack) -> None:
    for service in OURS:
        container = stack.container(service)
        assert container["State"]["Health"]["Status"] == "healthy", service
        assert container["RestartCount"] == 0, service
        assert stack.compose("exec", "-T", service, "id", "-u").strip() == "1000", service


def test_nothing_warns_at_the_start(stack: Stack) -> None:
    for service in OURS:
        for line in stack.logs(service).splitlines():
            if "search_index_waits" in line:
                continue  # where a stand-in takes the place of the search engine
            assert not re.search(r'"level": "(warning|error|critical)"|Traceback', line), line


def test_a_second_up_changes_nothing_and_migrates_nothing(stack: Stack) -> None:
    before = {service: stack.container(service)["Id"] for service in OURS}
    said = stack.up().stderr.decode()
    assert "warn" not in said.lower()
    assert {service: stack.container(service)["Id"] for service in OURS} == before
    assert "migrations: up to date" in stack.logs("migrations")


@pytest.mark.parametrize(("name", "offset"), [("gateway-api", 0), ("essentia-api", 1), ("ga-service", 2)])
def test_users_of_today_reach_each_service_by_curl_on_loopback(stack: Stack, name: str, offset: int) -> None:
    health = httpx.get(f"http://127.0.0.1:{stack.port_base + offset}/health", trust_env=False).json()
    assert (health["status"], health["service"]) == ("ok", name)
    assert re.fullmatch(r"\d+\.\d+\.\d+", health["version"])


def test_nothing_listens_beyond_loopback(stack: Stack) -> None:
    for line in stack.compose("ps", "--format", "json").splitlines():
        container = json.loads(line)
        for port in container.get("Publishers") or []:
            if port["PublishedPort"]:
                assert port["URL"] == "127.0.0.1", container["Name"]


def test_a_page_of_another_name_is_refused_without_a_token(stack: Stack) -> None:
    answer = httpx.get(f"{stack.url}/api/tracks", headers={"Host": "evil.example"}, trust_env=False)
    assert answer.status_code == 403


def test_it_refuses_to_be_published_without_a_credential(stack: Stack) -> None:
    open_to_all = Stack(stack.file, {**stack.environment, "BIND": "0.0.0.0"}, project=stack.project)  # noqa: S104
    refused = open_to_all.try_compose("run", "--rm", "--no-deps", "gateway-api")
    assert refused.returncode == 2
    said = (refused.stdout + refused.stderr).decode()
    assert "PUBLISHED_ON=0.0.0.0 listens beyond this machine without a credential" in said


def test_the_end_to_end_tests_pass_over_it(stack: Stack, music: Path) -> None:
    password = stack.secret("redis", "/secrets/app/redis-password")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "e2e", "--ignore=e2e/rehearsal", "-q", "-p", "no:cacheprovider"],
        cwd=WORKSPACE,
        env={
            **os.environ,
            "DJ_E2E_URL": stack.url,
            "DJ_E2E_MUSIC": str(music),
            "DJ_E2E_REDIS_URL": f"redis://:{password}@{stack.address('redis', 'queue')}:6379/0",
        },
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:]
    assert "passed" in done.stdout.splitlines()[-1]


@pytest.mark.parametrize("image", IMAGES)
def test_an_image_says_what_it_is(images: None, image: str) -> None:
    (found,) = json.loads(docker("image", "inspect", f"dj-playlist/{image}:local"))
    labels = found["Config"]["Labels"]
    assert labels["org.opencontainers.image.title"] == image
    assert labels["org.opencontainers.image.version"]
    assert found["Config"]["User"] == "1000:1000"


def test_the_search_engine_has_the_key_that_the_gateway_has(stack: Stack) -> None:
    key = stack.secret("gateway-api", "/secrets/search/meili-key")
    assert len(key) >= 16
    assert stack.secret("meilisearch", "/secrets/search/meilisearch.toml") == f'master_key = "{key}"\n'


def test_the_worker_has_every_tool_that_its_image_is_to_bring(stack: Stack) -> None:
    (worker,) = stack.gateway.get("/api/workers")["workers"]
    missing = {tool["name"] for tool in worker["tools"] if not tool["version"]}
    assert missing == {"gamdl"}
    assert {tool["name"] for tool in worker["tools"]} == {"yt-dlp", "quickjs", "ffmpeg", "gamdl"}


def test_the_ffmpeg_of_the_worker_opens_and_writes_what_the_worker_asks_of_it(stack: Stack) -> None:
    script = (
        "import subprocess; from download_worker import media\n"
        "run = lambda *words: subprocess.run(words, capture_output=True, text=True).stdout\n"
        "known = ','.join(line.split()[1] for line in run('ffmpeg', '-demuxers').splitlines()[5:])\n"
        "print(sorted(set(media._CONTAINERS.split(',')) - set(known.split(','))))\n"
        "known = {line.split()[1] for line in run('ffmpeg', '-encoders').splitlines()[10:]}\n"
        "print(sorted({words[1] for words in media._ENCODERS.values()} - known))\n"
        "print('chromaprint' in run('ffmpeg', '-muxers'), 'https' in run('ffmpeg', '-protocols'))\n"
    )
    said = stack.compose("exec", "-T", "download-worker", "python", "-c", script)
    assert said.splitlines() == ["[]", "[]", "True False"]


# In the form of YouTube's, whose own cannot be fetched here: its number is turned round.
_PLAYER = """(function(){
  function Address(sig){ this.m = {s: sig}; }
  Address.prototype.get = function(k){ return this.m[k]; };
  Address.prototype.set = function(k, v){ this.m[k] = v; };
  Address.prototype.go = function(){ this.m.n = this.m.n.split("").reverse().join(""); };
  var make = function(url, key, sig){ var a = new Address(sig); a.set("alr", "yes"); return a; };
}).call(this)"""


def test_the_worker_solves_the_riddle_of_a_player_with_quickjs(stack: Stack) -> None:
    asked = {"type": "player", "player": _PLAYER, "requests": [{"type": "n", "challenges": ["abc"]}]}
    script = (
        "import sys; from yt_dlp_ejs.yt import solver\n"
        "print(solver.lib(), 'Object.assign(globalThis, lib);', solver.core(), sys.stdin.read(), sep='\\n')"
    )
    riddle = f"console.log(JSON.stringify(jsc({json.dumps(asked)})));"
    run = f'python -c "{script}" >/tmp/riddle.js && qjs --script /tmp/riddle.js; rm /tmp/riddle.js'
    said = stack.compose("exec", "-T", "download-worker", "sh", "-c", run, stdin=riddle.encode())
    assert json.loads(said)["responses"] == [{"type": "result", "data": {"abc": "cba"}}]


@pytest.mark.parametrize("module", ["std", "os", "/etc/passwd"])
def test_a_script_in_the_worker_reaches_nothing_but_its_own_numbers(stack: Stack, module: str) -> None:
    escape = f"import('{module}').then(() => console.log('reached'), () => console.log('refused'));"
    run = "cat >/tmp/escape.js && qjs --script /tmp/escape.js; rm /tmp/escape.js"
    said = stack.compose("exec", "-T", "download-worker", "sh", "-c", run, stdin=escape.encode())
    assert said.strip() == "refused"
