"""Stands in for the command gamdl 3.9: the same options, words, exit statuses and bad habits.

What it does follows from the song id of the link (.../song/x/ID):

whole           writes the file, "Finished with 0 error(s)", status 0
skipped         "Skipping ...: Media is not streamable", 0 errors, no file, status 0
drm, format     skipped for a missing key, a missing format; status 0
failed          an exception and "Finished with 1 error(s)", status 0
half            leaves half of the file where the whole one would be, counts an error, status 0
http404 ...     an answer of Apple's with that status, status 0
unsubscribed    no active subscription, status 0
prompt          asks something on stdin and takes no answer for an answer
hang            says one line and then nothing, for ever, with a child that does the same
chatty          never ends, and never stops talking
huge            writes without end
many            brings two songs
"""

import argparse
import shlex
import subprocess
import sys
import time
from pathlib import Path

_OPTIONS = (
    *("--cookies-path", "--output-path", "--temp-path", "--ffmpeg-path", "--song-codec-priority"),
    *("--album-folder-template", "--compilation-folder-template", "--no-album-folder-template"),
    *("--single-disc-file-template", "--multi-disc-file-template", "--no-album-file-template"),
)
_CODECS = {"aac-web", "aac-he-web", "aac", "aac-he", "atmos", "ac3", "alac"}
_SKIPPED = {
    "skipped": "Media is not streamable: 1",
    "drm": "Decryption is not available for media ID: 1",
    "format": "Requested format is not available (media ID: 1): None",
}


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> None:  # type: ignore[override]  # click's words instead of argparse's
        sys.stderr.write(f"Usage: gamdl [OPTIONS] URLS...\nError: No such option: {message}\n")
        raise SystemExit(2)


def main(audio: Path, words: list[str]) -> int:
    parser = _Parser(add_help=False, allow_abbrev=False)
    for option in _OPTIONS:
        parser.add_argument(option, required=True)
    for flag in ("--no-config-file", "--no-synced-lyrics", "--overwrite"):
        parser.add_argument(flag, action="store_true", required=True)
    parser.add_argument("urls", nargs="+")
    given = parser.parse_args(words)
    if given.song_codec_priority not in _CODECS:
        sys.stderr.write(f"Error: '{given.song_codec_priority}' is not a valid value for SongCodec\n")
        return 2
    _say("INFO", "Starting Gamdl 3.9.1")
    cookies = Path(given.cookies_path)
    if not cookies.is_file():
        return _prompt(f'File "{cookies}" does not exist. Create the file at the specified path')
    if "media-user-token" not in cookies.read_text():
        sys.stderr.write('ValueError: "media-user-token" cookie not found in cookies. Log in first.\n')
        return 1
    # The real one writes its cookies back too.
    cookies.write_text(cookies.read_text() + "# rewritten\n")
    song = given.urls[0].rpartition("/")[2]
    if song == "unsubscribed":
        _say("CRITICAL", "No active Apple Music subscription found, you won't be able to download anything")
        return 0
    return _download(song, audio, Path(given.output_path), Path(given.temp_path))


def _download(song: str, audio: Path, out: Path, temp: Path) -> int:
    _say("INFO", 'Processing "https://music.apple.com/..."')
    target = out / "song" / "song.m4a"
    if song in _SKIPPED:
        _say("WARNING", f'Skipping "A song": {_SKIPPED[song]}')
        return _finish(0)
    if song.startswith("http"):
        sys.stdout.write(f"GamdlApiResponseError: Error fetching from AMP API (Status code: {song[4:]})\n")
        _say("ERROR", 'Error processing "https://music.apple.com/..."')
        return _finish(1)
    _say("INFO", 'Downloading "A song"')
    if song == "prompt":
        return _prompt("Choose which codec to download")
    if song == "hang":
        subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        time.sleep(600)
    if song == "chatty":
        for number in range(6000):
            _say("INFO", f"Still at it {number}")
            time.sleep(0.1)
    if song == "failed":
        sys.stdout.write("Traceback (most recent call last):\n  ...\nRuntimeError: something new\n")
        _say("ERROR", 'Error downloading "A song"')
        return _finish(1)
    content = audio.read_bytes()
    part = temp / "song.part"
    if song == "huge":
        with part.open("wb") as file:
            for _ in range(4096):
                file.write(b"\0" * 2**20)
    part.write_bytes(content[: len(content) // 2] if song == "half" else content)
    target.parent.mkdir(parents=True)
    part.replace(target)
    if song == "many":
        (out / "song" / "song 2.m4a").write_bytes(content)
    if song == "half":
        _say("ERROR", 'Error downloading "A song"')
        return _finish(1)
    return _finish(0)


def _prompt(question: str) -> int:
    sys.stdout.write(f"{question}: ")
    sys.stdout.flush()
    if not sys.stdin.readline():
        sys.stdout.write("\nAborted!\n")
        return 1
    time.sleep(600)
    return 1


def _finish(errors: int) -> int:
    _say("INFO", f"Finished with {errors} error(s)")
    return 0


def _say(level: str, text: str) -> None:
    sys.stdout.write(f"\x1b[32m[{level:<8} 12:00:00]\x1b[0m {text}\n")
    sys.stdout.flush()


def install(folder: Path, audio: Path) -> Path:
    """A command ``gamdl`` in this folder, which brings this file."""
    command = folder / "gamdl"
    code = (
        "import sys; from pathlib import Path; from download_worker.testing.fake_gamdl import main; "
        f"sys.exit(main(Path({str(audio)!r}), sys.argv[1:]))"
    )
    # A first line that names the interpreter could not hold a path with a space in it.
    command.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -c {shlex.quote(code)} "$@"\n')
    command.chmod(0o755)
    return command
