"""Tables with types: what they hold comes out as it stood, numbers rounded once, what cannot be read as an error."""

import datetime as dt
from decimal import Decimal
from fractions import Fraction
from zipfile import ZipFile

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import feather, orc, parquet

from klcli.errors import InputError
from klcli.readers.numbers import POINT, mend
from klcli.readers.sources import Source, open_source
from klcli.readers.tables.columnar import ColumnarStream, doubles, read_columnar
from klcli.readers.tables.layout import WantedColumns, lay_out
from klcli.readers.tables.table import concatenated

laws = settings(max_examples=60, deadline=None)


NESTED = WantedColumns("p", "q")


def read(path, wanted=NESTED, kind="parquet"):
    stream = ColumnarStream(open_source(str(path)), kind)
    layout = lay_out(wanted, stream.names, stream.source, stream.text)
    return concatenated([frame() for frame in stream.frames(layout)])


def written(tmp_path, columns, **options):
    path = tmp_path / "w.parquet"
    parquet.write_table(pa.table(columns), path, **options)
    return path


def never(row, error):
    raise AssertionError(row) from error


@laws
@given(
    st.integers(1, 38).flatmap(
        lambda precision: st.tuples(
            st.just(precision),
            st.integers(-3, precision),
            st.lists(st.none() | st.integers(-(10**precision) + 1, 10**precision - 1)),
        )
    ),
    st.integers(0, 3),
)
def test_decimals_are_the_nearest_doubles(given_, skipped):
    precision, scale, unscaled = given_
    if scale < 0:
        unscaled, exact = [None if n is None else n // 1000 for n in unscaled], max(precision, 4)
        kind = pa.decimal128(exact, 0)
        scale = 0
    else:
        kind = pa.decimal128(precision, scale)
    cells = pa.array([None if n is None else Decimal(n).scaleb(-scale) for n in unscaled], kind)[skipped:]
    expected = [1.0 if n is None else float(Fraction(n, 10**scale)) for n in unscaled[skipped:]]
    assert np.asarray(doubles(cells, never)).tolist() == expected


@pytest.mark.parametrize(
    "kind",
    [
        pa.float64(),
        pa.float32(),
        pa.int8(),
        pa.int64(),
        pa.uint64(),
        pa.decimal256(40, 2),
        pa.string(),
        pa.large_string(),
        pa.string_view(),
        pa.dictionary(pa.int8(), pa.string()),
    ],
)
def test_numbers_of_every_type(kind):
    text = "string" in str(kind)
    values = ["1", None, "3"] if text else [1, None, 3]
    cells = pa.array(values, pa.string()).cast(kind) if text else pa.array(values).cast(kind)
    assert np.asarray(doubles(cells, never)).tolist() == [1, 1, 3]
    assert np.asarray(doubles(pa.chunked_array([cells[:1], cells[2:]]), never)).tolist() == [1, 3]


def test_what_is_no_number_is_a_failure_and_so_is_what_is_missing(tmp_path):
    table = read(written(tmp_path, {"p": ["1/2", "x", "3"], "q": [1.0, 2.0, None], "r": [b"a", b"b", None]}))
    assert [(row, str(error)) for row, error in sorted(table.wrong.items())] == [
        (1, "'x' in column 'p' is not a number"),
        (2, f"nothing stands where a number should in column 'q'{mend('', POINT)}"),
    ]
    assert table.matrix([0, 1])[:, 0].tolist() == [0.5, 1]


KEPT = {
    "date": pa.array([dt.date(2024, 1, 2)]),
    "time": pa.array([1_000_000_007], pa.time64("ns")),
    "when": pa.array([1_700_000_000_000_000_001], pa.timestamp("ns", "Europe/Zurich")),
    "truth": pa.array([True]),
    "bytes": pa.array([b"\xff"]),
    "word": pa.array(["a"]).dictionary_encode(),
    "large": pa.array(["a"], pa.large_string()),
    "price": pa.array([Decimal("1.10")]),
    "list": pa.array([[1.5, None]]),
}


def test_kept_columns_come_out_as_they_stood(tmp_path):
    table = read(written(tmp_path, {**KEPT, "p": [1.0], "q": [2.0]}))
    assert all(table.columns[i].equals(cells) for i, cells in enumerate(KEPT.values()))


def test_weights_can_be_kept_with_their_type(tmp_path):
    path = written(tmp_path, {"p": pa.array([Decimal("0.10")]), "q": [2]})
    table = read(path, WantedColumns("p", "q", keep="p"))
    assert (table.columns[0].tolist(), table.columns[~0].to_pylist()) == ([0.1], [Decimal("0.10")])


@pytest.mark.parametrize(
    ("given_", "comes"),
    [
        ([[1.0, 2.0], [3.0, 4.0]], [[1.0, 2.0], [3.0, 4.0]]),
        ([[Decimal("0.10")], [Decimal("1.25")]], [[0.1], [1.25]]),
        ([[dt.date(2024, 1, 2)], None], [["2024-01-02"], None]),
        ([{"a": Decimal("0.5"), "b": None}, {"a": None, "b": Decimal("1.5")}], [{"a": 0.5}, {"b": 1.5}]),
        (pa.array([[("a", Decimal("0.5"))]] * 2, pa.map_(pa.string(), pa.decimal128(4, 1))), [{"a": 0.5}] * 2),
        ([["1/2"], ["x"]], [["1/2"], ["x"]]),
        ([[b"1"], [b"2"]], [["b'1'"], ["b'2'"]]),
    ],
)
def test_weights_in_one_column(tmp_path, given_, comes):
    cells = read(written(tmp_path, {"p": given_, "q": given_})).columns[0]
    assert (cells if isinstance(cells, list) else cells.to_pylist()) == comes


def test_a_list_that_lacks_a_number_harms_no_other(tmp_path):
    given_ = [[1.0, 2.0], None, [None, 3.0], [3.0, 4.0]]
    for kind in (pa.list_(pa.float64()), pa.large_list(pa.int32()), pa.list_(pa.float32(), 2)):
        table = read(written(tmp_path, {"p": pa.array(given_, kind), "q": pa.array(given_[:1] * 4, kind)}))
        assert [(row, str(error)) for row, error in sorted(table.wrong.items())] == [
            (1, "column 'p': null is no distribution; a list of numbers or an object of label: number is"),
            (
                2,
                "column 'p', item 1: null is not a number; --blank zero counts it as 0, --blank skip leaves it out",
            ),
        ]
        assert table.columns[0].to_pylist() == [[1, 2], [1, 2], [1, 2], [3, 4]]


@pytest.mark.parametrize("rows", [1000, 1 << 17, (1 << 18) + 5])
def test_frames_are_of_one_size_whatever_the_row_groups(tmp_path, rows):
    values = np.arange(rows, dtype=float)
    path = written(tmp_path, {"x": values, "p": values, "q": values}, row_group_size=(1 << 18) + 5)
    stream = ColumnarStream(open_source(str(path)), "parquet")
    frames = [frame() for frame in stream.frames(lay_out(WantedColumns("p", "q"), stream.names, "w", stream.text))]
    assert [frame.size for frame in frames] == ([rows] if rows <= 1 << 17 else [1 << 17, 1 << 17, 5])
    assert (concatenated(frames).matrix([1])[0] == values).all()


def test_a_file_is_opened_once(tmp_path):
    values, size = np.repeat([1.0, 2.0], 1 << 17), 1 << 17
    path = written(tmp_path, {"p": values, "q": values}, row_group_size=size)
    stream = ColumnarStream(open_source(str(path)), "parquet")
    frames = stream.frames(lay_out(WantedColumns("p", "q"), stream.names, "w", stream.text))
    assert next(frames)().matrix([0])[0, -1] == 1
    other = tmp_path / "other"
    parquet.write_table(pa.table({"p": 7 * values, "q": values}), other, row_group_size=size)
    other.replace(path)
    assert next(frames)().matrix([0])[0, 0] == 2


@pytest.mark.parametrize("harm", ["cut", "truncate", "flip", "magic"])
def test_damage_is_an_error(tmp_path, harm):
    values = np.random.default_rng(1).random(400_000)
    path = written(tmp_path, {"p": values, "q": values}, write_page_checksum=True, row_group_size=50_000)
    data = bytearray(path.read_bytes())
    if harm == "cut":
        path.write_bytes(data[:-100])
    if harm == "flip":
        data[5000] ^= 255
        path.write_bytes(data)
    if harm == "magic":
        path.write_bytes(b"what")

    def read_on():
        stream = ColumnarStream(open_source(str(path)), "parquet")
        for frame in stream.frames(lay_out(NESTED, stream.names, "w", stream.text)):
            if harm == "truncate":
                path.write_bytes(b"")
            frame()

    with pytest.raises(InputError, match=r"w\.parquet: not a readable Parquet file \("):
        read_on()


def test_two_columns_of_one_name(tmp_path):
    path = tmp_path / "w.parquet"
    parquet.write_table(pa.Table.from_arrays([pa.array([1.0])] * 3, names=["p", "p", "q"]), path)
    with pytest.raises(InputError, match="two columns are called 'p'; rename one"):
        read(path)


def test_the_index_of_pandas_is_no_weight(tmp_path):
    path = written(tmp_path, {"__index_level_0__": [7], "p": [1.0], "q.1": [2.0], "q": [3.0]})
    assert read(path).names == ("p", "q.1", "q")
    assert read(path).matrix([0, 2]).tolist() == [[1], [3]]
    assert read_columnar(open_source(str(path)), "parquet").names == ("", "p", "q.1", "q")
    assert read_columnar(open_source(str(path)), "parquet").columns[2].to_pylist() == [2.0]


def test_integers_beside_gaps_stay_integers_in_orc(tmp_path):
    orc.write_table(pa.table({"n": [1 << 60, None], "p": [1.0, 2.0], "q": [2.0, 1.0]}), tmp_path / "t.orc")
    assert read(tmp_path / "t.orc", kind="orc").columns[0].to_pylist() == [1 << 60, None]


def test_a_feather_file(tmp_path):
    path = tmp_path / "w.feather"
    feather.write_feather(pa.table({"p": [1.0, 2.0], "q": [3, None], "x": ["a", "b"]}), str(path))
    table = read(path, kind="feather")
    assert list(table.wrong) == [1]
    path.write_bytes(b"what")
    with pytest.raises(InputError, match="not a readable Feather file"):
        read(path, kind="feather")


# ------------------------------------------------------------------------------------------------------------- sheets


def excel(path, cells):
    import openpyxl

    book = openpyxl.Workbook()
    for place, value in cells.items():
        book.active[place] = value
    book.save(path)
    return path


def test_a_cell_far_away_is_an_error_and_not_all_memory(tmp_path):
    path = excel(tmp_path / "w.xlsx", {"A1": "p", "B1": "q", "A2": 1, "B2": 2, "XFD1048576": 1})
    with pytest.raises(
        InputError, match="the sheet has 1,048,576 rows of 16,384 columns, 17,179,869,184 cells; delete"
    ):
        read(path, kind="xlsx")
    excel(path, {"A1": "p", "B1": "q", "A2": 1, "B2": 2})
    assert read(path, kind="xlsx").matrix([0, 1]).tolist() == [[1], [2]]


def test_repeated_cells_are_counted(tmp_path):
    import pandas as pd

    path, bomb = tmp_path / "w.ods", tmp_path / "bomb.ods"
    pd.DataFrame({"p": [1, 2], "q": [2, 3]}).to_excel(path, engine="odf", index=False)
    assert read(path, kind="ods").matrix([0, 1]).tolist() == [[1, 2], [2, 3]]
    with ZipFile(path) as whole, ZipFile(bomb, "w") as archive:
        for name in whole.namelist():
            data = whole.read(name)
            if name == "content.xml":
                data = data.replace(b"<table:table-row>", b'<table:table-row table:number-rows-repeated="50000000">')
            archive.writestr(name, data)
    with pytest.raises(InputError, match="the sheet has 150,000,000 rows of 2 columns"):
        read(bomb, kind="ods")


def test_an_unreadable_sheet(tmp_path):
    path = tmp_path / "w.xlsx"
    path.write_bytes(b"what")
    with pytest.raises(InputError, match=r"w\.xlsx: not a readable xlsx file"):
        read(path, kind="xlsx")
    with pytest.raises(InputError, match="no such file"):
        read_columnar(Source("w.dta", tmp_path / "no.dta"), "dta")
