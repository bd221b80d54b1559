"""What changes how an answer is shown, and nothing else."""

from __future__ import annotations

from typing import NamedTuple


class View(NamedTuple):
    """breakdown: None, where the format decides. width: the terminal's columns. unicode: boxes and bars."""

    breakdown: bool | None = None
    notes: bool = True
    digits: int = 5
    width: int = 80
    color: bool = False
    unicode: bool = True
