"""TENSOR, the way numbers of any shape are written on the command line:

    TENSOR  = "-" | ["@"] SOURCE | JSON | NUMBERS
    SOURCE  = (PATH | "-") [ ":" COLUMNS | ":" NAME | "#" JSON-POINTER ]

JSON first, then numbers, then a file that exists; "@" says file at once. COLUMNS are of a table, NAME is of an .npz.
"""  # noqa: D400, D415

from __future__ import annotations

import json
import re
from functools import partial
from typing import TYPE_CHECKING, cast

import numpy as np

from klcli.errors import InputError, clipped, listed, no_such, typed
from klcli.readers import inline, npy
from klcli.readers.documents import Document, lines_of, load_printed, load_source
from klcli.readers.formats import READERS, SUFFIXES, format_of, known_format
from klcli.readers.nested import NO_LABELS, at, brackets, count, stacked
from klcli.readers.numbers import POINT, is_number, items, numbers
from klcli.readers.sources import (
    PLAIN,
    column_of,
    no_pointer,
    open_source,
    split_selector,
)
from klcli.readers.tables.columns import TableColumns
from klcli.readers.tables.records import table_of
from klcli.readers.tables.roles import CHOICES
from klcli.readers.tables.select import select
from klcli.tensors import Operands, Tensor
from klcli.tuples import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from zipfile import ZipFile

    from klcli.readers.numbers import Notation
    from klcli.readers.sources import Dialect, Source
    from klcli.readers.tables.table import Table
    from klcli.tensors import Index, Numbers

    Where = Callable[[Index], str]
    _Opened = Callable[["_Wanted"], "_Found"]

NPY, NPZ = "npy", "npz"
FORMATS = tuple(name for name in READERS if name != "uniq")

_LINES = "lines"
"""Text that turned out to be lines of numbers."""

_BINARY = (b"\x93NUMPY", b"PK\3\4", b"PAR1", b"ARROW1")
"""What .npy, .npz, .parquet and .feather begin with."""

_FOR_EXAMPLE = "write numbers like 0.7,0.2,0.1, JSON like [[0.7,0.3],[0.2,0.8]], or a file"


class _Found(NamedTuple):
    """What an argument is; the fields as `Tensor` has them."""

    values: Numbers
    where: Where
    loads: str = ""
    remarks: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()


class _Wanted(NamedTuple):
    """Which part of a source: ':' and columns, or '#' and a pointer, or '' for all but the columns that are taken.

    keys: whether a column of numbers may be one of labels, and a line of numbers one of names. classes: what a column
    of text may name.
    """

    selector: str
    chosen: str
    taken: tuple[str, ...] = ()
    keys: bool = True
    classes: tuple[str, ...] = ()


class Arrays:
    """Reads the tensors of one command line; what several of them share is read once. Raises UsageError.

    keys: whether a column of numbers may be one of labels, and a line of numbers one of names.
    """

    def __init__(self, input_format: str | None = None, dialect: Dialect = PLAIN, *, keys: bool = True) -> None:
        self._input_format = None if input_format is None else known_format(input_format, FORMATS)
        self._dialect, self._keys = dialect, keys
        self._sources: dict[str, Source] = {}
        self._opened: dict[tuple[str, str], _Opened] = {}

    def read(self, text: str, role: str, others: Sequence[str] = (), classes: Sequence[str] = ()) -> Tensor:
        """The tensor that the argument is. role: what errors call it. Raises InputError.

        others: arguments whose columns are not meant too where this one is the whole table that they are of. classes:
        columns whose names a column of text may have; it is then their indices.
        """
        notation = self._dialect.notation
        found = inline.argument(
            text,
            role,
            partial(_inline, notation=notation),
            partial(self._of_source, others=others, classes=classes),
            _FOR_EXAMPLE,
            notation,
        )
        return Tensor(role, inline.name_of(text), *found)

    def operands(self, given: str, target: str, **others: str) -> Operands:
        """The operands of a loss, of which others are weights and a mask; INPUT has not the columns that the rest name.

        A mask may be written in truth values. Raises InputError.
        """
        if "mask" in others and re.fullmatch(r"(?i:[\s\[\],;01]|true|false)+", others["mask"]):
            others["mask"] = re.sub("(?i:true)", "1", re.sub("(?i:false)", "0", others["mask"]))
        read = self.read(given, "INPUT", [target, *others.values()])
        return Operands(
            read,
            self.read(target, "TARGET", classes=read.columns),
            **{name: self.read(text, f"--{name.replace('_', '-')}") for name, text in others.items()},
        )

    def _of_source(
        self, path: str, selector: str, chosen: str, others: Sequence[str], classes: Sequence[str]
    ) -> _Found:
        source = self._sources.setdefault(path, open_source(path, self._dialect))
        kind = self._kind(source, selector)
        if (path, kind) not in self._opened:
            open_it = _OPENERS.get(kind)
            self._opened[path, kind] = _open_table(source, kind) if open_it is None else open_it(source)
        others_of_it = (split_selector(other.strip().removeprefix("@")) for other in others)
        taken = tuple(column for of, by, column in others_of_it if (of, by) == (path, ":"))
        return self._opened[path, kind](_Wanted(selector, chosen, taken, self._keys, tuple(classes)))

    def _kind(self, source: Source, selector: str) -> str:
        """The format of the source; of plain text, which may be what an argument is, JSON, lines of numbers or CSV."""
        own = "" if source.path is None else SUFFIXES.get(source.path.suffix.lower(), "")
        chosen = None if own in {NPY, NPZ} else self._input_format
        if chosen is None and source.path is None:
            _refuse_binary(source)
        kind = format_of(source, chosen, selector, FORMATS)
        if chosen is None and kind == "text":
            _refuse_binary(source)
        if kind != "text":
            return kind
        if inline.looks_like_json(source.text):
            return "json"
        first, notation = source.text.strip().partition("\n")[0], self._dialect.notation
        return _LINES if inline.is_inline(source.text, notation) and inline.means_numbers(first, notation) else "csv"


