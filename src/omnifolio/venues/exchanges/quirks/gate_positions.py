"""Gate's open contracts of a classic account: perpetuals settled in USDT or BTC, dated ones, and options.

A contract account's `total` has what was realised and lacks what was not, so profit counts beside it. The account's mode is asked
first: in a unified one the pool's balances are told otherwise, and its positions are left out. A contract's size is told by its
description alone; one that BTC settles is a dollar.
The options account's equity is "the sum of account balance and position value", where a long position's value is positive and a
short one's negative: an option counts by what it would bring, its premium having moved the balance already.
Source: gate.com/docs/developers/apiv4, List all positions of a user, Query single contract information, Get futures account (seen
2026-11-27), List options account, List user's positions of specified underlying, Query specified contract detail (2026-11-28).
"""

import re
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from omnifolio.model.amounts import parse_amount, product
from omnifolio.model.errors import InvalidField
from omnifolio.model.facts import Evidence, Position
from omnifolio.venues.exchanges.answers import Context, decode, expect_dict
from omnifolio.venues.exchanges.positions import (
    Contracts,
    by_name,
    described,
    nonzero,
    optional,
    positions,
    several,
    unrealised,
    worth,
)
from omnifolio.venues.exchanges.quirks.gate_balances import mode_of, rows_of
from omnifolio.venues.exchanges.times import from_seconds

POSITION_CALLS = ("privateFuturesGetSettlePositions", "privateDeliveryGetSettlePositions")
CONTRACT_CALLS = ("publicFuturesGetSettleContractsContract", "publicDeliveryGetSettleContractsContract")
OPTION_CALLS = ("privateOptionsGetPositions", "publicOptionsGetContractsContract")

OPTION_POSITIONS = "/options/positions"
_OPTION = re.compile(r"([A-Z0-9]+)_([A-Z0-9]+)-(\d{8})-([\d.]+)-([CP])")
"""Base, quote, day, strike and side of an option's name."""
_ACCOUNTS = (("futures", "usdt"), ("futures", "btc"), ("delivery", "usdt"))
"""Family and settlement currency of each contract account."""


def asked(call: str, answers: Sequence[Evidence]) -> list[dict[str, str]]:
    """Positions of a classic account, and the contract of each that is open."""
    if call in OPTION_CALLS:
        return _asked_of_options(call, answers)
    family = "futures" if "Futures" in call else "delivery"
    settled = [settle for of_family, settle in _ACCOUNTS if of_family == family]
    if call in POSITION_CALLS:
        return [{"settle": settle} for settle in settled] if mode_of(answers) == "classic" else []
    found: set[tuple[str, str]] = set()
    for settle in settled:
        told = [item for item in answers if item.request.endswith(f"/{family}/{settle}/positions")]
        rows = [row for item in told for row in rows_of(item) if isinstance(row, dict)]
        found |= {(settle, str(row.get("contract"))) for row in rows if nonzero(row, "size")}
    return [{"settle": settle, "contract": name} for settle, name in sorted(found)]


def _asked_of_options(call: str, answers: Sequence[Evidence]) -> list[dict[str, str]]:
    if call == OPTION_CALLS[0]:
        return [{}] if mode_of(answers) == "classic" else []
    told = [item for item in answers if item.request.endswith(OPTION_POSITIONS)]
    rows = [row for item in told for row in rows_of(item) if isinstance(row, dict)]
    return [{"contract": name} for name in sorted({str(row.get("contract")) for row in rows if nonzero(row, "size")})]


def _read(context: Context, row: Mapping[str, Any], contracts: Contracts, *, family: str, code: str) -> Position | None:
    count, name = parse_amount(row["size"], where="size"), str(row["contract"])
    if not count:
        return None
    contract = described(contracts, name)
    pair, mode = name.split("_"), str(row["mode"])
    if mode not in ("single", "dual_long", "dual_short"):
        raise InvalidField("mode: expected single, dual_long or dual_short")
    base, quote, settle = (context.codes.token(word) for word in (pair[0], pair[1], code.upper()))
    is_inverse = contract["type"] == "inverse"
    gained = parse_amount(row["unrealised_pnl"], where="unrealised_pnl")
    leverage = nonzero(row, "leverage")
    expires = contract.get("expire_time") if family == "delivery" else None
    return Position(
        key=f"{name}/{mode}",
        kind="future" if family == "delivery" else "perpetual",
        name=name,
        size=count if is_inverse else product(count, parse_amount(contract["quanto_multiplier"], where="quanto_multiplier")),
        size_token=quote if is_inverse else base,
        components=unrealised(settle, gained),
        contracts=count,
        base=base,
        quote=quote,
        settle=settle,
        entry_price=nonzero(row, "entry_price"),
        mark_price=nonzero(row, "mark_price"),
        liquidation_price=nonzero(row, "liq_price"),
        unrealised=gained,
        margin=optional(row, "margin"),
        # A leverage of zero stands for cross margin, whose own limit is told apart.
        margin_mode="isolated" if leverage else "cross",
        leverage=leverage or nonzero(row, "cross_leverage_limit"),
        expires_at=from_seconds(expires) if expires else None,
        opened_at=from_seconds(row["open_time"]) if row.get("open_time") else None,
    )


def _contracts(evidence: Sequence[Evidence], *, family: str, code: str) -> Contracts:
    told = [item for item in evidence if f"/{family}/{code}/contracts/" in item.request]
    return by_name([expect_dict(decode(item), item, where="the answer") for item in told], "name")


def _read_option(context: Context, row: Mapping[str, Any], contracts: Contracts) -> Position | None:
    count, name = parse_amount(row["size"], where="size"), str(row["contract"])
    if not count:
        return None
    contract, found = described(contracts, name), _OPTION.fullmatch(name)
    if found is None or contract["is_call"] is not (found[5] == "C"):
        raise InvalidField(f"contract: {name[:40]} is not told as an option's name is documented")
    base, quote = context.codes.token(found[1]), context.codes.token(found[2])
    size = product(count, parse_amount(contract["multiplier"], where="multiplier"))
    mark = parse_amount(row["mark_price"], where="mark_price")
    return Position(
        key=name,
        kind="option",
        name=name,
        size=size,
        size_token=base,
        components=worth(quote, product(size, mark)),
        contracts=count,
        base=base,
        quote=quote,
        settle=quote,
        entry_price=nonzero(row, "entry_price"),
        mark_price=mark,
        unrealised=optional(row, "unrealised_pnl"),
        expires_at=from_seconds(contract["expiration_time"]),
        strike=parse_amount(found[4], where="strike"),
        option="call" if found[5] == "C" else "put",
    )


def _option_contracts(evidence: Sequence[Evidence]) -> Contracts:
    told = [item for item in evidence if "/options/contracts/" in item.request]
    return by_name([expect_dict(decode(item), item, where="the answer") for item in told], "name")


_options = positions(
    path_end=OPTION_POSITIONS,
    rows_of=rows_of,
    wallet="options",
    read=_read_option,
    contracts_of=_option_contracts,
    scope="contracts",
)

open_positions = several(
    *(
        positions(
            path_end=f"/{family}/{settle}/positions",
            rows_of=rows_of,
            wallet=f"{family}-{settle}",
            read=partial(_read, family=family, code=settle),
            contracts_of=partial(_contracts, family=family, code=settle),
            scope="contracts",
        )
        for family, settle in _ACCOUNTS
    ),
    _options,
)
"""The positions of each contract account that was asked."""
