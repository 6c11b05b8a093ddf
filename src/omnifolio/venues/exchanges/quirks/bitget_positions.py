"""Bitget's open futures of a classic account: settled in USDT, in USDC or in the coin, one-way and hedged.

A margin coin's balance is its equity without the profit that is not realised (`bitget_balances`), so that counts beside it. Sizes
are in coins, whatever the contract.
Source: bitget.com/api-doc, contract, Get All Positions, Get Account List, seen 2026-11-27.
"""

import re
from collections.abc import Mapping
from functools import partial
from typing import Any

from omnifolio.model.amounts import parse_amount
from omnifolio.model.errors import InvalidField
from omnifolio.model.facts import Evidence, Position
from omnifolio.venues.exchanges.answers import Context, expect_list
from omnifolio.venues.exchanges.positions import Contracts, nonzero, optional, positions, unrealised
from omnifolio.venues.exchanges.quirks.bitget_balances import FUTURES, POSITIONS_PATH, code_of, data_of
from omnifolio.venues.exchanges.times import from_ms

_SYMBOLS = {
    "USDT-FUTURES": re.compile(r"([A-Z0-9]+?)(USDT)()"),
    "USDC-FUTURES": re.compile(r"([A-Z0-9]+?)(PERP)()"),
    "COIN-FUTURES": re.compile(r"([A-Z0-9]+?)(USD)([HMUZ][0-9]{2})?"),
}
"""Base, quote, and the quarter of a dated contract."""
_MODES: Mapping[str, Any] = {"crossed": "cross", "isolated": "isolated"}
_SIGNS = {"long": 1, "short": -1}


def rows_of(evidence: Evidence) -> list[Any]:
    """The positions in an answer. Raises: VenueBadResponse."""
    data = data_of(evidence)
    return [] if data is None else expect_list(data, evidence, where="data")


def _read(context: Context, row: Mapping[str, Any], contracts: Contracts, *, family: str) -> Position | None:
    size, symbol = parse_amount(row["total"], where="total"), str(row["symbol"])
    if not size:
        return None
    found = _SYMBOLS[family].fullmatch(symbol)
    if found is None or row["holdSide"] not in _SIGNS or row["marginMode"] not in _MODES:
        raise InvalidField(f"symbol, holdSide or marginMode: {symbol[:32]} is not told as documented")
    code = code_of(row["marginCoin"])
    base, settle = context.codes.token(found[1]), context.codes.token(code)
    gained = parse_amount(row["unrealizedPL"], where="unrealizedPL")
    return Position(
        key=f"{symbol}/{row['holdSide']}/{row['marginMode']}",
        kind="future" if found[3] else "perpetual",
        name=symbol,
        size=size if row["holdSide"] == "long" else -size,
        size_token=base,
        components=unrealised(settle, gained),
        base=base,
        quote=context.codes.token({"PERP": "USDC"}.get(found[2], found[2])),
        settle=settle,
        entry_price=nonzero(row, "openPriceAvg"),
        mark_price=nonzero(row, "markPrice"),
        liquidation_price=nonzero(row, "liquidationPrice"),
        unrealised=gained,
        margin=optional(row, "marginSize"),
        margin_mode=_MODES[row["marginMode"]],
        leverage=nonzero(row, "leverage"),
        opened_at=from_ms(row["cTime"]) if row.get("cTime") else None,
    )


def _is(family: str, evidence: Evidence) -> bool:
    return evidence.params.get("productType", FUTURES[0]) == family


open_positions = tuple(
    positions(
        path_end=POSITIONS_PATH,
        rows_of=rows_of,
        wallet=family.lower(),
        read=partial(_read, family=family),
        is_one=partial(_is, family),
        scope="futures",
    )
    for family in FUTURES
)
"""The positions of each of the three wallets, read with the balances, which tell whether the account is a classic one."""
