"""The types that pass from stage to stage. All frozen; arrays in them are read-only copies.

They are named tuples, which take a sixth of a dataclass's time to define; those that hold arrays have no use for ==.

Importing this module does not import NumPy: the command line builds its help from `Settings` without it.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, log
from typing import TYPE_CHECKING

from klcli.tuples import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import numpy as np
    import numpy.typing as npt

    from klcli.engine.pair import Logs
    from klcli.families.formula import Formula
    from klcli.families.numeric.sampling import Sampling

    Array = npt.NDArray[np.float64]

ELEMENTS = "elements."
"""What a field of the breakdown is written with in front."""

READ_AS = ("weights", "probs", "logits", "logprobs", "cumulative")
UNITS = {"nats": None, "bits": 2.0, "hartleys": 10.0}
ALIGN = ("outer", "inner", "strict")


def frozen(values: npt.ArrayLike) -> Array:
    """The values as a read-only float64 array of shape (K,): a copy, unless they are that already."""
    import numpy as np

    if isinstance(values, np.ndarray) and values.dtype == np.float64 and not values.flags.writeable:
        return values
    array = np.array(values, dtype=np.float64)
    array.setflags(write=False)
    return array


@dataclass(frozen=True, eq=False)
class Distribution:
    """What was given for one distribution, before anything is done to it.

    values: (K,), read as `read_as` says. outcomes: K labels, or None where there were none. `name` is how a table of
    several distributions calls it; `source` is where it came from; `where(i)` says where value i stands, for errors;
    `remarks` what should be known of how it was read. keys: the column of its table that holds its labels, or may
    hold them though nothing says so: its name, and how to get its cells.

    read_as: what the values are, where that is known whatever the settings say; None where it is not. running: what to
    call the values in a note that they seem to be running totals, '' where they do not. uniform: whether it is the
    uniform distribution on the other side's outcomes, without values of its own. fault: why some values could not be
    read, where that makes it none instead of being an error. tallied: whether these are weights where raw values are
    counted. place: where all of it stands, for errors; '' where its name says that. formula: what it is given by where
    it has no weights, but a density or masses without end; values is then empty.
    """

    name: str
    source: str
    values: Array
    where: Callable[[int], str]
    outcomes: Sequence[str] | None = None
    remarks: tuple[str, ...] = ()
    keys: tuple[str, Callable[[], Sequence[str]]] | None = None
    read_as: str | None = None
    running: str = ""
    uniform: bool = False
    fault: str = ""
    tallied: bool = False
    place: str = ""
    formula: Formula | None = None

    def __len__(self) -> int:
        """The number of outcomes."""
        return len(self.values)


class Smoothing(NamedTuple):
    """A smoothing method and its value, as `--smooth METHOD=VALUE` names them. value None: the method needs none."""

    method: str
    value: float | None = None

    def __str__(self) -> str:
        """The method and its value, as they are written on the command line."""
        return self.method if self.value is None else f"{self.method}={self.value!r}"


class Side(NamedTuple):
    """What is done to P alone, or to Q alone."""

    read_as: str = "weights"
    smoothing: Smoothing | None = None


class Settings(NamedTuple):
    """Every option that changes a number; one value, passed down whole."""

    p: Side = Side()
    q: Side = Side()
    temperature: float = 1.0
    strict: bool = False
    normalize: bool = True
    align: str = "outer"
    unit: str = "nats"
    base: float | None = None
    alpha: float = 2.0
    js_weight: float = 0.5

    def per_nat(self, *, root: bool = False) -> float:
        """What a value in nats is divided by to be in the unit (for square roots of logarithms: its root)."""
        base = self.base if self.base is not None else UNITS[self.unit]
        divisor = 1.0 if base is None else log(base)
        return divisor**0.5 if root else divisor

    @property
    def unit_name(self) -> str:
        """What a value's unit is called: nats, bits, hartleys, or the base."""
        return self.unit if self.base is None else f"base {self.base!r}"


