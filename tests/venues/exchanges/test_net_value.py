"""Nothing twice and nothing left out: balances and positions add up to the equity that the venue itself states.

For each venue: the answers of its recorded account, the wallets whose equity it states, and where.
"""

import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec import Struct

from omnifolio.model.amounts import total
from omnifolio.model.clock import EpochMs
from omnifolio.model.facts import Batch, Evidence
from omnifolio.venues.exchanges.reader import ExchangeReader, venue_of

FOLDER = Path(__file__).parents[2] / "golden" / "exchange"
Stated = Mapping[str, Decimal]
"""Code → equity."""


class Equity(Struct, frozen=True, kw_only=True):
    """The wallets that make up a stated equity, the path of the answer that states it, and how."""

    wallets: tuple[str, ...]
    path: str
    stated: Callable[[Any], Stated]


def rows(found: Iterable[Any], code: str, *fields: str) -> Stated:
    """The sums of fields of rows, by the field that names the token."""
    return {row[code]: total(Decimal(str(row[field])) for field in fields) for row in found}


def phemex(body: Any) -> Stated:
    """The balance of an account and what its positions have gained."""
    account, positions = body["data"]["account"], body["data"]["positions"]
    return {
        account["currency"]: total(
            Decimal(text) for text in (account["accountBalanceRv"], *(p["unRealisedPnlRv"] for p in positions))
        )
    }


def krakenfutures(body: Any) -> Stated:
    """The portfolio value of each wallet that backs contracts: in dollars where there are several collaterals."""
    accounts = body["accounts"].values()
    return {
        "USD" if account["type"].startswith("multi") else account["currency"].upper(): Decimal(
            str(account["portfolioValue"] if account["type"].startswith("multi") else account["auxiliary"]["pv"])
        )
        for account in accounts
        if account["type"] != "cashAccount"
    }


UNITS = {"XBt": ("XBT", 8), "USDt": ("USDT", 6), "BMEx": ("BMEX", 6), "Gwei": ("ETH", 9)}
"""BitMEX's whole units: currency and decimals."""
EQUITIES: Mapping[str, Equity] = {
    # By venue; a second word tells the equities of one venue apart.
    "binance": Equity(
        wallets=("usdm",),
        path="/fapi/v3/balance",
        stated=lambda body: rows(body, "asset", "balance", "crossUnPnl"),
    ),
    "bingx": Equity(
        wallets=("perpetual",),
        path="/openApi/swap/v3/user/balance",
        stated=lambda body: rows((row for row in body["data"] if row["equity"]), "asset", "equity"),
    ),
    "bingx coins": Equity(
        wallets=("coin_perpetual",),
        path="/openApi/cswap/v1/user/balance",
        stated=lambda body: rows(body["data"], "asset", "equity"),
    ),
    "bitget": Equity(
        wallets=("usdt-futures", "usdc-futures", "coin-futures"),
        path="/api/v2/mix/account/accounts",
        stated=lambda body: rows(body["data"], "marginCoin", "accountEquity"),
    ),
    "bitmex": Equity(
        wallets=("main",),
        path="/api/v1/user/margin",
        stated=lambda body: {
            code: Decimal(row["marginBalance"]).scaleb(-scale) for row in body for code, scale in [UNITS[row["currency"]]]
        },
    ),
    "bybit": Equity(
        wallets=("unified",),
        path="/v5/account/wallet-balance",
        stated=lambda body: rows(body["result"]["list"][0]["coin"], "coin", "equity"),
    ),
    "coinex": Equity(
        wallets=("futures",),
        path="/v2/assets/futures/balance",
        # The margin holds the profit: nothing is to be added.
        stated=lambda body: rows(body["data"], "ccy", "available", "frozen", "margin"),
    ),
    "deribit": Equity(
        wallets=("main",),
        path="/api/v2/private/get_account_summaries",
        stated=lambda body: rows(body["result"]["summaries"], "currency", "equity"),
    ),
    "gate": Equity(
        wallets=("futures-usdt",),
        path="/api/v4/futures/usdt/accounts",
        stated=lambda body: rows([body], "currency", "total", "unrealised_pnl"),
    ),
    "gate options": Equity(
        wallets=("options",),
        path="/api/v4/options/accounts",
        stated=lambda body: rows([body], "currency", "equity"),
    ),
    "htx": Equity(
        wallets=("usdt-futures",),
        path="/v5/account/balance",
        stated=lambda body: rows(body["data"]["details"], "currency", "equity"),
    ),
    "htx coins": Equity(
        wallets=("coin-swaps",),
        path="/swap-api/v1/swap_account_info",
        stated=lambda body: rows(body["data"], "symbol", "margin_balance"),
    ),
    "hyperliquid": Equity(
        wallets=("perp",),
        path="/info",
        stated=lambda body: {"USDC": Decimal(body["marginSummary"]["accountValue"])} if "marginSummary" in body else {},
    ),
    "krakenfutures": Equity(
        wallets=("flex", "single"),
        path="/derivatives/api/v3/accounts",
        stated=krakenfutures,
    ),
    "kucoin": Equity(
        wallets=("futures",),
        path="/api/v1/account-overview",
        stated=lambda body: rows([body["data"]], "currency", "accountEquity"),
    ),
    "myokx": Equity(
        wallets=("trading", "isolated", "bots"),
        path="/api/v5/account/balance",
        stated=lambda body: rows(body["data"][0]["details"], "ccy", "eq"),
    ),
    "okx": Equity(
        wallets=("trading", "isolated", "bots"),
        path="/api/v5/account/balance",
        stated=lambda body: rows(body["data"][0]["details"], "ccy", "eq"),
    ),
    "phemex": Equity(wallets=("futures_usdt", "futures_usdc"), path="/g-accounts/positions", stated=phemex),
}


