"""How the command line shows rows: as a table for people, as JSON, NDJSON or CSV for programs."""

import csv
import enum
import io
import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import click

WIDTH_WITHOUT_TERMINAL = 200
"""Characters in a line of a table that goes to a file or pipe."""

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
        _table(found, columns or list(found[0]))


def show_one(row: Row, output_format: str) -> None:
    """Prints one object; as a table, one line a field."""
    if output_format == Format.JSON:
        click.echo(json.dumps(row, indent=2, ensure_ascii=False))
    elif output_format == Format.TABLE:
        width = max(len(name) for name in row)
        for name, value in row.items():
            click.echo(f"{name:<{width}}  {_text(value)}")
    else:
        show([row], output_format)


def _text(value: object) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(_text(item) for item in value)
    return str(value)


def _plain(value: object) -> object:
    """A CSV cell. Text that a spreadsheet would run as a formula gets an apostrophe; numbers stay numbers."""
    if isinstance(value, dict | list | tuple):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, str) and value[:1] in "=+-@\t\r" and not _is_number(value):
        return "'" + value
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


def _table(rows: Sequence[Row], columns: Sequence[str]) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for name in columns:
        is_number = all(_is_number(str(row.get(name) or "0").replace(",", "")) for row in rows)
        table.add_column(name.replace("_", " "), justify="right" if is_number else "left", overflow="fold")
    for row in rows:
        # Text objects: a token may be named like console markup, and must not be obeyed.
        table.add_row(*(Text(_text(row.get(name))) for name in columns))
    is_terminal = sys.stdout.isatty()
    Console(file=sys.stdout, width=None if is_terminal else WIDTH_WITHOUT_TERMINAL).print(table)
