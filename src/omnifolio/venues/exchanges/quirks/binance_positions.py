"""Binance's open futures: USD-M and COIN-M, one-way and hedged.

The wallets' balances (`balance` of both futures interfaces) hold cross and isolated margin, and no profit that is not realised:
what a position has gained counts beside them. A COIN-M contract is a number of dollars that only the list of contracts tells.
Source: developers.binance.com, USD-M futures (position information V3, futures account balance V3), COIN-M futures (position
information, exchange information), seen 2026-11-27.
"""

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from omnifolio.model.amounts import parse_amount, product
from omnifolio.model.errors import InvalidField
from omnifolio.model.facts import Evidence, Position
from omnifolio.venues.exchanges.answers import Context, Page, decode, expect_dict, expect_list
from omnifolio.venues.exchanges.positions import Contracts, by_name, described, nonzero, optional, positions, unrealised
from omnifolio.venues.exchanges.telling import rows_at
from omnifolio.venues.exchanges.times import from_delivery_day

CONTRACTS_CALL = "dapiPublicGetExchangeInfo"

_SYMBOL = re.compile(r"([^_]+)(?:_([0-9]{6}))?")
_QUOTES = ("USDT", "USDC", "USD1", "BUSD", "FDUSD", "BTC")
"""What USD-M contracts are quoted in; the margin may be another asset."""
_DAY = "%y%m%d"
_PERPETUAL = "PERPETUAL"


def asked(answers: Sequence[Evidence]) -> list[dict[str, str]]:
    """The list of contracts is asked for where a position is open."""
    rows = [row for item in answers for row in rows_at()(item)]
    return [{}] if any(isinstance(row, dict) and nonzero(row, "positionAmt") for row in rows) else []


def _signed(row: Mapping[str, Any]) -> Decimal:
    """The amount, negative on the short side however it is written. Raises: InvalidField."""
    amount, side = parse_amount(row["positionAmt"], where="positionAmt"), row["positionSide"]
    if side not in ("BOTH", "LONG", "SHORT"):
        raise InvalidField("positionSide: expected BOTH, LONG or SHORT")
    return amount if side == "BOTH" else abs(amount) if side == "LONG" else -abs(amount)


def _usdm(context: Context, row: Mapping[str, Any], contracts: Contracts) -> Position | None:
    size, symbol = _signed(row), str(row["symbol"])
    if not size:
        return None
    found = _SYMBOL.fullmatch(symbol)
    pair, day = found.groups() if found else ("", None)
    margin_asset = str(row["marginAsset"])
    quote = next((code for code in (margin_asset, *_QUOTES) if pair.endswith(code) and pair != code), None)
    if quote is None:
        raise InvalidField(f"symbol: {symbol[:32]} is quoted in nothing that is known")
    settle, base = context.codes.token(margin_asset), context.codes.token(pair.removesuffix(quote))
    profit = parse_amount(row["unRealizedProfit"], where="unRealizedProfit")
    isolated = nonzero(row, "isolatedWallet")
    return Position(
        key=f"{symbol}/{row['positionSide']}",
        kind="future" if day else "perpetual",
        name=symbol,
        size=size,
        size_token=base,
        components=unrealised(settle, profit),
        base=base,
        quote=context.codes.token(quote),
        settle=settle,
        entry_price=nonzero(row, "entryPrice"),
        mark_price=nonzero(row, "markPrice"),
        liquidation_price=nonzero(row, "liquidationPrice"),
        unrealised=profit,
        margin=isolated or optional(row, "positionInitialMargin"),
        margin_mode="isolated" if isolated else "cross",
        expires_at=from_delivery_day(day, _DAY) if day else None,
    )


def _coinm(context: Context, row: Mapping[str, Any], contracts: Contracts) -> Position | None:
    count, symbol = _signed(row), str(row["symbol"])
    if not count:
        return None
    contract = described(contracts, symbol)
    quote, settle = context.codes.token(contract["quoteAsset"]), context.codes.token(contract["marginAsset"])
    profit = parse_amount(row["unRealizedProfit"], where="unRealizedProfit")
    is_isolated = row["marginType"] == "isolated"
    is_perpetual = contract["contractType"] == _PERPETUAL
    return Position(
        key=f"{symbol}/{row['positionSide']}",
        kind="perpetual" if is_perpetual else "future",
        name=symbol,
        size=product(count, parse_amount(contract["contractSize"], where="contractSize")),
        size_token=quote,
        components=unrealised(settle, profit),
        contracts=count,
        base=context.codes.token(contract["baseAsset"]),
        quote=quote,
        settle=settle,
        entry_price=nonzero(row, "entryPrice"),
        mark_price=nonzero(row, "markPrice"),
        liquidation_price=nonzero(row, "liquidationPrice"),
        unrealised=profit,
        margin=nonzero(row, "isolatedWallet") if is_isolated else None,
        margin_mode="isolated" if is_isolated else "cross",
        leverage=nonzero(row, "leverage"),
        expires_at=None if is_perpetual else from_delivery_day(symbol.rpartition("_")[2], _DAY),
    )


def _contracts(evidence: Sequence[Evidence]) -> Contracts:
    rows = [
        row
        for item in evidence
        for row in expect_list(expect_dict(decode(item), item, where="the answer").get("symbols"), item, where="symbols")
    ]
    return by_name(rows, "symbol")


_PARSERS = {
    "usdm": positions(path_end="/positionRisk", rows_of=rows_at(), wallet="usdm", read=_usdm),
    "coinm": positions(path_end="/positionRisk", rows_of=rows_at(), wallet="coinm", read=_coinm, contracts_of=_contracts),
}


def open_positions(context: Context, evidence: Sequence[Evidence]) -> Page:
    """The positions of one of the two futures wallets. Raises: VenueBadResponse."""
    return _PARSERS[context.scope](context, evidence)
