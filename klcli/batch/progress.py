"""How far a batch has come: on stderr, only on a terminal, and only after a second."""

import sys
import time
from typing import Any, Self

_PATIENCE = 1.0
_INTERVAL = 0.2


class Progress:
    """A bar that nobody sees who does not wait."""

    def __init__(self, whole: Any, *, wanted: bool) -> None:  # noqa: ANN401 - anything with `done` and `total`
        self._whole = whole
        self._bar: Any = None
        self._next = time.monotonic() + _PATIENCE if wanted and sys.stderr is not None and sys.stderr.isatty() else None

    def __enter__(self) -> Self:
        """The bar, not yet shown."""
        return self

    def __exit__(self, *_: object) -> None:
        """Takes it away."""
        if self._bar is not None:
            self._bar.stop()

    def show(self, rows: int) -> None:
        """So many rows are done."""
        if self._next is None or time.monotonic() < self._next:
            return
        self._next = time.monotonic() + _INTERVAL
        if self._bar is None:
            from klcli.renderers.progress import Bar

            self._bar = Bar(self._whole.total)
        self._bar.update(self._whole.done, rows)
