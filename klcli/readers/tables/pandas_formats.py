"""Tables that pandas reads: Excel and OpenDocument sheets, Stata, SPSS."""

from __future__ import annotations

import re
from io import BytesIO
from math import nan
from shlex import quote
from typing import TYPE_CHECKING, Any, BinaryIO
from xml.etree.ElementTree import ParseError, iterparse
from zipfile import BadZipFile, ZipFile

from klcli.errors import InputError, UsageError, clipped, lacking, listed, nearest
from klcli.readers.numbers import grouping_note, is_blank, is_number, number
from klcli.readers.sources import unreadable
from klcli.readers.tables.roles import header_note
from klcli.tuples import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import pandas as pd
    import pyarrow as pa

    from klcli.readers.numbers import Notation
    from klcli.readers.sources import Source

_SHEET: tuple[str, dict[str, Any]] = ("read_excel", {"keep_default_na": False, "na_values": [], "dtype": object})

PANDAS_FORMATS: dict[str, tuple[str, dict[str, Any]]] = {
    "xlsx": _SHEET,
    "ods": _SHEET,
    "dta": ("read_stata", {"convert_categoricals": True}),
    "sav": ("read_spss", {}),
}
"""Format -> pandas' function, and how it is called."""

_MOST_CELLS = 20_000_000
"""Cells of a sheet, empty ones between others among them: pandas makes a Python object of each, 100 bytes or so."""

_MOST_BYTES = 1 << 32
"""Bytes that a sheet is unpacked to."""


class Whole(NamedTuple):
    """A table that was read at once, and what should be known of it.

    rows: the numbers by which errors call its rows.
    """

    table: pa.Table
    rows: Sequence[int]
    remarks: tuple[str, ...] = ()


def read_by_pandas(source: Source, format_name: str) -> Whole:
    """A file that pandas reads, labels as text. Rows of a sheet have the numbers that they have there.

    Rows of a sheet in which nothing stands are left out where blank cells are no errors. What pandas needs besides
    itself is named when it is missing.
    """
    import pandas as pd
    import pyarrow as pa

    name, options = PANDAS_FORMATS[format_name]
    remarks, is_sheet = [""], options is _SHEET[1]
    source.look()
    if is_sheet and source.dialect.comment is not None:
        message = f"{source.name}: --comment is for text; in a sheet --skip leaves rows out at the top, --drop others"
        raise UsageError(message)
    try:
        # These readers want a path or a seekable file; some of the libraries behind them only a path.
        whole = source.path if source.path is not None and not source.compression else BytesIO(source.data)
        formulas = _check_size(source.name, whole, format_name)
        if is_sheet:
            frame, remarks = _read_sheet(source, whole, options, formulas)
        else:
            frame = getattr(pd, name)(whole, **options)
    except InputError:
        raise
    except ImportError as error:
        needed = re.search(r"openpyxl|odfpy|xlrd|pyreadstat", str(error))
        missing = needed[0] if needed else error.name
        message = f"{source.name}: reading this needs {missing}; pip install {missing}, or 'klcli[sheets]'"
        raise lacking(error) or InputError(message) from None
    except Exception as error:  # noqa: BLE001 - each of these libraries has errors of its own, without a common root
        raise unreadable(source.name, format_name, error) from None
    source.verify()
    frame.columns = [str(name) for name in frame.columns]
    for i in range(len(frame.columns) if is_sheet else 0):
        frame.isetitem(i, _typed(frame.iloc[:, i]))  # type: ignore[arg-type]
    for i, kind in enumerate(frame.dtypes):
        if not pd.api.types.is_numeric_dtype(kind):
            cells = frame.iloc[:, i]
            found = _numbers(cells.tolist(), source.dialect.notation) if is_sheet else None
            if found is not None:
                what = f"column {clipped(frame.columns[i])}"
                remarks.append(grouping_note(what, list(map(str, cells)), source.dialect.notation))
            frame.isetitem(i, cells.map(_text).astype(str).tolist() if found is None else found)
    rows = (frame.index + source.dialect.skip + 1).tolist() if is_sheet else range(1, len(frame) + 1)
    return Whole(pa.Table.from_pandas(frame, preserve_index=False), rows, tuple(filter(None, remarks)))


