"""What changes how an answer is shown, and nothing else."""

from __future__ import annotations

from typing import NamedTuple


class View(NamedTuple):
    """notes: whether they are shown. digits: significant ones, in tables. width: the terminal's. unicode: for bars."""

    notes: bool = True
    digits: int = 5
    width: int = 80
    color: bool = False
    unicode: bool = True
