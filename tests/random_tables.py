"""Random tables for `klcli batch`, an independent reader of them, and where klcli and that reader disagree.

The reader shares no code with klcli: rows are what Python's `csv` in strict mode and `json` say, a weight is an exact
fraction rounded once to a double, measures are mpmath's.
"""

# ruff: noqa: S311 - the same tables for the same seed is what is wanted of chance here

import csv
import gzip
import io
import json
import random
import re
import shlex
from bisect import bisect
from fractions import Fraction
from functools import cache, partial
from itertools import accumulate, chain
from math import inf, isclose
from pathlib import Path
from typing import NamedTuple

import mpmath
import pyarrow as pa

MEASURES = ("entropy_p", "cross_entropy_pq", "kl_pq", "kl_qp", "total_variation")
MALFORMED, NO_DISTRIBUTION, SOME_FAILED = 3, 4, 5
MARK = "\ufeff"

# ----------------------------------------------------------------------------------------------------------- the tables


class Table(NamedTuple):
    """Files that are one stream of pairs. files: the bytes under each name, before its suffix has them compressed.

    form: 'wide' (p0.. and q0.. in a row of text), 'long' (a group of rows of text), 'scalars' (p0.. and q0.. are keys
    of a record), 'fields' (p and q are, each a list or an object). vague: no contract says what its rows are.
    """

    files: dict[str, bytes]
    form: str
    delimiter: str
    decimal: str
    vague: bool

    def write(self, folder):
        """Writes the files. Returns their paths."""
        for name, text in self.files.items():
            (folder / name).write_bytes(_COMPRESSED.get(Path(name).suffix, bytes)(text))
        return [folder / name for name in self.files]

    @property
    def options(self):
        """How the command line says what the table is."""
        chosen = {"long": ["--by", "g", "--label", "label"], "fields": []}
        marks = [] if self.delimiter in {"", ","} else ["--delimiter", self.delimiter.replace("\t", "tab")]
        decimal = [] if self.decimal == "." else ["--decimal", self.decimal]
        return [*chosen.get(self.form, ["--p", "p[0-9]*", "--q", "q[0-9]*"]), *marks, *decimal]


_COMPRESSED = {
    ".gz": lambda text: gzip.compress(text[:99], 1) + gzip.compress(text[99:], 1),  # as `cat a.gz b.gz` makes it
    ".zst": lambda text: pa.Codec("zstd").compress(text, asbytes=True),
}
TINY = "0." + "0" * 400 + "1"
OUT_OF_RANGE = ["1e-400", "1E-400", "1e400", "1E+400", TINY, "1/1" + TINY[2:]]
PEOPLE = ["1/3", " 1", "2 ", "+1", ".5", "5.", "1E-4", "2e3", "1e-310", "-0", "007", "0e9", "0", "3"]
BAD = ["abc", "nan", "NaN", "inf", "-Infinity", "-1", "-0.5", "", "  ", "1/0", "1_000", "0x10", "1,5", "1.5", "1.5.2"]
BAD += ["--1", "1e", "e5", "\uff11", "1 2", "NA", "-"]
BAD_JSON = ["null", "true", '"x"', "NaN", "Infinity", "-1", "[1, []]", "{}"]
TEXTS = ["plain", "", " lead", "trail ", "NA", "1.0", "日本語", "é" * 9, "\t|;,", "[red]", "x e-5", "back\\slash", "'"]
LINES = ["two\nlines", "a\r\nb", "old\rmac", "\n", 'said "x"\n', "\r\n\r\n", "a,b;c\n\nd"]
QUOTES = ['say "hi"', '5" pipe', 'a"', 'a""b', '"', '"quoted"', '",', '""']
KEPT_JSON = ["1.50", "-0", "1E5", "9" * 30, "null", "true", '"\\u00e9"', '"a\\nb,\\""', '"é"', '[1, {"a": null}]', '""']
TWISTS = ["cell", "cell", "cell", "cell", "zeros", "few", "many", "empty", "byte", "nul", "quotes"]
TWISTS_JSON = ["cell", "cell", "cell", "zeros", "shorter", "byte", "cut", "none", "lacking", "new", "twice"]
STYLES = {
    "fixed": lambda rng: f"{rng.random():.4f}",
    "digits": lambda rng: repr(rng.random()),
    "counts": lambda rng: str(rng.randrange(1000)),
    "exponents": lambda rng: f"{rng.random():.3{rng.choice('eE')}}",
    "people": lambda rng: rng.choice(PEOPLE),
}
THRESHOLDS = [1 << 16, 1 << 18, 1 << 20, 1 << 22]
"""Bytes from which klcli may go another way: to smaller parts, to blocks, to more processes."""