def _refuse_binary(source: Source) -> None:
    """Raises InputError where what should be text, for want of a suffix, is one of NumPy's or Arrow's files."""
    if source.data.startswith(_BINARY):
        message = f"{source.name}: this is a binary file; say which by --input-format (npy, npz, parquet, feather)"
        raise InputError(message)


def _named(source: str, wanted: _Wanted) -> str:
    """What errors call a part of a source."""
    return f"{source}{wanted.selector}{_one_line(wanted.chosen)}"


def _one_line(text: str) -> str:
    return text if text.isprintable() else clipped(text)


def _singular(found: _Found, source: str, wanted: _Wanted) -> _Found:
    """The array that is all that a source holds. Raises InputError where a part of it is asked for."""
    if wanted.selector == "#":
        no_pointer(source, wanted.chosen)
    if wanted.selector:
        message = f"{source}: no column {clipped(wanted.chosen)}; it is one array, and its columns have no names"
        raise InputError(message)
    return found


# ----------------------------------------------------------------------------------------------------------------- text


def _inline(text: str, role: str, notation: Notation) -> _Found:
    where = brackets(role)
    if inline.is_value(text):
        return _Found(stacked(load_printed(text, role), where), where)
    if not text:
        message = f"{role} is empty; {_FOR_EXAMPLE}"
        raise InputError(message)
    return _lines(text, role, notation)._replace(where=where)


def _open_lines(source: Source) -> _Opened:
    return partial(_singular, _lines(source.text, source.name, source.dialect.notation), source.name)


def _lines(text: str, name: str, notation: Notation) -> _Found:
    """Lines of numbers, (lines, numbers); where either is 1 the other alone, where both are a number."""
    lines = [(i, line) for i, line in enumerate(text.split("\n"), 1) if line.strip() and line.lstrip()[0] != "#"]
    if not lines:
        message = f"{name} is empty but for comments; {_FOR_EXAMPLE}"
        raise InputError(message)
    for i, line in lines:
        if "," in line and ";" in line:
            inline.refuse_two_separators(line, f"{name}:{i}" if len(lines) > 1 else name, notation)
    rows = [(i, items(line, notation)) for i, line in lines]
    if "=" in rows[0][1][0]:
        message = f"{name}: {clipped(rows[0][1][0])}: {NO_LABELS}"
        raise InputError(message)
    several, width = len(rows) > 1, len(rows[0][1])

    def where(index: Index) -> str:
        line, item = (rows[index[0]][0], index[1:]) if several and index else (rows[0][0], index)
        at = f"{name}:{line}" if index and several else name
        return f"{at}, item {item[0] + 1}" if item else at

    for i, cells in rows:
        if len(cells) != width:
            counts = f"{count(cells, 'number')}, line {rows[0][0]} has {width}; every line needs as many"
            message = f"{name}:{i}: {counts}"
            raise InputError(message)
    shape = tuple(n for n in (len(rows), width) if n > 1)
    cells = [cell for _, cells in rows for cell in cells]
    values = numbers(cells, lambda i: where(at(i, shape)), notation=notation)
    return _Found(np.array(values).reshape(shape), where)


# ----------------------------------------------------------------------------------------------------------------- JSON


