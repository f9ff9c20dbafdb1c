"""``./dj bench``: each bench/NAME.py or bench/NAME/ is one; its docstring's first line says what it does."""

import ast
import os
import subprocess
import sys
from pathlib import Path

from standalone.constellation import WORKSPACE
from standalone.processes import StartError

BENCH_DIR = WORKSPACE / "bench"


def list_benchmarks(folder: Path = BENCH_DIR) -> dict[str, Path]:
    """Name -> what Python is told to run. A folder is a benchmark when it has a __main__.py."""
    found = {path.stem: path for path in folder.glob("*.py") if not path.name.startswith("_")}
    found |= {path.parent.name: path.parent for path in folder.glob("*/__main__.py")}
    return dict(sorted(found.items()))


def describe(path: Path) -> str:
    source = path / "__main__.py" if path.is_dir() else path
    return (ast.get_docstring(ast.parse(source.read_text())) or "").partition("\n")[0]


def run_benchmarks(names: list[str], options: list[str]) -> int:
    known = list_benchmarks()
    if unknown := [name for name in names if name not in known]:
        raise StartError(f"There is no benchmark {unknown[0]!r}. There are: {', '.join(known) or 'none yet'}")
    if not names:
        for name, path in known.items():
            print(f"  {name:<12}{describe(path)}")
        print("\nRun one with ./dj bench NAME; results as JSON go to bench/results/.")
        return 0
    environment = {**os.environ, "PYTHONPATH": str(WORKSPACE)}  # where the package migrations stands
    codes = [
        subprocess.run(
            [sys.executable, str(known[name]), *options], cwd=WORKSPACE, env=environment, check=False
        ).returncode
        for name in names
    ]
    return max(codes)
