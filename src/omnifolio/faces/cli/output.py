"""How the command line shows rows: as a table for people, as JSON, NDJSON or CSV for programs."""

import csv
import enum
import io
import json
import shutil
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import click

from omnifolio.exports.table import safe_text

WIDTH_WITHOUT_TERMINAL = 1_000
"""Characters in a line of a table that goes to a file or pipe: nothing is folded there."""
NOTHING = "–"
NO_PRICE = "no price"
_BESIDE_NUMBERS = frozenset({NOTHING, NO_PRICE})
"""Words that stand in a column of numbers."""

Row = Mapping[str, Any]


class Format(enum.StrEnum):
    """The forms of `-o`."""

    TABLE = "table"
    JSON = "json"
    NDJSON = "ndjson"
    CSV = "csv"


def format_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """The option `-o/--output`, as `output_format`."""
    return click.option(
        "-o",
        "--output",
        "output_format",
        type=click.Choice([item.value for item in Format]),
        default=Format.TABLE.value,
        show_default=True,
        help="How to print: for people, or for programs.",
    )(command)


def show(
    rows: Iterable[Row], output_format: str, *, columns: Sequence[str] | None = None, empty: str = "Nothing to show."
) -> None:
    """Prints rows. `columns` chooses and orders what a table shows; programs always get every field."""
    found = list(rows)
    if output_format == Format.JSON:
        click.echo(json.dumps(found, indent=2, ensure_ascii=False))
    elif output_format == Format.NDJSON:
        for row in found:
            click.echo(json.dumps(row, ensure_ascii=False))
    elif output_format == Format.CSV:
        click.echo(_csv(found), nl=False)
    elif not found:
        click.echo(empty)
    else:
        click.echo(table(found, columns or list(found[0]), width=_width()))


def show_one(row: Row, output_format: str) -> None:
    """Prints one object; as a table, one line a field."""
    if output_format == Format.JSON:
        click.echo(json.dumps(row, indent=2, ensure_ascii=False))
    elif output_format == Format.TABLE:
        click.echo(_record(row, list(row)))
    else:
        show([row], output_format)


def table(rows: Sequence[Row], columns: Sequence[str], *, width: int) -> str:
    """The rows as a table of at most `width` characters; where numbers and ids do not fit, one block a row."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.measure import Measurement
    from rich.table import Table
    from rich.text import Text

    # A column in which no row says anything tells nothing.
    kept = [name for name in columns if any(row.get(name) not in (None, "", [], ()) for row in rows)]
    made = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for name in kept:
        cells = [_text(row.get(name)) for row in rows]
        is_number = _is_numeric(cells)
        is_word = all(" " not in cell for cell in cells)
        made.add_column(
            name.replace("_", " "), justify="right" if is_number else "left", no_wrap=is_number or is_word, overflow="fold"
        )
    for row in rows:
        # Text objects: a token may be named like console markup, and must not be obeyed.
        made.add_row(*(Text(_text(row.get(name))) for name in kept))
    target = io.StringIO()
    console = Console(file=target, width=width, color_system=None)
    if Measurement.get(console, console.options.update(max_width=WIDTH_WITHOUT_TERMINAL), made).minimum > width:
        return "\n\n".join(_record(row, kept) for row in rows)
    console.print(made)
    return "\n".join(line.rstrip() for line in target.getvalue().splitlines())


def _width() -> int:
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else WIDTH_WITHOUT_TERMINAL


def _record(row: Row, columns: Sequence[str]) -> str:
    names = {name: name.replace("_", " ") for name in columns}
    wide = max(map(len, names.values()))
    return "\n".join(f"{shown:<{wide}}  {_text(row.get(name))}" for name, shown in names.items())


def _text(value: object) -> str:
    if value is None or value in ("", [], ()):
        return NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(_text(item) for item in value)
    return str(value)


def _is_numeric(cells: Sequence[str]) -> bool:
    numbers = [_is_number(cell.replace(",", "")) for cell in cells if cell not in _BESIDE_NUMBERS]
    return bool(numbers) and all(numbers)


def _plain(value: object) -> object:
    """A CSV cell. Text that a spreadsheet would run as a formula gets an apostrophe; numbers stay numbers."""
    if isinstance(value, dict | list | tuple):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, str):
        return safe_text(value)
    return "" if value is None else value


def _is_number(text: str) -> bool:
    return text.lstrip("+-").replace(".", "", 1).isdigit()


def _csv(rows: Sequence[Row]) -> str:
    buffer = io.StringIO()
    if rows:
        writer = csv.DictWriter(buffer, list(rows[0]), quoting=csv.QUOTE_ALL)
        writer.writeheader()
        writer.writerows({name: _plain(value) for name, value in row.items()} for row in rows)
    return buffer.getvalue()


def hidden_as_spam(count: int) -> str:
    """How many tokens are not shown, and how to see them."""
    return f"{count} token{'s' * (count > 1)} hidden as spam; show with: omnifolio balances --spam"
