"""The kit of all that is drawn for people: text and tables in the width, the colours and the characters of a terminal.

Rich draws; user text only ever enters as `Text`, so that no label is read as markup.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from rich.box import ASCII2, SIMPLE_HEAD
from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.table import Table
from rich.text import Text

from klcli.renderers.text import BETWEEN, QUIET, STRONG, Column, short, visible

if TYPE_CHECKING:
    from collections.abc import Sequence

    from klcli.renderers.answer import Answer
    from klcli.renderers.text import View

_NO_UNICODE = {"±": "+-", "Δ": "d", "…": "~"}


class Kit:
    """What a drawing is made of, as it is to be viewed. pictures: whether it holds pictures in characters."""

    pictures = True

    def __init__(self, view: View) -> None:
        self.view, self.width, self.digits = view, view.width, view.digits

    def style(self, style: str) -> str:
        """The style, where there are colours."""
        return style if self.view.color else ""

    def text(self, text: str = "", style: str = "") -> Text:
        """Text in a style, where there are colours."""
        return Text(text, style=self.style(style))

    def headed(self, head: str, rest: str) -> Text:
        """A line that begins with something strong."""
        return self.text(head, STRONG).append(rest, style="not bold")

    def plain(self, text: str) -> str:
        """Our own words without what the terminal cannot show."""
        for character, instead in _NO_UNICODE.items() if not self.view.unicode else ():
            text = text.replace(character, instead)
        return text

    @staticmethod
    def fitted(text: str, width: int) -> str:
        """A label in at most `width` columns of the screen: the middle goes, for the end often tells names apart."""
        text = visible(text)
        if cell_len(text) <= width:
            return text
        end = text[-(width - 1) * 2 // 3 :]
        while cell_len(end) > (width - 1) * 2 // 3:
            end = end[1:]
        return set_cell_size(text, width - 1 - cell_len(end)) + "…" + end

    def number(self, value: float) -> str:
        """A number of as many digits as are asked for."""
        return short(value, self.digits)

    def table(self, columns: Sequence[Column], *, strong: bool = False, section: int = 0) -> Table:
        """The columns side by side. strong: whether the first row is. section: a line stands below so many rows."""
        table = Table(box=SIMPLE_HEAD if self.view.unicode else ASCII2, show_edge=False, pad_edge=True, padding=(0, 1))
        for column in columns:
            justify = "left" if column.left else "right"
            table.add_column(self.plain(column.title), justify=justify, no_wrap=True, style=self.style(column.style))  # type: ignore[arg-type]
        for i, row in enumerate(zip(*(column.cells for column in columns), strict=True), 1):
            style = STRONG if strong and i == 1 else ""
            cells = (self.text(cell, style) if isinstance(cell, str) else cell for cell in row)
            table.add_row(*cells, end_section=i == section < len(columns[0].cells))
        return table

    def room(self, columns: Sequence[Column]) -> int:
        """What is left beside the columns; the last has no divider after it."""
        return self.width + 1 - sum(self.longest([column.title, *column.cells]) + BETWEEN for column in columns)

    @staticmethod
    def longest(cells: Sequence[str | Text]) -> int:
        """How many columns of the screen the widest cell takes."""
        return max(cell_len(cell if isinstance(cell, str) else cell.plain) for cell in cells)

    def measures(self, names: Sequence[str], values: Sequence[str | Text], meanings: Sequence[Sequence[str]]) -> Table:
        """A row a measure. meanings: what each means, the first of several that there is room for."""
        columns = [Column("measure", names, left=True), Column("value", values)]
        beside = (Column("", meaning, left=True, style=QUIET) for meaning in meanings)
        fitting = next((one for one in beside if self.room([*columns, one]) > 0), None)
        return self.table([*columns, *([fitting] if fitting is not None else [])])

    def no_room(self, what: str, mend: str = "", style: str = "") -> list[Text]:
        """A line that names what there was no room for, if there is any."""
        return [self.text(f" (no room for {self.plain(what)}{mend})", style)] if what else []


def draw(answer: Answer, view: View) -> str:
    """The whole answer as text for a terminal of `view.width` columns, and the notes where they are shown."""
    out, kit = io.StringIO(), Kit(view)
    console = Console(
        file=out,
        width=view.width,
        height=25,
        force_terminal=view.color,
        no_color=not view.color,
        color_system="256" if view.color else None,
        legacy_windows=False,
        highlight=False,
        markup=False,
        emoji=False,
    )
    for part in answer.drawn(kit):
        console.print(part)
    for note in answer.shown_notes() if view.notes else ():
        console.print(kit.text(f"note: {visible(note)}", QUIET))
    text = "\n".join(line.rstrip() for line in out.getvalue().split("\n"))
    return text if view.unicode else text.replace("…", "~")
