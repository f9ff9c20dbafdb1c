"""The command line behind ``./dj``."""

import argparse
import sys
from pathlib import Path

from standalone.constellation import DEFAULT_PORT_BASE
from standalone.home import default_data_dir
from standalone.processes import StartError


def main() -> int:
    parser = _parser()
    arguments, rest = parser.parse_known_args()
    if rest and arguments.command not in ("test", "bench"):
        parser.error(f"unknown: {' '.join(rest)}")
    try:
        return _run(arguments, rest)
    except StartError as exc:
        print(f"dj: {exc}", file=sys.stderr)
        return 1
    except (KeyboardInterrupt, BrokenPipeError):
        return 130


def _run(arguments: argparse.Namespace, rest: list[str]) -> int:
    """Each command loads only what it needs, so that help and status answer at once."""
    match arguments.command:
        case "up":
            from standalone.up import up

            return up(
                arguments.data,
                music=arguments.music,
                port_base=arguments.port_base,
                workers=arguments.workers,
            )
        case "status":
            from standalone.up import status

            return status(arguments.data, as_json=arguments.json)
        case "logs":
            from standalone.up import logs

            return logs(
                arguments.data, service=arguments.service, follow=arguments.follow, lines=arguments.lines
            )
        case "down":
            from standalone.up import down

            return down(arguments.data)
        case "doctor":
            from standalone.doctor import doctor

            return doctor(arguments.data)
        case "demo":
            from standalone.demo import demo

            return demo(arguments.data)
        case "test":
            from standalone.suite import run_suite

            return run_suite(arguments.part, rest)
        case "bench":
            from standalone.benchmarks import run_benchmarks

            return run_benchmarks(arguments.names, rest)
        case "release":
            from standalone.release import release

            return release(arguments.version)
        case _:
            _parser().print_help()
            return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="./dj", description="DJ Playlist. ./dj alone explains it.")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")

    def add(name: str, about: str, *, data: Path | None = None) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=about, description=about)
        if data is not None:
            command.add_argument("--data", type=Path, default=data, metavar="DIR", help="the data folder")
        return command

    home = default_data_dir()

    up = add("up", "Start everything and stay until Ctrl-C.", data=home)
    up.add_argument("--music", type=Path, metavar="DIR", help="scan this folder; files stay where they are")
    up.add_argument(
        "--port-base",
        type=int,
        default=DEFAULT_PORT_BASE,
        metavar="N",
        help="gateway N, Essentia N+1, GA N+2",
    )
    up.add_argument(
        "--workers", type=int, default=1, metavar="N", help="so many downloads and analyses at a time (1)"
    )
    status = add("status", "Each service, its URL, its health, its restarts.", data=home)
    status.add_argument("--json", action="store_true", help="for scripts, with the database and Redis URLs")
    logs = add("logs", "What the services say.", data=home)
    logs.add_argument("service", nargs="?")
    logs.add_argument("-f", "--follow", action="store_true", help="stay, and show what comes")
    logs.add_argument("-n", "--lines", type=int, default=40, help="how many last lines a service (40)")
    add("down", "Stop what ./dj up started.", data=home)
    add("doctor", "What is wrong with this machine.", data=home)
    add("demo", "See it work with a crate made on the spot.", data=home / "demo")
    test = add("test", "Run the tests; further arguments go to pytest.")
    test.add_argument(
        "part", nargs="?", choices=["lint", "types", "unit", "integration", "contract", "e2e", "rehearsal"]
    )
    bench = add("bench", "List the benchmarks, or run some; options go to them.")
    bench.add_argument("names", nargs="*")
    add("release", "Write a new version in every place that names it.").add_argument("version")
    return parser


if __name__ == "__main__":
    sys.exit(main())
