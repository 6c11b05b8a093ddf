"""Recorded answers of real accounts, where they lie beside the repository: every expected fact is found and none is surplus."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tests import fixtures
from tests.venues.exchanges import recorded
from tests.venues.exchanges.differences import BEYOND_THE_RECORD, DIFFERENT_BY_DESIGN, WITHOUT_AN_ANSWER

from omnifolio.catalog import assets, exchanges
from omnifolio.model.tokens import TokenId

ROUNDED_TO_MS = 1_000
SYNONYMS = {"LUNA": "LUNA-2"}

CASES = [path for path in fixtures.cases("cex") if exchanges.id_of(path.name.partition("__")[0]) in exchanges.ids()]


def expected(case: dict[str, Any]) -> list[tuple[str, Decimal, str, int | None]]:
    symbols = case.get("symbols", {})
    untold = WITHOUT_AN_ANSWER.get(case["name"], [])
    return [
        (symbols.get(fact["asset"]) or ticker(fact["asset"]), Decimal(fact["amount"]), fact["direction"], fact.get("time_ms"))
        for fact in case["expected"]
        if Decimal(fact["amount"])
        and fact["direction"] != "neutral"
        and (fact["asset"], fact["amount"], fact["direction"]) not in untold
    ]


def ticker(asset: str) -> str:
    """A contract's ticker by the catalog, where the case itself does not tell it; a ticker is one already."""
    token = assets.load().of(TokenId(asset), recorded.AT) if "/" in asset else None
    return token.ticker if token else asset


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_a_recorded_case_gives_its_facts(path: Path) -> None:
    case = json.loads(path.read_bytes())
    if case["name"] in DIFFERENT_BY_DESIGN:
        assert len(recorded.facts(path)) >= 2
        return
    open_rows = [
        (SYNONYMS.get(row["asset"], row["asset"]), Decimal(row["amount"]), row["direction"], row.get("timestamp"))
        for row in recorded.facts(path)
    ]
    for asset, amount, direction, at in expected(case) if "expected" in case else []:
        hit = next(
            row
            for row in open_rows
            if row[:3] == (asset, amount, direction) and (at is None or row[3] is None or abs(row[3] - at) <= ROUNDED_TO_MS)
        )
        open_rows.remove(hit)
    beyond = [(asset, Decimal(amount), direction) for asset, amount, direction in BEYOND_THE_RECORD.get(case["name"], [])]
    assert [row[:3] for row in open_rows] == beyond


def test_the_cases_are_beside_this_repository() -> None:
    """Skips, and says so, where they are not."""
    assert fixtures.require("cex")