def _read_sheet(
    source: Source, whole: Path | BinaryIO, options: dict[str, Any], formulas: dict[str, str]
) -> tuple[pd.DataFrame, list[str]]:
    """The rows of a sheet, without columns in which nothing stands, and what is to be said of it.

    formulas: see `_check_size`.
    """
    import pandas as pd

    skip, named = source.dialect.skip, source.dialect.header is not False
    with pd.ExcelFile(whole) as book:
        sheets = [str(each) for each in book.sheet_names]
        sheet, remark = _sheet(source, sheets)
        is_excel = hasattr(book.book, "sheetnames")  # openpyxl's, as of the format whose sheets have paths
        unknown = formulas.get(getattr(book.book[sheet], "_worksheet_path", "") if is_excel else sheet)
        if unknown:
            message = (
                f"{source.name}, cell {unknown}: the formula has no value, as no spreadsheet program has saved this "
                "file; open it in one, and save it"
            )
            raise InputError(message)
        frame = pd.read_excel(book, sheet_name=sheet, header=None, skiprows=skip, **options)
        frame = frame.loc[:, _filled(frame.T) > 0]
        names = list(map(str, frame.iloc[0] if named and len(frame) else range(1, frame.shape[1] + 1)))
        frame = frame.iloc[int(named) :]
        frame.columns = pd.Index(names, dtype=object)
        if source.dialect.sheet is None and not _has_numbers(frame):
            others = (each for each in sheets[1:] if _has_numbers(pd.read_excel(book, sheet_name=each, **options)))
            _refuse_sheet(source, sheet, next(others, None))
    remarks = [remark]
    if named:
        again = (frame.map(str) == names).all(axis=1)
        frame = frame[~again]
        remarks += [f"rows that repeat the header left out: {again.sum()}"] if again.any() else []
        remarks.append(_names(source, frame, names))
    if source.dialect.blank != "error":
        frame = frame[_filled(frame) > 0]
    return frame, remarks


def _has_numbers(frame: pd.DataFrame) -> bool:
    """Whether a column of a sheet is one of numbers: more than half of the cells in which something stands."""
    filled = frame.map(str) != ""
    numeric = frame.map(_is_number) & filled
    return bool((2 * numeric.sum() > filled.sum()).any())


def _is_number(cell: Any) -> bool:  # noqa: ANN401
    """Whether a cell of a sheet is a number; TRUE and FALSE are none."""
    return isinstance(cell, int | float) and not isinstance(cell, bool)


def _refuse_sheet(source: Source, first: str, meant: str | None) -> None:
    """Raises InputError where the first sheet has no column of numbers, and another one has. meant: that one."""
    if meant is not None:
        message = (
            f"{source.name}: the first sheet, {clipped(first)}, has no column of numbers; add --sheet {quote(meant)}, "
            f"or --sheet {quote(first)} to read it all the same"
        )
        raise InputError(message)


def _filled(frame: pd.DataFrame) -> pd.Series[int]:
    """How many cells of each row hold something."""
    return (frame.map(str) != "").sum(axis=1)


def _names(source: Source, frame: pd.DataFrame, names: list[str]) -> str:
    """What to say of the row that names a sheet's columns.

    Raises InputError where it is a title, may be numbers, or has a name twice.
    """
    above, unnamed = source.dialect.skip, [not name for name in names[1:]]
    filled = _filled(frame).tolist() if any(unnamed) else []
    numeric = frame.map(_is_number).any(axis=1).tolist() if any(unnamed) else []
    width = len(names) - sum(unnamed)
    start = next((i for i, count in enumerate(filled) if count > width), len(filled))
    # One name may be a title above anything, as several are where the first row with more cells is one of names.
    titled = (width == 1 and len(names) > 2) or (not any(numeric[: start + 1]) and any(numeric))  # noqa: PLR2004
    if titled and start + 1 < len(filled):
        what = "an empty row" if not names[0] else clipped(names[0])
        title = f"{source.name}, row {above + 1}: {what} seems to stand above the table"
        message = f"{title}, whose rows have {filled[start]} cells; add --skip {above + 1 + start}"
        raise InputError(message)
    twice = next((name for i, name in enumerate(names) if name in names[:i]), None)
    if twice is not None:
        message = f"{source.name}, row {above + 1}: the header has {clipped(twice)} twice; rename one"
        raise InputError(message)
    if source.dialect.header or not len(frame):
        return ""
    first = [str(cell) for cell in frame.iloc[0]]
    return header_note(names, first, f"{source.name}, row {above + 1}", f"row {above + 1}", source.dialect.notation)


def _typed(cells: pd.Series[Any]) -> pd.Series[Any]:
    """A column of a sheet with a type if all of it are numbers; pandas would count TRUE as 1, and read text."""
    import pandas as pd

    if any(isinstance(cell, bool | str) for cell in cells):
        return cells
    try:
        return pd.to_numeric(cells)
    except (ValueError, TypeError):
        return cells.infer_objects()


def _text(cell: Any) -> Any:  # noqa: ANN401
    """The cell, but TRUE and FALSE as the text that spreadsheets write to CSV."""
    return str(cell).upper() if isinstance(cell, bool) else cell


def _numbers(cells: list[Any], notation: Notation) -> list[float] | None:
    """The numbers of a column of a sheet, NaN in blank cells; None where it has none, codes as 007, or other cells."""
    written = [str(cell).strip() for cell in cells]
    if all(map(is_blank, written)) or any(text[:1] == "0" and text[1:2].isdigit() for text in written):
        return None
    if not all(is_blank(text) or is_number(text, notation) for text in written):
        return None
    return [
        float(cell) if _is_number(cell) else nan if is_blank(text) else number(text, notation)
        for cell, text in zip(cells, written, strict=True)
    ]


