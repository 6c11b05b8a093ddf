"""Kraken Futures' open contracts: perpetual and dated, linear and inverse.

A wallet's balance is without what its contracts have gained: "Portfolio Value = Balance Value in USD + Profit or Loss from Open
Positions", which is (current price - entry price) x size where a contract is linear, (1 / entry price - 1 / current price) x size
where it is inverse, and the current price is the mark. No answer states the gain of a contract, so it is reckoned by that rule.
Funding that has run up since the contract last changed is no part of that sum, and of ours neither.
Source: support.kraken.com, Portfolio Management (4871775312276); docs.kraken.com/exchange, Get open positions, Get instruments,
Get tickers; in excerpts and samples, 2026-11-28.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from omnifolio.model.amounts import divide, parse_amount, product, total
from omnifolio.model.errors import InvalidField, VenueBadResponse
from omnifolio.model.facts import Evidence, Position
from omnifolio.venues.exchanges.answers import Context, decode, expect_dict, expect_list
from omnifolio.venues.exchanges.positions import Contracts, by_name, described, nonzero, positions, unrealised
from omnifolio.venues.exchanges.times import from_iso

CASH, FLEX, SINGLE = "cash", "flex", "single"
CONTRACT_CALLS = ("publicGetInstruments", "publicGetTickers")
POSITIONS_PATH = "/openpositions"
PLACES = 10
"""Decimals of a gain in coins: of contracts in dollars that a price divides."""

_INVERSE, _LINEAR = "futures_inverse", ("flexible_futures", "futures_vanilla")
_MULTI = ("PF_", "FF_")
"""How the names of contracts of the multi-collateral wallet begin."""


def good(evidence: Evidence) -> dict[str, Any]:
    """The answer, if it is no refusal. Raises: VenueBadResponse."""
    body = expect_dict(decode(evidence), evidence, where="the answer")
    if body.get("result") == "error" or body.get("error") or body.get("errors"):
        raise VenueBadResponse(f"{evidence.request}: the venue answered with an error")
    return body


def rows_of(evidence: Evidence) -> list[Any]:
    """The positions in an answer. Raises: VenueBadResponse."""
    return expect_list(good(evidence).get("openPositions"), evidence, where="openPositions")


def asked(call: str, answers: Sequence[Evidence]) -> list[dict[str, str]]:
    """Contracts and marks are asked for only where something is open."""
    if call not in CONTRACT_CALLS:
        return [{}]
    return [{}] if any(rows_of(item) for item in answers if item.request.endswith(POSITIONS_PATH)) else []


def _contracts(evidence: Sequence[Evidence]) -> Contracts:
    """What is said of each contract: its description with its mark."""
    found: dict[str, dict[str, Any]] = {}
    for field in ("instruments", "tickers"):
        rows = [row for item in evidence for row in _list(item, field)]
        for name, row in by_name(rows, "symbol").items():
            found.setdefault(name.upper(), {}).update(row)
    return found


def _list(evidence: Evidence, field: str) -> list[Any]:
    rows = good(evidence).get(field)
    return rows if isinstance(rows, list) else []


def is_multi(symbol: str) -> bool:
    """Whether the multi-collateral wallet backs a contract."""
    return symbol.startswith(_MULTI)


def _read(context: Context, row: Mapping[str, Any], contracts: Contracts) -> Position | None:
    symbol, count = str(row["symbol"]).upper(), parse_amount(row["size"], where="size")
    if not count:
        return None
    if row["side"] not in ("long", "short"):
        raise InvalidField("side: expected long or short")
    about = described(contracts, symbol)
    base, quote = (context.codes.token(str(about[name]).upper()) for name in ("base", "quote"))
    is_inverse = about["type"] == _INVERSE
    if not is_inverse and about["type"] not in _LINEAR:
        raise InvalidField(f"type: {str(about['type'])[:40]!r} is no known sort of contract")
    per_contract = parse_amount(about["contractSize"], where="contractSize")
    size = product(count if row["side"] == "long" else -count, per_contract)
    entry, mark = parse_amount(row["price"], where="price"), parse_amount(about["markPrice"], where="markPrice")
    gained = _gained(size, entry, mark, is_inverse=is_inverse)
    expires = about.get("lastTradingTime")
    return Position(
        key=symbol,
        kind="future" if expires else "perpetual",
        name=symbol,
        size=size,
        size_token=quote if is_inverse else base,
        components=unrealised(base if is_inverse else quote, gained),
        contracts=count,
        base=base,
        quote=quote,
        settle=base if is_inverse else quote,
        entry_price=entry,
        mark_price=mark,
        unrealised=gained,
        # Only an isolated position has a leverage of its own.
        margin_mode="isolated" if row.get("maxFixedLeverage") else "cross",
        leverage=nonzero(row, "maxFixedLeverage"),
        expires_at=from_iso(expires) if expires else None,
        opened_at=from_iso(row["fillTime"]) if row.get("fillTime") else None,
    )


def _gained(size: Decimal, entry: Decimal, mark: Decimal, *, is_inverse: bool) -> Decimal:
    """Profit or loss by the venue's rule. Raises: InvalidField for prices that are none."""
    if entry <= 0 or mark <= 0:
        raise InvalidField("price or markPrice: expected more than zero")
    gained = product(size, total((mark, -entry)))
    return divide(gained, product(entry, mark), places=PLACES) if is_inverse else gained


def _of(wallet: str, *, multi: bool) -> Any:
    def rows(evidence: Evidence) -> list[Any]:
        found = rows_of(evidence)
        named = [row for row in found if isinstance(row, dict) and is_multi(str(row.get("symbol")).upper()) is multi]
        # A row that is no object at all belongs to both: neither is told in part.
        return [*named, *(row for row in found if not isinstance(row, dict))]

    return positions(path_end=POSITIONS_PATH, rows_of=rows, wallet=wallet, read=_read, contracts_of=_contracts, scope=wallet)


open_positions = (_of(FLEX, multi=True), _of(SINGLE, multi=False))
"""All positions, each beside the wallet that backs it."""