def _open_json(source: Source) -> _Opened:
    return partial(_of_json, Document(source.name, load_source(source)))


def _of_json(document: Document, wanted: _Wanted) -> _Found:
    """Nested lists; a list of records is a table. Of an object ':' takes a member, '#' what is anywhere inside."""
    if wanted.selector == ":" and isinstance(document.value, dict) and document.table() is None:
        wanted = wanted._replace(selector="#", chosen=f"/{wanted.chosen.replace('~', '~0').replace('/', '~1')}")
    if wanted.selector == "#":
        document = Document(_named(document.source, wanted), document.at(wanted.chosen).value)
        wanted = wanted._replace(selector="", chosen="")
    if (table := document.table()) is not None:
        return _of_table(table, wanted)
    value, name = document.value, document.source
    if isinstance(value, dict) and (members := document.names()) and any(members):
        message = f"{name}: {NO_LABELS}, or choose one: {typed(document.address(members[0]))}"
        raise InputError(message)
    where = brackets(name)
    return _singular(_Found(stacked(value, where), where), name, wanted)


def _open_ndjson(source: Source) -> _Opened:
    rows, row = lines_of(source)
    if isinstance(rows[0], dict):
        return partial(_of_table, table_of(rows, source.name, row))

    def where(index: Index) -> str:
        return brackets(row(index[0]))(index[1:]) if index else source.name

    return partial(_singular, _Found(stacked(rows, where), where), source.name)


# --------------------------------------------------------------------------------------------------------------- tables


def _open_table(source: Source, kind: str) -> _Opened:
    mend = f"; if these are no numbers choose the other columns, as in {column_of(source.name, 'p*')}"
    table = cast("Table", READERS[kind](source, None))
    return partial(_of_table, table, notation=source.dialect.notation, mend=mend)


def _of_table(read: Table, wanted: _Wanted, notation: Notation = POINT, mend: str = "") -> _Found:
    """The columns chosen, or all of numbers: (rows, columns), and (rows,) of one; of a column of lists (rows, ...)."""
    table = TableColumns(read, CHOICES, notation, mend, keys=wanted.keys)
    if read.note and any(map(is_number, read.names)) and not wanted.keys:
        message = f"{read.source}:1: {read.note.replace('; ', ', if it is one; ')}, and --header as names"
        raise InputError(message)
    name = _named(table.source, wanted)
    if wanted.selector == "#":
        no_pointer(table.source, wanted.chosen)
    remarks: list[str] = []
    if wanted.selector:
        columns = select(wanted.chosen, table.table.names, table.source)
    elif wanted.classes and len(table.table.names) == 1:
        columns = [0]
    else:
        columns, remarks = _numeric(table, wanted.taken)
    header = [table.table.names[column] for column in columns]

    def where(index: Index) -> str:
        if not index:
            return name
        i, *inside = index
        if len(header) > 1:
            return f"{table.row(i)}, column {clipped(header[inside[0]])}" if inside else table.row(i)
        return brackets(f"{table.row(i)}, column {clipped(header[0])}")(tuple(inside))

    if read.note:
        remarks = [*remarks, f"{table.source}: {read.note}"]
    return _Found(_cells(table, columns, header, wanted, where), where, remarks=tuple(remarks), columns=tuple(header))


def _cells(table: TableColumns, columns: list[int], header: list[str], wanted: _Wanted, where: Where) -> Numbers:
    """The numbers of the columns, or of lists in one, or the classes that one names. header: their names."""
    if wanted.classes and len(columns) == 1 and _names_classes(table, columns[0]):
        return _classes(table.texts(columns[0]), wanted.classes, where)
    if not any(map(table.is_nested, columns)):
        values: Numbers = table.array(columns)
        return values if len(columns) > 1 else values[:, 0]
    if len(columns) > 1:
        message = f"{table.source}: lists stand in one column, and here are {listed(header)}; choose it as FILE:COLUMN"
        raise InputError(message)
    found = table.stacked(columns[0])
    return stacked(table.values(columns[0]), where) if found is None else found


def _names_classes(table: TableColumns, column: int) -> bool:
    return not table.is_nested(column) and not table.facts(column).of_numbers and not is_number(table.texts(column)[0])


def _classes(texts: Sequence[str], columns: Sequence[str], where: Where) -> Numbers:
    """The indices of columns that are named: p_cat by p_cat, or by cat where no other has it. Raises InputError."""
    index: dict[str, int | None] = {}
    for i, name in enumerate(columns):
        parts = {part for mark in re.finditer(r"[\W_]", name) for part in (name[: mark.start()], name[mark.end() :])}
        index |= {part: None if part in index else i for part in parts}
    index |= {name: i for i, name in enumerate(columns)}
    for i, text in enumerate(texts):
        if index.get(text.strip()) is None:
            message = f"{where((i,))}: {clipped(text)} is no class; INPUT's columns are {listed(columns)}"
            raise InputError(message)
    return np.array([index[text.strip()] for text in texts])


