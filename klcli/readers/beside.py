"""Work on a thread beside this one's: what Arrow and NumPy do takes no part in Python's lock."""

from __future__ import annotations

from threading import Thread
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

Result = TypeVar("Result")


class Beside(Generic[Result]):
    """Work that has been started. Calling it waits, and returns or raises what the work did."""

    def __init__(self, work: Callable[[], Result]) -> None:
        self._work = work
        self._results: list[Result] = []
        self._errors: list[BaseException] = []
        self._thread = Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._results.append(self._work())
        except BaseException as error:  # noqa: BLE001 - raised where it is waited for
            self._errors.append(error)

    def __call__(self) -> Result:
        """Waits for the work."""
        self._thread.join()
        if self._errors:
            raise self._errors[0]
        return self._results[0]
