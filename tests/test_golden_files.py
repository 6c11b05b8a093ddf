"""One runner for every layout's samples: a file in, facts out, compared with what was reviewed before.

A case is a folder `golden/file/<layout>/<case>/` with `sample.csv`, or `sheet.csv`, of which a workbook is made (`=45292.5` is a
date there, a number a number), and `expected.json`. `make golden` rewrites the expectations; read the diff as you read code.
"""

import csv
from itertools import count
from pathlib import Path
from string import ascii_uppercase
from typing import Any

import msgspec
import pytest

from omnifolio.catalog import layouts
from omnifolio.model.amounts import parse_amount
from omnifolio.model.clock import EpochMs
from omnifolio.model.errors import InvalidAmount
from omnifolio.venues.files.reader import ZONE
from omnifolio.venues.files.table import opened, pages
from omnifolio.venues.registry import reader_for
from tests.test_golden import FOLDER, plain
from tests.venues.files.sheets import number, row, text, workbook

CASES = sorted(path.parent for path in (FOLDER / "file").glob("*/*/s*.csv"))
LOCAL = "Europe/Berlin"
"""The zone of files that do not say theirs."""


@pytest.mark.parametrize("case", CASES, ids=lambda case: "/".join(case.parts[-2:]))
def test_a_sample_is_recognised_and_gives_the_reviewed_facts(case: Path, request: pytest.FixtureRequest) -> None:
    layout = layouts.load(case.parent.name)
    table = opened(body_of(case))
    assert table.layout.id == layout.id
    known = {ZONE: LOCAL} if layout.time_zone == "ask" else {}
    facts = [
        {"stream": page.stream, **plain(reader_for("", page.stream).decode(layout.venue, page.stream, (page,)))}
        for page in pages(table, received_at=EpochMs(0), known=known)
    ]
    made = msgspec.json.format(msgspec.json.encode(facts), indent=2) + b"\n"
    target = case / "expected.json"
    if request.config.getoption("--update-golden"):
        target.write_bytes(made)
    assert made.decode() == target.read_text(encoding="utf-8")


def test_every_layout_has_a_sample() -> None:
    assert {case.parent.name for case in CASES} == set(layouts.ids())


@pytest.mark.parametrize("layout", layouts.ids())
def test_a_layout_says_where_it_was_seen_and_names_only_what_it_has(layout: str) -> None:
    found = layouts.load(layout)
    assert found.source
    assert found.seen
    named: list[Any] = [*found.group_by, *found.only]
    assert set(named) <= set(found.columns)


def body_of(case: Path) -> bytes:
    """The file of a case."""
    plain_file = case / "sample.csv"
    if plain_file.exists():
        return plain_file.read_bytes()
    with (case / "sheet.csv").open(encoding="utf-8", newline="") as lines:
        rows = [row(place, *_cells(place, cells)) for place, cells in zip(count(1), csv.reader(lines), strict=False)]
    return workbook(("Account History", rows))


def _cells(place: int, cells: list[str]) -> list[str]:
    made = []
    for letter, cell in zip(ascii_uppercase, cells, strict=False):
        if cell.startswith("="):
            made.append(number(f"{letter}{place}", cell[1:], 1))
        elif cell:
            made.append(number(f"{letter}{place}", cell) if _is_number(cell) else text(f"{letter}{place}", cell))
    return made


def _is_number(cell: str) -> bool:
    try:
        parse_amount(cell)
    except InvalidAmount:
        return False
    return True
