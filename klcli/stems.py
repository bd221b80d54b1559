"""What is left of names that have a beginning or an end in common."""

from __future__ import annotations

from os.path import commonprefix
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def stems(names: Sequence[str]) -> list[list[str]]:
    """The names less the longest beginning that all have; less the longest such end; less both.

    >>> stems(["A_rain", "A_sun"])[0]
    ['rain', 'sun']
    """
    before = len(commonprefix(names))  # noqa: RUF071 - no paths
    without = [name[before:] for name in names]
    after, left = (len(commonprefix([name[::-1] for name in some])) for some in (names, without))  # noqa: RUF071
    return [without, [name[: len(name) - after] for name in names], [name[: len(name) - left] for name in without]]
