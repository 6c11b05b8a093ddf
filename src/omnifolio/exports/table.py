"""A CSV that spreadsheets show and never run: the header as the target wants it, amounts as they are, text made harmless."""

import csv
import io
import re
from collections.abc import Iterable, Sequence
from decimal import Decimal

from omnifolio.model.amounts import canonical

Cell = str | Decimal | None

_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def safe_text(text: str) -> str:
    """The text, with an apostrophe before what a spreadsheet would run as a formula; numbers stay as they are."""
    return "'" + text if text.startswith(_FORMULA) and not _NUMBER.fullmatch(text) else text


def csv_text(rows: Iterable[Sequence[Cell]], *, is_quoted: bool = False) -> str:
    """The rows, a line each, ended by CRLF as RFC 4180 has it."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, quoting=csv.QUOTE_ALL if is_quoted else csv.QUOTE_MINIMAL)
    writer.writerows([_text(cell) for cell in row] for row in rows)
    return buffer.getvalue()


def _text(cell: Cell) -> str:
    if cell is None:
        return ""
    return canonical(cell) if isinstance(cell, Decimal) else safe_text(" ".join(cell.split()))
