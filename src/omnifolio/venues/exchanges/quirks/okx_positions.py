"""OKX's open positions: perpetuals, futures, options and margin trades, cross and isolated.

The trading account's cash (`cashBal`) lacks the profit of positions, and the isolated purse is told without it (`okx_balances`):
profit counts beside both. What a cross margin trade has bought and owes is cash and debt already, so it is worth nothing besides.
An option counts with its value (`optVal`): its premium left the cash. Only the list of instruments tells what a contract is.
Source: okx.com/docs-v5, Get positions, Get instruments, Get balance (`eq`), seen 2026-11-27.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Literal

from omnifolio.model.amounts import parse_amount, product
from omnifolio.model.errors import InvalidField
from omnifolio.model.facts import Evidence, Position, PositionKind
from omnifolio.venues.exchanges.answers import Context
from omnifolio.venues.exchanges.positions import (
    Contracts,
    by_name,
    described,
    nonzero,
    optional,
    positions,
    unrealised,
    worth,
)
from omnifolio.venues.exchanges.quirks.okx_balances import rows_of
from omnifolio.venues.exchanges.times import from_ms

CONTRACTS_CALL = "publicGetPublicInstruments"

_KINDS: Mapping[str, PositionKind] = {"SWAP": "perpetual", "FUTURES": "future", "OPTION": "option"}
_OPTIONS: Mapping[str, Literal["call", "put"]] = {"C": "call", "P": "put"}
_MARGIN = "MARGIN"


def asked(answers: Sequence[Evidence]) -> list[dict[str, str]]:
    """Each contract of an open position is asked for once."""
    rows = [row for item in answers for row in rows_of(item) if isinstance(row, dict) and str(row.get("instType")) in _KINDS]
    named = sorted({(str(row["instType"]), str(row["instId"])) for row in rows if row.get("instId") and nonzero(row, "pos")})
    return [{"instType": kind, "instId": name} for kind, name in named]


def _read(context: Context, row: Mapping[str, Any], contracts: Contracts) -> Position | None:
    if not parse_amount(row["pos"], where="pos"):
        return None
    if row["mgnMode"] not in ("cross", "isolated"):
        raise InvalidField("mgnMode: expected cross or isolated")
    return _trade(context, row) if row["instType"] == _MARGIN else _contract(context, row, contracts)


def _contract(context: Context, row: Mapping[str, Any], contracts: Contracts) -> Position:
    kind = _KINDS.get(str(row["instType"]))
    if kind is None:
        raise InvalidField(f"instType: {str(row['instType'])[:16]} is not known")
    contract = described(contracts, str(row["instId"]))
    count, side = parse_amount(row["pos"], where="pos"), row["posSide"]
    if side not in ("net", "long", "short"):
        raise InvalidField("posSide: expected net, long or short")
    count = count if side == "net" else abs(count) if side == "long" else -abs(count)
    base, _, rest = str(contract.get("uly") or contract.get("instFamily") or row["instId"]).partition("-")
    settle, quote = context.codes.token(contract["settleCcy"]), context.codes.token(rest.partition("-")[0])
    is_option = kind == "option"
    gained = parse_amount(row["upl"], where="upl")
    expires = contract.get("expTime")
    return Position(
        key=str(row["posId"]),
        kind=kind,
        name=str(row["instId"]),
        size=product(product(count, parse_amount(contract["ctVal"], where="ctVal")), optional(contract, "ctMult") or Decimal(1)),
        size_token=context.codes.token(contract["ctValCcy"]),
        components=worth(settle, parse_amount(row["optVal"], where="optVal")) if is_option else unrealised(settle, gained),
        contracts=count,
        base=context.codes.token(base),
        # The premium of an option is told in what settles it.
        quote=settle if is_option else quote,
        settle=settle,
        entry_price=nonzero(row, "avgPx"),
        mark_price=nonzero(row, "markPx"),
        liquidation_price=nonzero(row, "liqPx"),
        unrealised=gained,
        margin=optional(row, "margin" if row["mgnMode"] == "isolated" else "imr"),
        margin_mode=row["mgnMode"],
        leverage=nonzero(row, "lever"),
        expires_at=from_ms(expires) if expires else None,
        strike=nonzero(contract, "stk"),
        option=_OPTIONS[str(contract["optType"])] if is_option else None,
        opened_at=from_ms(row["cTime"]),
    )


def _trade(context: Context, row: Mapping[str, Any]) -> Position:
    """A margin trade: what was bought is held, what was borrowed for it is owed; one that sold short owes its base."""
    base, _, rest = str(row["instId"]).partition("-")
    held, owed = row["posCcy"], row["liabCcy"]
    if held not in (base, rest):
        raise InvalidField("posCcy: expected one of the pair's currencies")
    if base not in (held, owed):
        raise InvalidField("liabCcy: expected what was sold short")
    size = parse_amount(row["pos"], where="pos") if held == base else -abs(parse_amount(row["liab"], where="liab"))
    settle, gained = context.codes.token(row["ccy"]), parse_amount(row["upl"], where="upl")
    is_isolated = row["mgnMode"] == "isolated"
    return Position(
        key=str(row["posId"]),
        kind="margin",
        name=str(row["instId"]),
        size=size,
        size_token=context.codes.token(base),
        components=unrealised(settle, gained) if is_isolated else (),
        base=context.codes.token(base),
        quote=context.codes.token(rest),
        settle=settle,
        entry_price=nonzero(row, "avgPx"),
        mark_price=nonzero(row, "markPx"),
        liquidation_price=nonzero(row, "liqPx"),
        unrealised=gained,
        margin=optional(row, "margin" if is_isolated else "imr"),
        margin_mode=row["mgnMode"],
        leverage=nonzero(row, "lever"),
        opened_at=from_ms(row["cTime"]),
    )


def _contracts(evidence: Sequence[Evidence]) -> Contracts:
    return by_name([row for item in evidence for row in rows_of(item)], "instId")


open_positions = positions(path_end="/account/positions", rows_of=rows_of, wallet="trading", read=_read, contracts_of=_contracts)
"""All positions of the trading account."""
