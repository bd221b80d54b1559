"""A bar on stderr that shows how far something has come."""

from __future__ import annotations

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn


class Bar:
    """Shown from the start, gone without a trace after `stop`. total: of what `update` is told, 0 if nobody knows."""

    def __init__(self, total: int) -> None:
        rows = TextColumn("{task.fields[rows]:,} rows")
        columns = [BarColumn(), TaskProgressColumn(), rows, TimeRemainingColumn()]
        self._bar = Progress(*columns, console=Console(stderr=True), transient=True)
        self._task = self._bar.add_task("", total=total or None, rows=0)
        self._bar.start()

    def update(self, done: int, rows: int) -> None:
        """So much is done."""
        self._bar.update(self._task, completed=done, rows=rows)

    def stop(self) -> None:
        """Takes it away."""
        self._bar.stop()
