"""Phemex's contract accounts, one for each currency that contracts settle in: the balance, and the open positions beside it.

The balance lacks what open positions have gained. For contracts in USDT and USDC the venue tells that gain; for those in coins
its own figure is old, so it is counted from the mark price by the documentation's formula. A leverage of zero or less is cross.
Source: phemex-docs.github.io of 2026-01-07: Query Account Positions with unrealized PNL, Query trading account and positions,
Query risk unit (`totalEquityRv`).
"""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from omnifolio.model.amounts import EXACT, divide, parse_amount, product
from omnifolio.model.errors import InvalidField
from omnifolio.model.facts import Evidence, Position
from omnifolio.model.tokens import TokenId
from omnifolio.venues.exchanges.answers import Context, SnapshotParser, expect_dict, expect_list
from omnifolio.venues.exchanges.positions import Contracts, described, nonzero, optional, positions, unrealised
from omnifolio.venues.exchanges.quirks.phemex_scales import Products, data_of, ratio

LINEAR_PATH = "/g-accounts/positions"
COIN_PATH = "/accounts/accountPositions"
LINEAR = ("USDT", "USDC")
COINS = ("BTC", "ETH", "USD")
"""What contracts settle in: each is an account of its own."""
_SIGNS = {"Buy": Decimal(1), "Sell": Decimal(-1)}


def wallet_of(code: str) -> str:
    """The wallet of the contract account in a currency."""
    return f"futures_{code.lower()}" if code in LINEAR or code in COINS else "futures"


def asks_for(code: str) -> Callable[[Evidence], bool]:
    """Whether an answer is that of one account, by what was asked."""
    return lambda evidence: evidence.params.get("currency") == code


def account_of(evidence: Evidence) -> list[Any]:
    """The account's own row. Raises: VenueBadResponse."""
    return [expect_dict(data_of(evidence), evidence, where="data").get("account")]


def _standing_of(evidence: Evidence) -> list[Any]:
    rows = expect_dict(data_of(evidence), evidence, where="data").get("positions")
    return expect_list(rows, evidence, where="positions")


def standing(products: Products) -> tuple[SnapshotParser, ...]:
    """The parsers of the positions in each account."""

    def linear(context: Context, row: Mapping[str, Any], contracts: Contracts) -> Position | None:
        return _linear(context, row, products)

    def coin(context: Context, row: Mapping[str, Any], contracts: Contracts) -> Position | None:
        return _coin(context, row, products)

    asked = [(LINEAR_PATH, code, linear) for code in LINEAR] + [(COIN_PATH, code, coin) for code in COINS]
    return tuple(
        positions(path_end=path, is_one=asks_for(code), rows_of=_standing_of, wallet=wallet_of(code), read=read)
        for path, code, read in asked
    )


def _side(row: Mapping[str, Any], size: Decimal) -> Decimal:
    if row["side"] not in _SIGNS:
        raise InvalidField("side: expected Buy or Sell")
    return product(abs(size), _SIGNS[row["side"]])


def _linear(context: Context, row: Mapping[str, Any], products: Products) -> Position | None:
    amount, symbol = parse_amount(row["sizeRq"], where="sizeRq"), str(row["symbol"])
    if not amount:
        return None
    about = described(products.symbols, symbol)
    base, quote, settle = _tokens(context, about)
    gained, leverage = parse_amount(row["unRealisedPnlRv"], where="unRealisedPnlRv"), parse_amount(row["leverageRr"])
    return Position(
        key=f"{symbol}/{row['posSide']}",
        kind="perpetual",
        name=symbol,
        size=_side(row, amount),
        size_token=base,
        components=unrealised(settle, gained),
        base=base,
        quote=quote,
        settle=settle,
        entry_price=nonzero(row, "avgEntryPriceRp"),
        mark_price=nonzero(row, "markPriceRp"),
        liquidation_price=nonzero(row, "liquidationPriceRp"),
        unrealised=gained,
        margin=optional(row, "assignedPosBalanceRv"),
        margin_mode="isolated" if leverage > 0 else "cross",
        leverage=abs(leverage) or None,
    )


def _coin(context: Context, row: Mapping[str, Any], products: Products) -> Position | None:
    count, symbol = parse_amount(row["size"], where="size"), str(row["symbol"])
    if not count:
        return None
    about = described(products.symbols, symbol)
    base, quote, settle = _tokens(context, about)
    is_inverse = settle != quote
    if is_inverse and str(about["contractUnderlyingAssets"]) != str(about["quoteCurrency"]):
        raise InvalidField("contractUnderlyingAssets: a contract of neither known form")
    contracts = _side(row, count)
    size = product(contracts, parse_amount(str(about["contractSize"]).split(" ")[0], where="contractSize"))
    entry, mark = products.price(row, "avgEntryPriceEp", symbol), products.price(row, "markPriceEp", symbol)
    if entry is None or mark is None:
        raise InvalidField("avgEntryPriceEp, markPriceEp: an open position has both")
    gained = product(size, EXACT.subtract(mark, entry))
    if is_inverse:
        gained = divide(gained, product(entry, mark), places=products.decimals(str(about["settleCurrency"])))
    leverage = ratio(row, "leverageEr")
    return Position(
        key=symbol,
        kind="perpetual",
        name=symbol,
        size=size,
        size_token=quote if is_inverse else base,
        components=unrealised(settle, gained),
        contracts=contracts,
        base=base,
        quote=quote,
        settle=settle,
        entry_price=entry,
        mark_price=mark,
        liquidation_price=products.price(row, "liquidationPriceEp", symbol),
        unrealised=gained,
        margin=products.value(row, "assignedPosBalanceEv", about["settleCurrency"]),
        margin_mode="isolated" if leverage > 0 else "cross",
        leverage=abs(leverage) or None,
    )


def _tokens(context: Context, about: Mapping[str, Any]) -> tuple[TokenId, TokenId, TokenId]:
    """Base, quote and currency of settlement; an inverse contract's base is what it settles in."""
    quote, settle = str(about["quoteCurrency"]), str(about["settleCurrency"])
    base = str(about.get("baseCurrency") or (settle if settle != quote else about["contractUnderlyingAssets"]))
    return context.codes.token(base), context.codes.token(quote), context.codes.token(settle)