def random_table(seed, largest=0):
    """The table of a seed: a few rows, or where `largest` allows it about as many bytes as one of the thresholds."""
    rng = random.Random(seed)
    sizes = [size + rng.randrange(-3, 4) for size in THRESHOLDS if size <= largest] or [0]
    maker = _Maker(rng)
    count = 1 if sizes[0] or rng.random() < 0.7 else rng.randrange(2, 4)
    names = [letter + maker.suffix + rng.choice(["", "", "", "", ".gz", ".zst"]) for letter in "abc"[:count]]
    files = {name: maker.file(rng.choice(sizes)) for name in names}
    vague = maker.unclosed or any(b"\0" in text[:1500] for text in files.values())  # that may be called no text at all
    return Table(files, maker.form, maker.delimiter, maker.decimal, vague)


class _Maker:
    """Makes files that have in common what one stream must, and what is as it is by chance."""

    def __init__(self, rng):
        self.rng, self.form = rng, rng.choice(["wide"] * 5 + ["long"] * 3 + ["fields"] * 2 + ["scalars"])
        self.in_json = self.form in {"fields", "scalars"}
        self.delimiter = "" if self.in_json else rng.choice([",", ",", ",", "\t", ";", "|"])
        self.suffix = ".ndjson" if self.in_json else ".tsv" if self.delimiter == "\t" and rng.random() < 0.5 else ".csv"
        self.decimal = "," if self.delimiter in {"\t", ";"} and rng.random() < 0.5 else "."
        self.k = rng.choice([2, 2, 3, 5, 1 if self.form != "scalars" else 4, 130 if rng.random() < 0.1 else 4])
        self.style = rng.choice(["fixed", *list(STYLES)[: 4 if self.in_json else None]])
        self.texts = [*TEXTS, *chain(*(texts for texts in (LINES, QUOTES, [MARK] * 4) if rng.random() < 0.5))]
        self.kept = [*KEPT_JSON, *["[1.50]"] * (rng.random() < 0.05)]
        self.faults, self.labelled = rng.choice([0, 1, 1, 1, 2, 4]), rng.random() < 0.4
        self.unclosed = not self.in_json and rng.random() < 0.03
        self.made, self.pad = 0, ""

    def file(self, size):
        """A file of a few rows, or of so many bytes where that is not 0."""
        rng, self.quoting = self.rng, self.rng.choice([0, 0, 0.3, 1])
        self.pad = "x" * (rng.choice([0, 0, 300]) if size else 0)
        self.comma, self.colon = rng.choice([(",", ":"), (", ", ": "), (" , ", " :\t")])
        rows = self._rows(size)
        places = [0, len(rows) - 1, len(rows) // 2, rng.randrange(len(rows) + 1)]
        kinds = TWISTS_JSON if self.in_json else TWISTS if self.form == "wide" else TWISTS[:-1]
        twists = {rng.choice(places): rng.choice(kinds) for _ in range(self.faults)}
        if self.in_json:
            if twists.get(0) not in {None, "cell", "zeros"}:
                twists[0] = "cell"  # the first record says what the columns are
            lines = [self._record(row, twists.get(i, ""), first=i == 0) for i, row in enumerate(rows)]
        else:
            lines = self._text(rows, twists)
        return self._joined(lines, size)

    def _rows(self, size):
        """Rows, each two cells that are no weights, then P's weights, then Q's; more of them than fill so much."""
        rng, n = self.rng, self.rng.choice([self.in_json, 1, 2, 3, 5, 8, 13, 40])
        pool = [self._weights() for _ in range(40 if size else n)]  # few, for each of them takes mpmath a while
        if size:
            n = 1 + size // (min(len("".join(weights)) for weights in pool) + 2 * self.k + len(self.pad))
        rows = []
        for weights in rng.choices(pool, k=n) if size else pool:
            self.made += rng.random() < 0.98 or not rows or self.form != "long"  # else a group twice, with its labels
            if self.form == "long":
                key = f"{rng.choice(self.texts)}{self.pad}{self.made}"
                rows += [[key, f"{rng.choice(self.texts)}{i}", weights[i], weights[self.k + i]] for i in range(self.k)]
            else:
                text = rng.choice(self.kept) if self.in_json else rng.choice(self.texts)
                rows.append([f"r{self.made}{self.pad}", text, *weights])
        return rng.sample(rows, len(rows)) if self.form == "long" and rng.random() < 0.25 else rows

    def _weights(self):
        p, q = ([STYLES[self.style](self.rng).replace(".", self.decimal) for _ in range(self.k)] for _ in "pq")
        return p + (p if self.rng.random() < 0.1 else q)

    def _twisted(self, weights, bad, twist):
        """The weights with a cell of one of the lists `bad`, or without a weight of P above zero."""
        half = len(weights) // 2
        if twist == "cell":
            weights[self.rng.randrange(len(weights))] = self.rng.choice(self.rng.choice(bad))
        return ["0"] * half + weights[half:] if twist == "zeros" else weights

    def _text(self, rows, twists):
        """The lines of a table of text, the header among them."""
        rng, sides = self.rng, [f"{side}{i}" for side in "pq" for i in range(self.k)]
        names = ["g", "label", "p", "q"] if self.form == "long" else ["id", "note", *sides]
        order = [*range(len(names))]
        if rng.random() < 0.3:  # the key of a group stays in front: a row that lacks fields is then of a group too
            order = [0, *rng.sample(order[1:], 3)] if self.form == "long" else [1, *order[2:], 0]
        if self.form == "wide" and rng.random() < 0.1:
            rng.shuffle(order)
        header = self.delimiter.join(self._field(names[i]) for i in order)
        lines = [self._line(row, order, twists.get(i, "")) for i, row in enumerate(rows)]
        for _ in range(rng.choice([0, 0, 0, 0, 1, 2])):
            lines.insert(rng.randrange(len(lines) + 1), header if self.quoting else rng.choice(["", MARK]) + header)
        if self.unclosed:
            lines.insert(rng.randrange(len(lines) + 1), f'"never closed{self.delimiter}')
        return [header, *lines]

    def _line(self, row, order, twist):
        cells = row[:2] + self._twisted(row[2:], [OUT_OF_RANGE, BAD, PEOPLE], twist)
        cells[1] += {"byte": "\udce9", "nul": "\0"}.get(twist, "")
        fields = ['"closed"too early' if twist == "quotes" and i == 1 else self._field(cells[i]) for i in order]
        if twist == "few":
            del fields[self.rng.randrange(1, len(fields)) :]
        fields += {"many": ["1"] * self.rng.randrange(1, 3), "empty": [""]}.get(twist, [])
        return self.delimiter.join(fields)

    def _field(self, cell):
        special = cell.startswith('"') or any(c in cell for c in (self.delimiter, "\n", "\r"))
        return '"' + cell.replace('"', '""') + '"' if special or self.rng.random() < self.quoting else cell

    def _record(self, row, twist, *, first):
        rng, weights = self.rng, self._twisted(row[2:], [[*OUT_OF_RANGE[:5], "9" * 400], BAD_JSON], twist)
        sides = {"p": weights[: self.k - (twist == "shorter")], "q": weights[self.k :]}
        if self.form == "scalars":
            members = [(f"{side}{i}", weight) for side, of in sides.items() for i, weight in enumerate(of)]
        elif self.labelled:
            members = [(side, self._object((f"k{i}", of) for i, of in enumerate(of))) for side, of in sides.items()]
        else:
            members = [(side, f"[{self.comma.join(of)}]") for side, of in sides.items()]
        key = row[0] + "\udce9" * (twist == "byte")
        members = [("id", f'"{key}"'), ("note", row[1]), *members]
        members += {"new": [("new", "1")], "twice": [("id", "1")]}.get(twist, [])
        if twist == "lacking":
            del members[rng.randrange(len(members))]
        elif not first and rng.random() < 0.1:
            rng.shuffle(members)
        line = self._object(members)
        return {"cut": line[: rng.randrange(1, len(line))], "none": rng.choice(["[1, 2]", "7", "x"])}.get(twist, line)

    def _object(self, members):
        return "{" + self.comma.join(f'"{name}"{self.colon}{value}' for name, value in members) + "}"

    def _joined(self, lines, size):
        """The file of the lines, some of them blank, the first perhaps after a mark, the last perhaps without an end.

        size: where it is not 0, as many bytes: of as many lines as fit, the last of all, and then blank ones.
        """
        rng, blank = self.rng, self.rng.choice([0, 0, 0.1])
        ends = rng.choice(
            [
                ["\n"],
                ["\n"],
                ["\r\n"],
                ["\n", "\r\n"],
                *[["\r"], ["\n", "\r\n", "\r"], ["\n", "\r"]] * (not self.in_json),
            ]
        )
        parts = [rng.choice(["", "", MARK]) + rng.choice(ends) * (rng.random() < 0.1)]
        parts += [line + rng.choice(ends) + rng.choice(ends) * (rng.random() < blank) for line in lines]
        data = [part.encode("utf-8", "surrogateescape") for part in parts]
        if size:
            data[bisect(list(accumulate(map(len, data))), size - len(data[-1])) : -1] = []
            data.append(ends[0].encode() * ((size - sum(map(len, data))) // len(ends[0])))
        return b"".join(data) if rng.random() < 0.7 else b"".join(data).rstrip(b"\r\n")


# ----------------------------------------------------------------------------------------------------------- the reader


class Row(NamedTuple):
    """What a pair must come out as.

    kept: its columns that are no weights, None where the row is so broken that nobody says. wrong: the exit codes and
    the places, a file's name and a line, any of which may be said of it; none where it is sound and has measures.
    """

    kept: tuple | None
    measures: dict[str, float]
    wrong: set[tuple[int, tuple[str, int]]]


_DECIMAL = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?( *%)?", re.ASCII | re.IGNORECASE)
_FRACTION = re.compile(r"[+-]?\d+/\d+", re.ASCII)
_NOT_FINITE = re.compile(r"[+-]?(nan|inf(inity)?)", re.IGNORECASE)


@cache
def weight(text, decimal="."):
    """The double nearest to the number that the text is, and 0; or anything, and the exit code of what it is."""
    text = text.strip(" \t").replace("." if decimal == "," else "?", "?").replace(decimal, ".")
    if _NOT_FINITE.fullmatch(text):
        return 0.0, NO_DISTRIBUTION
    if not (_DECIMAL.fullmatch(text) or _FRACTION.fullmatch(text)):
        return 0.0, MALFORMED
    try:
        exact = Fraction(text.rstrip("% ")) / (100 if "%" in text else 1)
        nearest = float(exact)
    except (ZeroDivisionError, OverflowError):
        return 0.0, MALFORMED
    return nearest, MALFORMED if exact and not nearest else NO_DISTRIBUTION if exact < 0 else 0


@cache
def measures(p, q):
    """The measures of a pair, none of weights that are none."""
    if len(p) != len(q) or not any(p) or not any(q):
        return {}
    with mpmath.workdps(60):
        pairs = list(zip(*([x / mpmath.fsum(side) for x in map(mpmath.mpf, side)] for side in (p, q)), strict=True))
        logs = [[mpmath.log(x) if x else -inf for x in pair] for pair in pairs]
        pp, pq, qp, qq = (-mpmath.fsum(pair[x] * of[y] for pair, of in zip(pairs, logs, strict=True) if pair[x])
                          for x in (0, 1) for y in (0, 1))  # fmt: skip
        found = [pp, pq, pq - pp, qp - qq, mpmath.fsum(abs(x - y) for x, y in pairs) / 2]
        return dict(zip(MEASURES, map(float, found), strict=True))


def _row(kept, places, p, q, decimal="."):
    """The pair whose weights are written so."""
    values, codes = zip(*(weight(text, decimal) for text in [*p, *q]), strict=True) if p or q else ((), ())
    found = {} if any(codes) else measures(values[: len(p)], values[len(p) :])
    code = min(filter(None, codes), default=NO_DISTRIBUTION)
    return Row(kept, found, set() if found else {(code, place) for place in places})


def read(table):
    """The names of the columns that are kept, and the pairs."""
    if table.form == "long":
        return ["g"], _groups(table)
    names = []
    rows = [row for name in table.files for row in (_wide if table.form == "wide" else _records)(table, name, names)]
    return names, rows


def _csv_rows(table, name):
    """The places and the cells of a file's header and rows, no cells for one that csv refuses or that is no text.

    A lone carriage return ends a line too.
    """
    text = io.StringIO(table.files[name].decode("utf-8", "surrogateescape").removeprefix(MARK), newline="")
    csv.field_size_limit(1 << 30)
    reader, header = csv.reader(text, delimiter=table.delimiter, strict=True), []
    while True:
        place = name, reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            yield place, []
            continue
        if cells and (not header or [cells[0].removeprefix(MARK), *cells[1:]] != header):
            header = header or cells
            yield place, cells


def _is_sound(cells, header):
    return len(cells) == len(header) and not re.search("[\0\udc80-\udcff]", "".join(cells))


def _wide(table, name, names):
    """The pairs of a file. names: the columns that are kept, found in the first file."""
    (_, header), *rows = _csv_rows(table, name)
    names += [] if names else [column for column in header if column[0] not in "pq"]
    sides = [sorted(column for column in header if column[0] == side) for side in "pq"]  # so that p1 and q1 are paired
    for place, cells in rows:
        if _is_sound(cells, header):
            row = dict(zip(header, cells, strict=True))
            kept, p, q = ([row[column] for column in columns] for columns in (names, *sides))
            yield _row(tuple(kept), [place], p, q, table.decimal)
        else:
            yield Row(None, {}, {(MALFORMED, place)})


def _groups(table):
    """The pairs, a group of rows each, in the order in which they first appear."""
    groups = {}
    for name in table.files:
        (_, header), *rows = _csv_rows(table, name)
        for place, cells in rows:
            row = dict(zip(header, cells, strict=False))
            places, weights, wrong = groups.setdefault(row["g"], ([], {}, set()))
            label, texts = row.get("label"), [row["p"], row["q"]] if _is_sound(cells, header) else ["broken"] * 2
            wrong |= {(code, place) for _, code in (weight(text, table.decimal) for text in texts) if code}
            wrong |= {(NO_DISTRIBUTION, place)} if label in weights else set()
            places.append(place)
            weights[label] = texts
    return [
        Row((key,), {}, wrong) if wrong else _row((key,), places, *zip(*weights.values(), strict=True), table.decimal)
        for key, (places, weights, wrong) in groups.items()
    ]


class Number(NamedTuple):
    """A number of a JSON text, as it is written there."""

    text: str


parse_json = partial(
    json.loads,
    **dict.fromkeys(["parse_float", "parse_int", "parse_constant"], Number),
    object_pairs_hook=lambda members: dict(members) if len(dict(members)) == len(members) else "a key twice",
)


def _records(table, name, names):
    """The pairs of a file of NDJSON. names: the keys that are kept, found in the first file."""
    keys = []
    text = table.files[name].decode("utf-8", "surrogateescape").removeprefix(MARK)
    for place, line in (((name, number), line) for number, line in enumerate(text.split("\n"), 1) if line.strip()):
        try:
            line.encode()
            record = parse_json(line)
        except ValueError:
            record = None
        keys = keys or list(record)
        names += [] if names else [key for key in keys if key[0] not in "pq"]
        if not isinstance(record, dict) or not record.keys() <= set(keys):
            yield Row(None, {}, {(MALFORMED, place)})
            continue
        sides = [[record.get(key) for key in sorted(keys) if key[0] == side] for side in "pq"]
        p, q = sides if table.form == "scalars" else map(record.get, "pq")
        if isinstance(p, dict) and isinstance(q, dict):
            p, q = ([side.get(label, Number("0")) for label in p | q] for side in (p, q))
        sides = (side if isinstance(side, list) else [None] for side in (p, q))
        sides = (list(chain(*side)) if all(isinstance(of, list) for of in side) else side for side in sides)
        p, q = ([getattr(of, "text", "no number") for of in side] for side in sides)
        yield _row(tuple(map(record.get, names)), [place], p, q)


# ------------------------------------------------------------------------------------------------------- the comparison


def disagreements(table, folder, klcli, seed, sizes=2):
    """Where the reader and `klcli(*args)`, an exit code and stderr, disagree: a command each, and what differs.

    folder: an empty one, in which the table is written. sizes: how many block sizes are tried in each mode.
    """
    rng, paths, longest = random.Random(seed), table.write(folder), max(map(len, table.files.values()))
    blocks = [None, 65536, *([1000] if longest < 1 << 19 else []), *([1, 7, 64] if longest < 1 << 14 else [])]
    suffixes = [".ndjson"] if table.form in {"fields", "scalars"} else [".csv", ".csv", ".ndjson"]
    expected = None if table.vague else read(table)

    def run(*args):
        code, err = klcli(*args)
        made = {path: path.read_bytes() for path in folder.iterdir() if path not in paths}
        for path in made:
            path.unlink()
        return code, err, made

    for mode in ("fail", "keep", "skip"):
        for block in rng.sample(blocks, sizes):
            output, threads = folder / f"out{rng.choice(suffixes)}", rng.randrange(2, 5)
            args = ["batch", *paths, *table.options, "-m", ",".join(MEASURES), "--on-error", mode, "-o", output]
            args += [] if block is None else ["--block-size", block]
            one, more = (run(*args, "--threads", n) for n in (1, threads))
            try:
                what = _difference(expected, mode, one, output)
            except (ValueError, csv.Error) as error:
                what = f"an output that cannot be read: {error}"
            if not what and one != more:
                what = f"{one[:2]}; with --threads {threads} {more[:2]}, or another output"
            if what:
                yield f"klcli {shlex.join(map(str, args))}: {what}"


def _difference(expected, mode, run, output):
    """What differs between what is expected, the names that are kept and the rows, and what came of a run."""
    code, err, made = run
    complete = list(made) == ([output] if code in {0, SOME_FAILED} else [])
    if not complete or code > SOME_FAILED or "Traceback" in err:
        return f"exit {code}, {err!r}, files {list(map(str, made))}"
    if expected is None:
        return ""
    names, rows = expected
    what = _misstated(rows, mode, code, err, output)
    if what or not made:
        return what
    rows = [row for row in rows if mode != "skip" or not row.wrong]
    header, found = _output(made[output], output.suffix, len(names))
    if header != [*names, *MEASURES, *["error"] * (mode == "keep")] and (found or output.suffix == ".csv"):
        return f"the header is {header}"
    if len(found) != len(rows):
        return f"{len(found)} rows, not {len(rows)}"
    return next(filter(None, map(_apart, rows, found)), "")


def _misstated(rows, mode, code, err, output):
    """What is wrong with an exit code, or with what is said of the rows that failed."""
    wrong = [row.wrong for row in rows if row.wrong]
    complaint = "\n".join(line for line in err.splitlines() if not line.startswith("klcli: note: "))
    earliest = min((place for faults in wrong for _, place in faults), default=None)
    # Of groups either the first that failed may be named, or the row that was read first.
    faults = {fault for i, of in enumerate(wrong) for fault in of if i == 0 or fault[1] == earliest}
    codes = {0} if not wrong else {code for code, _ in faults} if mode == "fail" else {SOME_FAILED}
    if code not in codes:
        return f"exit {code}, not {codes}: {complaint}"
    places = "|".join(f"{name}:{line}" for of, (name, line) in sorted(faults) if code in {of, SOME_FAILED})
    count = "" if mode == "fail" else rf"{len(wrong)} of {len(rows)} \w+ failed and were .*; the first: "
    said = rf"klcli: {count}{re.escape(str(output.parent))}/({places})[:,] .+" if wrong else ""
    return "" if re.fullmatch(said, complaint) else f"{complaint!r}, not {count}{places}"


def _output(data, suffix, kept):
    """The header of an output, and of each row what was kept, the measures that there are, and the error."""
    if suffix == ".csv":
        header, *rows = csv.reader(io.StringIO(data.decode(), newline=""), strict=True)
    else:
        records = [parse_json(line) for line in data.decode().split("\n")[:-1]]
        header, rows = list(records[0]) if records else [], [list(record.values()) for record in records]
    texts = [[of.text if isinstance(of, Number) else of or "" for of in row[kept:]] for row in rows]
    return header, [(tuple(row[:kept]), [*filter(None, of[: len(MEASURES)])], "".join(of[len(MEASURES) :]))
                    for row, of in zip(rows, texts, strict=True)]  # fmt: skip


def _apart(row, found):
    """What differs between a row and what was found in the output."""
    kept, values, error = found
    if row.kept is not None and row.kept != kept:
        return f"{kept} is kept, not {row.kept}"
    pairs = zip(map(float, values), row.measures.values(), strict=False)
    near = [isclose(found, exact, rel_tol=1e-11, abs_tol=1e-18) for found, exact in pairs]
    sound = bool(error) == bool(row.wrong) and len(values) == len(near) == len(row.measures) and all(near)
    return "" if sound else f"{kept} has {values} and the error {error!r}, not {row.measures or row.wrong}"