def told(venue: str) -> tuple[list[Batch], list[dict[str, Any]]]:
    """What the decoder makes of the streams that tell the present, and the takes."""
    text = (FOLDER / venue / "account" / "cassette.json").read_bytes()
    # A binary float would lose the last digits of what the venue states.
    takes = json.loads(text, parse_float=Decimal)["requests"]
    batches = []
    for stream in venue_of(venue).row.reading.streams:
        if not (stream.is_balances or stream.is_positions):
            continue
        asked = [take for take in takes if _answers(take, stream.paths) and _fits(take, stream.params)]
        evidence = [
            Evidence(
                stream=stream.name,
                request=f"{take.get('method', 'GET')} {take['path']}",
                params=take.get("params") or {},
                received_at=EpochMs(1_700_000_000_000),
                body=msgspec.json.encode(take["response"]),
            )
            for take in asked
        ]
        if evidence:
            batches.append(ExchangeReader().decode(venue, stream.name, evidence))
    return batches, takes


def _answers(take: Mapping[str, Any], paths: Iterable[str]) -> bool:
    """Whether a take is at one of the paths, whatever stands in its places, and is no refusal."""
    forms = ["[^/]+".join(map(re.escape, re.split(r"{[a-z_]+}", path))) for path in paths]
    return take.get("status", 200) == 200 and any(re.fullmatch(form, take.get("path") or "") for form in forms)


def _fits(take: Mapping[str, Any], params: Mapping[str, str]) -> bool:
    return all((take.get("params") or {}).get(name) == value for name, value in params.items())


@pytest.mark.parametrize("name", sorted(EQUITIES))
def test_balances_and_positions_add_up_to_the_stated_equity(name: str) -> None:
    equity, venue = EQUITIES[name], name.partition(" ")[0]
    canonical = venue_of(venue).codes.canonical
    batches, takes = told(venue)
    found: dict[str, list[Decimal]] = defaultdict(list)
    for batch in batches:
        for snapshot in batch.snapshots:
            if snapshot.wallet in equity.wallets:
                for balance in snapshot.balances:
                    found[balance.token.partition("/")[2]].append(balance.amount)
        for stands in batch.positions:
            if stands.wallet in equity.wallets:
                for position in stands.positions:
                    for part in position.components:
                        found[part.token.partition("/")[2]].append(part.amount)
    stated: dict[str, Decimal] = {}
    for take in takes:
        if take.get("path") == equity.path:
            stated |= {canonical(code): value for code, value in equity.stated(take["response"]).items()}
    assert any(batch.positions and batch.positions[0].positions for batch in batches), "the account has something open"
    assert {code: total(parts) for code, parts in found.items()} == {code: value for code, value in stated.items() if value}


def test_every_venue_that_reads_positions_is_compared() -> None:
    """Whoever adds positions to a venue says where its equity is stated."""
    reading = {
        path.parent.parent.name
        for path in FOLDER.glob("*/account/cassette.json")
        if any(batch.positions for batch in told(path.parent.parent.name)[0])
    }
    assert reading == {name.partition(" ")[0] for name in EQUITIES}
