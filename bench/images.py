"""Sizes of the images, and their build times: cold, and after a change of code. Needs docker.

    ./dj bench images [NAME ...]

The base image is counted apart, since machines share it and a stand-in for it may be larger than the real
one: the limits are for our part and the real base. Packed is what a registry holds and a first start fetches.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench._load import save
from standalone.constellation import WORKSPACE

BASE_IMAGE = "python:3.13-slim-trixie"
# About what the real one takes, unpacked, on amd64: of a stand-in the own size says nothing.
REAL_BASE_MB = 120
LIMITS_MB = {"essentia-api": 700}
LIMIT_MB = 250
# The file whose change makes the image's own layer anew.
SOURCES = {
    "gateway-api": "gateway-api/gateway_api/__init__.py",
    "essentia-api": "essentia-api/essentia_api/__init__.py",
    "ga-service": "ga-service/ga_service/__init__.py",
    "download-worker": "download-worker/download_worker/__init__.py",
    "migrations": "migrations/__init__.py",
}
_NOT_COPIED = shutil.ignore_patterns(".*", "__pycache__", "tests", "bench", "node_modules")


def build(image: str, folder: Path, *options: str) -> float:
    """Seconds from docker build to the image."""
    argv = ["docker", "build", "--quiet", "--tag", tag_of(image), "--file", f"{image}/Dockerfile"]
    started = time.monotonic()
    done = subprocess.run([*argv, *options, "."], cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{image} cannot be built:\n{done.stderr[-2000:]}")
    return time.monotonic() - started


def tag_of(image: str) -> str:
    return f"dj-bench/{image}"


def size_mb(tag: str) -> float:
    asked = ["docker", "image", "inspect", "--format", "{{.Size}}", tag]
    return int(subprocess.run(asked, capture_output=True, text=True, check=True).stdout) / 1e6


def packed_mb(tag: str) -> float:
    with tempfile.TemporaryFile() as packed:
        with subprocess.Popen(["docker", "save", tag], stdout=subprocess.PIPE) as saved:
            subprocess.run(["gzip", "-6"], stdin=saved.stdout, stdout=packed, check=True)
        return packed.tell() / 1e6


def measure(image: str, folder: Path, base: tuple[float, float]) -> dict[str, float]:
    cold = build(image, folder, "--no-cache")
    source = folder / SOURCES[image]
    source.write_text(source.read_text() + f"\n# changed at {time.time()}\n")
    changed = build(image, folder)
    whole, packed = size_mb(tag_of(image)), packed_mb(tag_of(image))
    return {
        "cold_seconds": round(cold, 1),
        "code_changed_seconds": round(changed, 1),
        "mb": round(whole),
        "mb_beyond_base": round(whole - base[0]),
        "mb_on_real_base": round(whole - base[0]) + REAL_BASE_MB,
        "mb_wanted": LIMITS_MB.get(image, LIMIT_MB),
        "packed_mb_beyond_base": round(packed - base[1]),
    }


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="./dj bench images")
    parser.add_argument("names", nargs="*", help="which images (all)")
    names = parser.parse_args(arguments).names or list(SOURCES)
    if unknown := set(names) - set(SOURCES):
        parser.error(f"there is no image {unknown.pop()}: {', '.join(SOURCES)}")
    base = (size_mb(BASE_IMAGE), packed_mb(BASE_IMAGE))
    print(f"{BASE_IMAGE} on this machine: {base[0]:.0f} MB, {base[1]:.0f} MB packed")
    print(f"with base: beyond base, and the {REAL_BASE_MB} MB of the real one\n")
    headings = f"{'image':<18}{'cold':>8}{'code changed':>15}{'beyond base':>14}{'packed':>9}"
    print(f"{headings}{'with base':>12}{'wanted':>9}")
    rows = {}
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "checkout"
        shutil.copytree(WORKSPACE, folder, ignore=_NOT_COPIED, symlinks=True)
        shutil.copy(WORKSPACE / ".dockerignore", folder)
        for image in names:
            row = rows[image] = measure(image, folder, base)
            print(
                f"{image:<18}{row['cold_seconds']:>6.1f} s{row['code_changed_seconds']:>13.1f} s"
                f"{row['mb_beyond_base']:>11.0f} MB{row['packed_mb_beyond_base']:>6.0f} MB"
                f"{row['mb_on_real_base']:>9.0f} MB{row['mb_wanted']:>6.0f} MB",
                flush=True,
            )
            subprocess.run(["docker", "rmi", tag_of(image)], capture_output=True, check=True)
    save("images", {"base_mb": round(base[0]), "base_packed_mb": round(base[1]), "images": rows})
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
