"""What a worker tells of itself and its tools."""

import os
from pathlib import Path

from download_worker.testing.constellation import Constellation, until
from download_worker.testing.fake_gateway import FakeGateway


def test_a_worker_reports_its_tools_and_the_ages_of_its_cookies_at_its_start(
    constellation: Constellation, gateway: FakeGateway, tmp_path: Path
) -> None:
    cookies = tmp_path / "cookies"
    cookies.mkdir()
    (cookies / "youtube.txt").write_text("# Netscape HTTP Cookie File\n")
    old = (cookies / "youtube.txt").stat().st_mtime - 12.5 * 86400
    os.utime(cookies / "youtube.txt", (old, old))
    gamdl = tmp_path / "gamdl"
    gamdl.write_text("#!/bin/sh\necho Traceback: gamdl 9.9.9 cannot start\nexit 1\n")
    gamdl.chmod(0o755)
    worker = constellation.start_worker(COOKIES_DIR=str(cookies), GAMDL_COMMAND=str(gamdl))
    until(lambda: gateway.worker_reports, what=constellation.log())
    report = gateway.worker_reports[0]
    tools = {tool.name: tool for tool in report.tools}
    assert report.process_id == worker.pid
    assert [(file.name, file.age_days) for file in report.cookies] == [("youtube.txt", 12)]
    assert tools["yt-dlp"].version
    assert tools["yt-dlp"].age_days is not None
    assert tools["deno"].version
    assert tools["ffmpeg"].version
    assert (tools["gamdl"].version, "optional" in tools["gamdl"].advice) == (None, True)


def test_a_worker_works_although_its_gateway_misses_the_report(
    constellation: Constellation, gateway: FakeGateway
) -> None:
    gateway.report_status = 500
    constellation.start_worker()
    until(lambda: "worker_report_missed" in constellation.log())
    job = gateway.add("j1", {"kind": "analyze", "audio_path": "a.mp3"})
    constellation.enqueue("j1")
    until(lambda: job.completions)
