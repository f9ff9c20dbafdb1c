"""Progress for people: a bar in a terminal, a line a step everywhere else."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn

_WIDTH = 30


class Step:
    """One thing that takes a while."""

    def __init__(self, bar: Progress | None, task: TaskID | None) -> None:
        self._bar = bar
        self._task = task
        self.outcome = ""

    def advance(self, detail: str) -> None:
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, advance=1, detail=detail)

    def reach(self, completed: float, detail: str) -> None:
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, completed=completed, detail=detail)

    def done(self, outcome: str) -> None:
        self.outcome = outcome


class Steps:
    def __init__(self, console: Console) -> None:
        self._console = console

    @contextmanager
    def step(self, name: str, *, total: float) -> Iterator[Step]:
        started = time.monotonic()
        if self._console.is_terminal:
            columns = (TextColumn(f"  {name:<{_WIDTH}}"), BarColumn(24), TextColumn("{task.fields[detail]}"))
            with Progress(*columns, console=self._console, transient=True) as bar:
                step = Step(bar, bar.add_task(name, total=total, detail=""))
                yield step
        else:
            print(f"  {name} ...", flush=True)
            step = Step(None, None)
            yield step
        seconds = f"{time.monotonic() - started:5.1f} s"
        self._console.print(
            f"  [green]✓[/] {name:<{_WIDTH}}[dim]{seconds}[/]   {step.outcome}".rstrip(), soft_wrap=True
        )