def _sheet(source: Source, names: list[str]) -> tuple[str, str]:
    """The sheet that is meant, and a remark where nobody chose it among several. Raises InputError."""
    chosen = source.dialect.sheet
    if chosen is None:
        others = f"{source.name}: the first sheet, {clipped(names[0])}, is read; --sheet reads {listed(names[1:])}"
        return names[0], others if len(names) > 1 else ""
    if chosen not in names:
        message = f"{source.name}: no sheet {clipped(chosen)}; it has {listed(names, 20)}.{nearest(chosen, names)}"
        raise InputError(message)
    return chosen, ""


def _check_size(name: str, whole: Path | BinaryIO, format_name: str) -> dict[str, str]:
    """The first cell that is a formula without a value in each sheet that has some.

    Raises InputError for a sheet that a few cells far away, or repeated, make larger than any memory.
    """
    measure = {"xlsx": _excel_size, "ods": _open_document_size}.get(format_name)
    if measure is None:
        return {}
    try:
        with ZipFile(whole) as archive:
            unpacked = sum(member.file_size for member in archive.infolist())
            rows, columns, formulas = measure(archive) if unpacked <= _MOST_BYTES else (0, 0, {})
    except (BadZipFile, KeyError, ParseError):  # no such file, or an old .xls: pandas says what is wrong with it
        return {}
    finally:
        if isinstance(whole, BytesIO):
            whole.seek(0)
    if unpacked > _MOST_BYTES:
        message = f"{name}: it unpacks to {unpacked:,} bytes; save the table as CSV"
        raise InputError(message)
    if rows * columns > _MOST_CELLS:
        message = (
            f"{name}: the sheet has {rows:,} rows of {columns:,} columns, {rows * columns:,} cells; "
            "delete what stands far away from the table, or save the table as CSV"
        )
        raise InputError(message)
    return formulas


_FILLED = re.compile(rb'<(?:\w+:)?c\b[^>]*?\br="([A-Z]{1,3})(\d{1,7})"[^>]*(?<!/)>')


_UNKNOWN = re.compile(
    rb'<c\b(?![^>]*\bt="str")[^>]*?\br="([A-Z]+\d+)"[^>]*>\s*'
    rb"<f\b(?:[^>]*/>|[^>]*>[^<]*</f>)\s*(?:<v\s*/>|<v></v>|</c>)"
)
"""A cell with a formula and no value; one whose value is empty text is of type str."""

_LONG = 1 << 16
"""Bytes that a cell seldom takes."""


def _excel_size(archive: ZipFile) -> tuple[int, int, dict[str, str]]:
    """The rows and columns up to the last that hold something, in the largest sheet.

    The last is the first cell of each sheet that is a formula without a value.
    """
    largest, formulas = (0, 0), dict[str, str]()
    for member in archive.namelist():
        if not member.startswith("xl/worksheets/"):
            continue
        rows, columns, left = 0, b"", b""
        with archive.open(member) as sheet:
            while data := sheet.read(1 << 20):
                data = left + data
                for column, row in _FILLED.findall(data):
                    rows, columns = max(rows, int(row)), max(columns, column.rjust(3))
                if member not in formulas and b"<f" in data and (unknown := _UNKNOWN.search(data)):
                    formulas[member] = unknown[1].decode()
                cell = data.rfind(b"<c ", max(len(data) - _LONG, 0))
                left = data[data.rfind(b"<") if cell < 0 else cell :]
        size = rows, sum((letter - 64) * 26**i for i, letter in enumerate(reversed(columns.strip())))
        largest = max(largest, size, key=lambda size: size[0] * size[1])
    return *largest, formulas


_TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"


_VALUE_TYPE = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}value-type"


def _letters(column: int) -> str:
    """What a spreadsheet calls a column, counted from 0: A, Z, AA."""
    return "" if column < 0 else _letters(column // 26 - 1) + chr(ord("A") + column % 26)


def _open_document_size(archive: ZipFile) -> tuple[int, int, dict[str, str]]:
    """The rows and columns up to the last that hold something, those repeated so often, in the largest sheet.

    The last is the first cell of each sheet that is a formula without a value.
    """
    rows = columns = seen = width = filled = 0
    largest, formulas, unknown = (0, 0), dict[str, str](), ""
    with archive.open("content.xml") as content:
        for _, element in iterparse(content):  # noqa: S314 - entities that grow: expat has bounds for them
            if element.tag == f"{_TABLE}table-cell":
                if element.get(f"{_TABLE}formula") and not (len(element) or element.get(_VALUE_TYPE)):
                    unknown = unknown or f"{_letters(width)}{seen + 1}"
                width += int(element.get(f"{_TABLE}number-columns-repeated", 1))
                filled = width if len(element) else filled
            elif element.tag == f"{_TABLE}table-row":
                seen += int(element.get(f"{_TABLE}number-rows-repeated", 1))
                rows, columns, width, filled = seen if filled else rows, max(columns, filled), 0, 0
                element.clear()
            elif element.tag == f"{_TABLE}table":
                largest = max(largest, (rows, columns), key=lambda size: size[0] * size[1])
                formulas |= {element.get(f"{_TABLE}name", ""): unknown} if unknown else {}
                rows = columns = seen = width = filled = 0
                unknown = ""
    return *largest, formulas
