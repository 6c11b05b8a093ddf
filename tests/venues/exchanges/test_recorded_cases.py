"""Recorded answers of real accounts, where they lie beside the repository: every expected fact is found and none is surplus."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tests import fixtures
from tests.venues.exchanges import recorded

from omnifolio.catalog import exchanges

ROUNDED_TO_MS = 1_000
SYNONYMS = {"LUNA": "LUNA-2"}

DIFFERENT_BY_DESIGN = {
    # The record adds a fee of 90 USDC, which is the spread between the two sides' values, on top of the 1,000 USDC that left the
    # account; ours keeps what the account lost. It also dates the event by its last update.
    "coinbase__asset_conversion",
    # The record tells one side of a move into staking; ours both, so that the account's sum stays what it is.
    "coinbase__coinbase_staking_events",
}

BEYOND_THE_RECORD = {
    # A token that the record's own list of assets does not know: it is held all the same.
    "bitfinex__query_balances_asset_balance": [("B21X", "1", "balance")],
    # A fill after the instant until which the record looked.
    "bitfinex__query_online_trade_history_case_1": [
        ("ETH", "0.26334268", "out"),
        ("EUR", "43.0012262172", "in"),
        ("ETH", "0.09868591", "fee"),
    ],
}
"""Rows that are right and that a record leaves out."""

CASES = [path for path in fixtures.cases("cex") if exchanges.id_of(path.name.partition("__")[0]) in exchanges.ids()]


def expected(case: dict[str, Any]) -> list[tuple[str, Decimal, str, int | None]]:
    symbols = case.get("symbols", {})
    return [
        (symbols.get(fact["asset"], fact["asset"]), Decimal(fact["amount"]), fact["direction"], fact.get("time_ms"))
        for fact in case["expected"]
        if Decimal(fact["amount"]) and fact["direction"] != "neutral"
    ]


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
