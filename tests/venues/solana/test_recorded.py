"""Recorded transactions of Solana replayed: what they brought and cost is as stated, but where the record leaves money out."""

import json
from collections import Counter
from decimal import Decimal
from typing import Any

from tests.fixtures import require

from omnifolio.app.replay import replay_file

CHAIN = "solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp"
RENT_OF_OTHERS = {"SOL": Decimal("-0.00284664")}
"""What a deposit left in accounts of the program and in a new mint; the record does not tell of it."""
WITHHELD = {"solana/token:7atgF8KQo4wJrD5ATGX7t1V2zVvykPJbFfNeVf1icFv1": Decimal("-153600")}
"""A transfer's fee of 4 %, which the token's own program took; the record tells what was sent, we what arrived."""
DIFFERING = {"solana_tx__deposit_collateral_token": RENT_OF_OTHERS, "solana_tx__token2022_transfer": WITHHELD}
SIGNS = {"in": 1, "out": -1, "fee": -1}


def short(asset: str) -> str:
    """Our token id as the record spells it."""
    return asset.replace(CHAIN, "solana").replace("solana/slip44:501", "SOL")


def net(rows: list[tuple[str, Decimal]]) -> dict[str, Decimal]:
    """The sum by asset, without those that add up to nothing."""
    found: Counter[str] = Counter()
    for asset, amount in rows:
        found[asset] += amount  # type: ignore[assignment]  # Counter is typed for counts; any number adds up
    return {asset: Decimal(amount) for asset, amount in found.items() if amount}


async def test_recorded_transactions_net_as_stated() -> None:
    """Where we differ, we differ by exactly what the record leaves out."""
    paths = [path for path in require("other") if path.name.startswith("solana_tx__")]
    assert len(paths) == 8
    for path in paths:
        case = json.loads(path.read_bytes())
        lines: list[Any] = [line for line in await replay_file(path.read_bytes()) if line["kind"] == "transaction"]
        assert {line["at"] for line in lines} == {fact["time_ms"] for fact in case["expected"]}
        ours = [(short(leg["asset_id"]), Decimal(leg["amount"])) for line in lines for leg in line["legs"]]
        stated = [
            (fact["asset"], SIGNS[fact["direction"]] * Decimal(fact["amount"]))
            for fact in case["expected"]
            if fact["direction"] in SIGNS
        ]
        assert net(ours) == net([*stated, *DIFFERING.get(case["name"], {}).items()]), case["name"]


async def test_recorded_token_accounts_give_balances() -> None:
    """The mint of one token is not in the record: its amount is not known, and that is said."""
    path = next(path for path in require("other") if path.name == "solana__solana_token_balances.json")
    lines: list[Any] = await replay_file(path.read_bytes())
    held = {short(line["asset_id"]): line["amount"] for line in lines if line["kind"] == "balance"}
    stated = {fact["asset"]: fact["amount"] for fact in json.loads(path.read_bytes())["expected"]}
    missing = {asset for asset, amount in stated.items() if held.get(asset) != amount}
    assert missing == {"solana/token:7atgF8KQo4wJrD5ATGX7t1V2zVvykPJbFfNeVf1icFv1"}
    assert [line["code"] for line in lines if line["kind"] == "problem"] == ["mints_unknown"]
    assert len(held) == 13


async def test_a_recorded_swap_names_what_the_catalog_knows() -> None:
    path = next(path for path in require("other") if path.name == "solana_tx__swap_token_to_token.json")
    (line,) = [line for line in await replay_file(path.read_bytes()) if line["kind"] == "transaction"]
    assert {"SOL", "USDC"} < {leg["asset"] for leg in line["legs"]}
