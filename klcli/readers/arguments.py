"""DIST, the way a distribution is written on the command line:

    DIST    = "-" | ["@"] SOURCE | FORMULA | JSON | PAIRS | NUMBERS
    SOURCE  = (PATH | "-") [ ":" COLUMN | "#" JSON-POINTER ]

A formula (see `expressions`) unless there is a file of that name; JSON, then pairs and numbers, then a file that
exists; "@" says file at once.
"""  # noqa: D400, D415

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, cast

from klcli.errors import DistributionError, InputError, UsageError, clipped
from klcli.model import Distribution, frozen
from klcli.readers import distributions, inline
from klcli.readers.distributions import Members
from klcli.readers.formats import READERS, format_of
from klcli.readers.sources import PLAIN, no_pointer, open_source, split_selector
from klcli.readers.tables.roles import CHOICES, Choices
from klcli.readers.tables.select import select
from klcli.readers.totals import refuse_undropped, without_totals

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from klcli.families.formula import Formula
    from klcli.readers.distributions import Single
    from klcli.readers.documents import Document
    from klcli.readers.sources import Dialect, Source
    from klcli.readers.tables.table import Table


class Arguments:
    """Reads the distributions of one command line; what several of them share is read once.

    for_formulas: an option that was given and that weights do not take, '' for none.
    """

    def __init__(
        self,
        input_format: str | None = None,
        choices: Choices = CHOICES,
        dialect: Dialect = PLAIN,
        for_formulas: str = "",
    ) -> None:
        self.choices, self.dialect, self._input_format = choices, dialect, input_format
        self._for_formulas = for_formulas
        self._sources: dict[str, Source] = {}
        self._read_of: dict[tuple[str, str], Table | Document | Single] = {}
        self._found: dict[tuple[str, str, str], Members] = {}
        self._taken_of: dict[str, set[str]] = {}
        self._names: list[Sequence[str]] = []
        self._formulas_of: dict[tuple[str, str], Formula | None] = {}
        self._numbered = False

    def _expect(self, texts: Iterable[str]) -> None:
        """Takes note of the columns that arguments name, which are weights of their tables and never labels."""
        for text in texts:
            path, selector, chosen = split_selector(text.strip().removeprefix("@"))
            if selector == ":":
                self._taken_of.setdefault(path, set()).add(chosen)

    def one(self, text: str, role: str) -> Distribution:
        """The one distribution that the argument is. role: what errors call it. Raw values are not yet counted."""
        return self._taken(text, role, distributions.one)[0]

    def pair(self, p: str, q: str | None) -> tuple[Distribution, Distribution]:
        """P and Q, or where there is no Q the two distributions of an argument that is a whole pair."""
        missing = "Q is missing: P is a formula; give another after it"
        if formulas := self._formulas({"P": p} if q is None else {"P": p, "Q": q}, missing):
            return formulas[0], formulas[1]
        if q is not None:
            self._expect([p, q])
            return self._both(self.one(p, "P"), self.one(q, "Q"))
        if inline.is_uniform(p):
            message = "Q is missing: P is uniform, on the outcomes of the other side; give that after it"
            raise UsageError(message)
        found = self._read(p, "P")
        if found.is_inline and found.names() == [""]:
            message = "Q is missing: P is one distribution; give another after it, or a file of two"
            raise UsageError(message)
        first, second = self._taken(p, "P", distributions.both)
        return self._both(first, second)

    def every(self, texts: Sequence[str]) -> list[Distribution]:
        """All the distributions of all arguments, as the columns of a table; `place` is what errors call each."""
        roles = ["P"] if len(texts) == 1 else [f"P{i}" for i in range(1, len(texts) + 1)]
        given = dict(zip(roles, texts, strict=True))
        if formulas := self._formulas(given):
            return formulas
        self._expect(texts)
        found = [(role, one) for role, text in given.items() for one in self._taken(text, role, distributions.every)]
        read = self.all_of([one for _, one in found])
        places = [one.name for one in read] if len(read) > len(texts) else roles
        return [replace(one, place=place) for one, place in zip(read, places, strict=True)]

    def candidates(self, p: str, others: Sequence[str]) -> tuple[Distribution, list[Distribution]]:
        """P and the candidates, which may stand in one source with it. Raises InputError where there is none."""
        roles = [f"Q{i}" if others[1:] else "Q" for i in range(1, len(others) + 1)]
        given = dict(zip(roles, others, strict=True))
        missing = "P is a formula; give at least one candidate after it"
        if formulas := self._formulas({"P": p} | given, missing):
            return formulas[0], formulas[1:]
        self._expect([p, *others])
        read = [self.one(p, "P")] if others else self._taken(p, "P", distributions.every)
        read += [one for role, text in given.items() for one in self._taken(text, role, distributions.every)]
        if len(read) == 1:
            message = f"{p}: one distribution; rank needs P and at least one candidate"
            raise InputError(message)
        reference, *candidates = self.all_of(read)
        return reference, candidates

    def members(self, text: str, role: str) -> tuple[Members, list[Distribution]]:
        """What the argument holds, and all of its distributions by the names that they have there."""
        self._expect([text])
        found = self._read(text, role)
        given = distributions.every(found, self.choices) if found.wanted(self.choices) else []
        return found, self._whole(given)

    def reference(self, text: str, role: str) -> Distribution:
        """The one distribution that stands for a side of every pair of a table, which holds raw values if this does."""
        return self._counted([self.one(text, role)], others=True)[0]

    def _taken(
        self, text: str, role: str, take: Callable[[Members, Choices], list[Distribution]]
    ) -> list[Distribution]:
        """The distributions that are taken of an argument, each called as it is written on the command line."""
        if inline.is_uniform(text):
            return [Distribution(inline.UNIFORM, inline.UNIFORM, frozen([]), lambda _: role, uniform=True)]
        self._expect([text])
        found, whole = self._read(text, role), inline.name_of(text)
        given = take(found, self.choices)
        names = [one.name for one in given]
        called = [
            whole if found.is_chosen or not name else name if found.is_inline else found.address(name) for name in names
        ]
        given = [replace(one, name=name, source=text.strip()) for one, name in zip(given, called, strict=True)]
        return self._whole(given, names)

    def _whole(self, given: list[Distribution], names: Sequence[str] | None = None) -> list[Distribution]:
        """The distributions without the outcomes dropped. Raises DistributionError where a total is left.

        names: what their source calls them, where they are called otherwise.
        """
        if self.dialect.blank == "skip":
            bare, given = [one.outcomes is None for one in given], distributions.without_gaps(given)
            self._numbered |= any(one.outcomes is not None and was for one, was in zip(given, bare, strict=True))
        self._names += [one.outcomes for one in given if one.outcomes is not None]
        choices = self.choices._replace(keep_totals=True) if self.choices.tally else self.choices
        return without_totals(given, names or [one.name for one in given], choices)

    @property
    def met(self) -> tuple[str, ...]:
        """The names of what has been read, and of its outcomes, of which some may have been dropped."""
        return tuple(name for names in self._names for name in names)

    def all_of(self, read: Sequence[Distribution]) -> list[Distribution]:
        """All that was read, counted. Raises UsageError for a name to drop that is in none of it."""
        refuse_undropped(self.choices.drop, self._names)
        if self._numbered:  # those with gaps are called by position, and then so are the others
            read = [distributions.numbered(one) for one in read]
        return self._counted(read)

    def _counted(self, read: Sequence[Distribution], *, others: bool = False) -> list[Distribution]:
        """The distributions as they were read; of raw values how often each occurs, in cells that all of them share.

        others: whether raw values stand elsewhere. Raises InputError where there are none.
        """
        if not self.choices.tally:
            return list(read)
        if not others and all(one.tallied for one in read):
            message = f"{read[0].where(0)} is counted already, and --tally counts raw values; leave out --tally"
            raise InputError(message)
        from klcli.readers.observations import counted

        return counted(read, self.choices.bins, self.dialect.notation, self.choices.repeats)

    def _both(self, p: Distribution, q: Distribution) -> tuple[Distribution, Distribution]:
        """Both as they are compared: counted where they are raw values, and else with a note where they seem to be."""
        p, q = self.all_of([p, q])
        if not self.choices.tally and p.outcomes is None and q.outcomes is None:
            from klcli.readers.observations import hinted

            p = hinted(p, q)
        return p, q

    def _formulas(self, texts: Mapping[str, str], missing: str = "") -> list[Distribution]:
        """What the arguments are where they are formulas without a grid; nothing where they are weights.

        Those of finitely many outcomes are weights too, and are formulas only beside others. texts: by their roles.
        missing: what to say where one is not enough. Raises DistributionError where only some are formulas, UsageError.
        """
        found = [(role, text.strip(), self._formula(text, role)) for role, text in texts.items()]
        made = [(role, one) for role, _, one in found if one is not None and one.grid is None]
        uniform = [role for role, text, _ in found if text == inline.UNIFORM]
        if uniform and made:
            outcomes = f"{uniform[0]} is uniform on the other side's outcomes"
            message = f"{outcomes}, and {made[0][0]} is a formula; uniform(a,b) is one too"
            raise UsageError(message)
        if len(uniform) > 1 and (uniform[0] == "P" or len(uniform) == len(found)):
            message = "uniform on both sides has no outcomes; write one of them out, as 1/3,1/3,1/3"
            raise UsageError(message)
        of, endless = next(((role, one) for role, one in made if not _is_finite(one)), ("", None))
        if endless is None:
            if self._for_formulas:
                exact = "what is measured of weights is exact"
                message = f"{self._for_formulas} is for formulas, as normal(0,1); {exact}"
                raise UsageError(message)
            return []
        if missing and len(found) == 1:
            raise UsageError(missing)
        if len(made) < len(found):
            from klcli.families.grid import without_grid
            from klcli.readers.observations import HINT

            role, text = next((role, text) for role, text, one in found if one is None or one.grid is not None)
            message = f"{of}: {without_grid(endless)}; {role}, {clipped(text)}, is weights{HINT}"
            raise DistributionError(message)
        return [_by_formula(one, role) for role, one in made]

    def _formula(self, text: str, role: str) -> Formula | None:
        """The formula that the argument is, None where it is none."""
        if (text, role) not in self._formulas_of:
            self._formulas_of[text, role] = self._parsed(text, role)
        return self._formulas_of[text, role]

    def _parsed(self, text: str, role: str) -> Formula | None:
        if "(" not in text or inline.is_value(text):  # which spares all others the import
            return None
        from klcli.readers import expressions

        if not expressions.is_formula(text):
            return None
        found = expressions.parse(text, role)
        if self.choices.tally:
            from klcli.families.catalogue import FITTED

            families = list(dict.fromkeys(one.family for one in found.components if one.family in FITTED))
            one = f" --family {','.join(families)}" if families else ""
            formula = f"{role}: {clipped(text.strip())} is a formula, and --tally counts raw values"
            message = f"{formula}; to fit a family to them and get KL(data||model): klcli fit DATA{one}"
            raise UsageError(message)
        return found

    def _read(self, text: str, role: str) -> Members:
        if (formula := self._formula(text, role)) is not None:
            from klcli.readers import expressions

            single = expressions.content(formula, role)
            single.is_inline = True
            return single
        example = "write numbers like 0.4,0.6, pairs like cat=0.7,dog=0.3, or a file"
        return cast(
            "Members", inline.argument(text, role, self._of_text, self._of_source, example, self.dialect.notation)
        )

    def _of_text(self, text: str, role: str) -> Members:
        if self.choices.tally:
            from klcli.readers.observations import of_text

            found: Members = of_text(text, role, self.dialect.notation, self.choices.repeats)
        else:
            found = self._distributions(inline.parse(text, role, self.dialect.notation))
        found.is_inline = True
        self._names.append(found.names())
        return found

    def _of_source(self, path: str, selector: str, chosen: str) -> Members:
        source = self._sources.setdefault(path, open_source(path, self.dialect))
        kind = format_of(source, self._input_format, selector)
        if (path, kind) not in self._read_of:
            self._read_of[path, kind] = self._content(source, kind, chosen if selector == ":" else None)
        read = self._read_of[path, kind]
        key = path, kind, chosen if selector == "#" else ""
        if key not in self._found:
            taken = self._taken_of.get(path, ())
            self._found[key] = (
                self._at(read, chosen, source.name) if selector == "#" else self._distributions(read, taken)
            )
        found = self._found[key]
        self._names.append(found.names() if self.choices.drop else ())
        return _chosen(found, chosen) if selector == ":" else found

    def _content(self, source: Source, kind: str, column: str | None) -> Table | Document | Single:
        """All of a source. Of raw values the cells are kept as they stand: 007 is not 7."""
        choices = self.choices
        if choices.tally and kind == "text":
            from klcli.readers.observations import of_lines

            return of_lines(source, choices.repeats)
        if (
            kind == "text"
            and (choices.rows or choices.columns)
            and inline.is_header(source.text, self.dialect.notation)
        ):
            kind = "csv"
        return READERS[kind](source, (column or choices.select or "*") if choices.tally else choices.label)

    def _at(self, read: Table | Document | Single, pointer: str, source: str) -> Members:
        """What POINTER or POINTER:NAME leads to; the longest pointer there is wins. Raises InputError.

        Raises it where this is not JSON, too.
        """
        cuts = [i for i, character in enumerate(pointer) if character == ":"]
        for cut in [len(pointer), *reversed(cuts)]:
            chosen = pointer[cut + 1 :]
            try:
                found = self._distributions(_at(read, pointer[:cut], source), [chosen] if chosen else ())
            except InputError:
                if cut == (cuts or [len(pointer)])[0]:
                    raise
            else:
                return found if cut == len(pointer) else _chosen(found, chosen)
        raise AssertionError  # the last of the cuts returns or raises

    def _distributions(self, read: Table | Document | Single, taken: Iterable[str] = ()) -> Members:
        """What was read, as distributions by name: columns, rows or groups of a table, members of a JSON value.

        taken: the columns that are named on the command line.
        """
        choices, notation = self.choices, self.dialect.notation
        if isinstance(read, distributions.Single):
            return read if choices.tally else read.once(choices.repeats, gaps=notation.blank == "skip")
        from klcli.readers.tables.table import Table

        if not isinstance(read, Table):
            read.repeats = choices.repeats
        if choices.rows or choices.by is not None:
            from klcli.readers.rows import members

            return members(read, choices, notation)
        if choices.tally:
            from klcli.readers.observations import observed

            return observed(read, choices, self.dialect)
        table = read if isinstance(read, Table) else read.table()
        if table is not None:
            from klcli.readers.tables.columns import TableColumns

            selector, names = choices.select, table.names
            selected = [] if selector is None else select(selector, names, table.source)
            columns = TableColumns(table, choices, notation, taken={*taken, *(names[i] for i in selected)})
            if not (choices.columns and any(map(columns.is_nested, selected or columns.distributions()))):
                return columns
        if choices.columns:
            from klcli.readers.rows import rows_of, turned

            rows = rows_of(read, choices, notation)
            return rows if rows.names() == [""] else turned(rows)
        return cast("Document", read)


def _at(read: Table | Document | Single, pointer: str, source: str) -> Document:
    """What a JSON pointer leads to. Raises InputError where this is not JSON."""
    from klcli.readers.documents import Document

    return read.at(pointer) if isinstance(read, Document) else no_pointer(source, pointer)


def _is_finite(formula: Formula) -> bool:
    """Whether a formula is of finitely many outcomes, whose masses are weights."""
    from klcli.families.catalogue import FINITE

    return formula.kind == FINITE


def _by_formula(formula: Formula, role: str) -> Distribution:
    """The distribution that a formula gives, without weights."""
    return Distribution(formula.text, formula.text, frozen([]), lambda _: role, formula=formula)


def _chosen(found: Members, name: str) -> Members:
    """One of a source's distributions, chosen by name."""
    return Members(found.source, [found.member(name)], is_chosen=True)
