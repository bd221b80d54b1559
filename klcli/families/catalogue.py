"""The families of distributions by name. Neither NumPy nor any family is imported before a family is asked for.

A family is one file in one of three folders, named after it, that holds one class: `continuous/student_t.py` holds
StudentT. Nothing else lists it.

continuous   densities on the line; fitted to data
counts       masses on 0, 1, 2, ...; fitted to data
unfitted     families that are not fitted to data: those of vectors and lists, and those whose likelihood is irregular
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from klcli.families.family import Family

CONTINUOUS, COUNTS, FINITE, VECTORS = "continuous", "counts", "finite", "vectors"
"""Kinds: a density on the line; masses on 0, 1, 2, ...; masses on finitely many outcomes; a density of vectors."""

_BEST_KNOWN = (
    *("normal", "lognormal", "exponential", "gamma", "beta", "weibull"),
    *("laplace", "student_t", "uniform", "logistic", "gumbel"),
    *("poisson", "binomial", "geometric", "negative_binomial", "bernoulli", "categorical"),
)
"""Listed before all others in their folder, which follow by the alphabet."""


def _names(folder: str) -> tuple[str, ...]:
    """The families in a folder, as they are listed."""
    files = os.listdir(os.path.join(os.path.dirname(__file__), folder))  # noqa: PTH118, PTH120, PTH208 - starts faster
    names = {file.removesuffix(".py") for file in files if file.endswith(".py")} - {"__init__"}
    known = [name for name in _BEST_KNOWN if name in names]
    return (*known, *sorted(names.difference(known)))


CONTINUOUS_FAMILIES, COUNT_FAMILIES = _names("continuous"), _names("counts")
FITTED = (*CONTINUOUS_FAMILIES, *COUNT_FAMILIES)
"""The families that are fitted to data."""


class _Catalogue(Mapping[str, "type[Family]"]):
    """Name -> class. Names are known at once, a class is imported when it is looked up."""

    def __init__(self) -> None:
        self._folders = {
            **dict.fromkeys(CONTINUOUS_FAMILIES, "continuous"),
            **dict.fromkeys(COUNT_FAMILIES, "counts"),
            **dict.fromkeys(_names("unfitted"), "unfitted"),
        }
        self._loaded: dict[str, type[Family]] = {}

    def __getitem__(self, name: str) -> type[Family]:
        if name not in self._loaded:
            module = import_module(f"klcli.families.{self._folders[name]}.{name}")
            self._loaded[name] = getattr(module, "".join(word.title() for word in name.split("_")))
        return self._loaded[name]

    def __contains__(self, name: object) -> bool:
        return name in self._folders

    def __iter__(self) -> Iterator[str]:
        return iter(self._folders)

    def __len__(self) -> int:
        return len(self._folders)


FAMILIES: Mapping[str, type[Family]] = _Catalogue()