def _numeric(table: TableColumns, taken: Sequence[str]) -> tuple[list[int], list[str]]:
    """The columns of numbers, and remarks about those left out. What seems to be labels may be the only numbers."""
    columns, label = table.distributions(), table.label
    if not columns and label is not None:
        columns = [label]  # if it is no numbers either, reading it says where
    if not columns:
        message = f"{table.source}: no column of numbers; it has {listed(table.names())}"
        raise InputError(message)
    remarks = []
    of_others = {i for selector in taken for i in select(selector, table.table.names, table.source)}
    others = [i for i in range(len(table.table.names)) if i not in {*columns, *of_others}]
    if label in others and _holds_numbers(table, label):
        others.remove(label)
        name = table.table.names[label]
        address = typed(column_of(table.source, name))
        remarks = [f"{table.source}: column {clipped(name)} is left out{_why(name)}; {address} reads it"]
        if table.keys and len(columns) == 1:
            often = typed(column_of(table.source, table.table.names[columns[0]]))
            remarks[0] += f", with --weights {often} each number as often as that says"
    kinds = [_kind(table, i) for i in others]
    for kind in dict.fromkeys(kinds):
        names = [table.table.names[i] for i, of in zip(others, kinds, strict=True) if of == kind]
        shown = f"column {clipped(names[0])} is" if len(names) == 1 else f"columns {listed(names)} are"
        remarks.append(f"{table.source}: {shown} {kind} and left out")
    of_others &= set(columns)
    if of_others and of_others != set(columns):
        names = [table.table.names[i] for i in sorted(of_others)]
        remarks.append(f"{table.source}: {listed(names)} is another argument and left out here")
    left = [i for i in columns if i not in of_others]
    if not left and label is not None and table.facts(label).of_numbers:
        return [label], []
    return left or columns, remarks


def _kind(table: TableColumns, column: int) -> str:
    """What a column is that is no weight."""
    if table.facts(column).of_numbers:
        return "of keys by its name"
    return "text" if table.is_text(column) else "of lists" if table.is_nested(column) else "not numeric"


def _why(name: str) -> str:
    """Why a column of numbers is left out."""
    return "" if name == "label" else ", as its numbers seem to be labels"


def _holds_numbers(table: TableColumns, column: int) -> bool:
    try:
        table.array([column])
    except InputError:
        return False
    return True


# ---------------------------------------------------------------------------------------------------------- npy and npz


def _open_npy(source: Source) -> _Opened:
    found = _Found(npy.array(source.data, source.name), brackets(source.name), _loads(source))
    return partial(_singular, found, source.name)


def _open_npz(source: Source) -> _Opened:
    return partial(_of_npz, npy.archive(source.data, source.name), source)


def _of_npz(archive: ZipFile, source: Source, wanted: _Wanted) -> _Found:
    """One of the arrays of an archive: by its name, which may be left out where there is but one."""
    selector, chosen = wanted.selector, wanted.chosen
    if selector == "#":
        no_pointer(source.name, chosen)
    names = npy.names(archive)
    if selector and chosen not in names:
        raise no_such(source.name, chosen, names, "array")
    if not selector and len(names) != 1:
        first = column_of(source.name, _one_line(names[0])) if names else ""
        mend = f" ({listed(names)}); choose one, as in {first}" if names else " in it"
        message = f"{source.name}: {len(names) or 'no'} arrays{mend}"
        raise InputError(message)
    key = chosen if selector else names[0]
    name, loads = _named(source.name, _Wanted(":", key)), _loads(source)
    return _Found(npy.member(archive, key, name), brackets(name), loads and f"{loads}[{_quoted(key)}]")


def _loads(source: Source) -> str:
    """How Python would load it; '' where that takes more than a call."""
    return "" if source.path is None or source.compression else f"numpy.load({_quoted(str(source.path))})"


def _quoted(text: str) -> str:
    """A literal of Python's, in double quotes where they need no escapes that JSON has and Python has not."""
    return json.dumps(text, ensure_ascii=False) if text.isprintable() else ascii(text)


_OPENERS: dict[str, Callable[[Source], _Opened]] = {
    _LINES: _open_lines,
    "json": _open_json,
    "ndjson": _open_ndjson,
    NPY: _open_npy,
    NPZ: _open_npz,
}