class Asked(NamedTuple):
    """What is to be computed of distributions: measures and, of weights, the breakdown by outcome.

    names: the measures shown. others: those computed besides, for a gate or an order. breakdown: whether it is wanted.
    top: how many outcomes it shows, None for all. sort: the element that orders them, largest first; 'outcome': by
    label; None: as given, or with `top` by their contribution. sampling: of formulas; None for quadrature.
    """

    names: Sequence[str]
    others: Sequence[str] = ()
    breakdown: bool = False
    top: int | None = None
    sort: str | None = None
    sampling: Sampling | None = None

    def fields(self) -> list[str]:
        """All the measures to compute, each once."""
        return list(dict.fromkeys([*self.names, *self.others]))

    def split(self, values: Mapping[str, float]) -> tuple[dict[str, float], dict[str, float]]:
        """The values of the measures shown, and those of the others. values: of all `fields`."""
        besides = {name: values[name] for name in self.others if name not in self.names}
        return {name: values[name] for name in self.names}, besides


class Input(NamedTuple):
    """One distribution as a report tells of it: where it came from, its raw values' sum, and all that was done.

    n: of a formula, which has no number of values, None.
    """

    name: str
    source: str
    n: int | None
    sum: float
    read_as: str
    done: tuple[str, ...]


class Smoothed(NamedTuple):
    """What smoothing did to one side. lifted: (K,) bool, the outcomes that had no mass before."""

    role: str
    text: str
    lifted: npt.NDArray[np.bool_]


class Pair(NamedTuple):
    """P and Q on the same outcomes, read, aligned and smoothed. p, q: weights (K,), finite, >= 0, not all zero.

    They are not yet divided by their sums: the engine does that itself, without the rounding it would cost. logs: of a
    side that was given by logarithms, from which some weights may have underflowed.
    """

    p: Array
    q: Array
    outcomes: Sequence[str] | None
    roles: tuple[str, str]
    inputs: tuple[Input, Input]
    notes: tuple[str, ...]
    smoothed: tuple[Smoothed, ...] = ()
    logs: Logs = (None, None)

    def has_mass(self) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
        """Where P and where Q has mass, (K,) each."""
        p, q = self.logs
        return (
            self.p > 0 if p is None else p.values[:, 0] > -inf,
            self.q > 0 if q is None else q.values[:, 0] > -inf,
        )

    def outcome(self, i: int) -> str:
        """The label of outcome i, or its position, counted from 1."""
        return str(i + 1) if self.outcomes is None else self.outcomes[i]


class Elements(NamedTuple):
    """The breakdown by outcome: names of the outcomes shown, and their columns.

    `contribution` names the column that tells which outcomes matter. `folded` is how many outcomes the last row stands
    for, 0 when every outcome has its own; a column that cannot be added up holds NaN there.
    """

    outcomes: Sequence[str]
    columns: Mapping[str, Array]
    contribution: str
    folded: int = 0


class Report(NamedTuple):
    """The answer about one pair (`compare`) or one distribution of several (`entropy`, `rank`).

    measures: those asked for; others: those computed for a gate or an order besides. Of formulas, errors: of those
    measures that are estimates; methods: how each was had.
    """

    name: str
    inputs: tuple[Input, ...]
    measures: Mapping[str, float]
    others: Mapping[str, float]
    elements: Elements | None
    notes: tuple[str, ...] = ()
    errors: Mapping[str, float] = {}
    methods: Mapping[str, str] = {}


class Listed(NamedTuple):
    """The pairs to list, by row and column of a square.

    nearest: so many come first, the rest are the farthest. more: so many were left out.
    """

    rows: npt.NDArray[np.intp]
    columns: npt.NDArray[np.intp]
    nearest: int = 0
    more: int = 0


class Square(NamedTuple):
    """A measure of every pair of n distributions. values: (n, n), from the row's, P, to the column's, Q.

    heading: what the names are called ('': nothing). unit: of the values ('': none). symmetric: whether a pair is the
    same both ways. pairs: those to list; None: the square is shown. settings: what the values follow from besides the
    input.
    """

    names: Sequence[str]
    heading: str
    measure: str
    unit: str
    values: Array
    symmetric: bool
    pairs: Listed | None = None
    settings: Mapping[str, object] = {}
    notes: tuple[str, ...] = ()

    @property
    def corner(self) -> str:
        """The header of the column of names, which is none of them."""
        taken = set(self.names) | {""}
        return next((name for name in (self.heading, "name", "distribution") if name not in taken), "")
