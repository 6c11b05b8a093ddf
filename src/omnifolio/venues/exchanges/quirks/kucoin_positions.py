"""KuCoin's open futures: perpetual and dated, linear and inverse.

The futures account is told without what positions have gained (`marginBalance`; the account's equity is both), so that counts
beside it. What a contract is, only its own description tells; it is asked for by the name of each open position.
Source: kucoin.com/docs-new, Get Position List, Get Symbol, Get Account - Futures, seen 2026-11-27.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from omnifolio.model.amounts import parse_amount, product
from omnifolio.model.errors import InvalidField
from omnifolio.model.facts import Evidence, Position
from omnifolio.venues.exchanges.answers import Context, expect_dict, expect_list
from omnifolio.venues.exchanges.positions import Contracts, by_name, described, nonzero, optional, positions, unrealised
from omnifolio.venues.exchanges.quirks.kucoin_balances import data_of, unwrapped
from omnifolio.venues.exchanges.times import from_ms

CONTRACT_CALL = "futuresPublicGetContractsSymbol"


def rows_of(evidence: Evidence) -> list[Any]:
    """The positions in an answer. Raises: VenueBadResponse."""
    return expect_list(unwrapped(evidence), evidence, where="data")


def asked(answers: Sequence[Evidence]) -> list[dict[str, str]]:
    """Each contract of an open position is asked for once."""
    rows = [expect_dict(row, item, where="data") for item in answers for row in rows_of(item)]
    return [{"symbol": name} for name in sorted({str(row.get("symbol")) for row in rows if nonzero(row, "currentQty")})]


def _read(context: Context, row: Mapping[str, Any], contracts: Contracts) -> Position | None:
    count, symbol = parse_amount(row["currentQty"], where="currentQty"), str(row["symbol"])
    if not count:
        return None
    contract = described(contracts, symbol)
    mode = str(row.get("marginMode") or ("CROSS" if row["crossMode"] is True else "ISOLATED"))
    if mode not in ("CROSS", "ISOLATED"):
        raise InvalidField("marginMode: expected CROSS or ISOLATED")
    base, quote = context.codes.token(contract["baseCurrency"]), context.codes.token(contract["quoteCurrency"])
    settle, gained = context.codes.token(row["settleCurrency"]), parse_amount(row["unrealisedPnl"], where="unrealisedPnl")
    expires = contract.get("expireDate")
    # An inverse contract's multiplier is the number of dollars, written as a negative one.
    size = product(count, abs(parse_amount(contract["multiplier"], where="multiplier")))
    return Position(
        key=f"{symbol}/{row.get('positionSide') or 'BOTH'}",
        kind="future" if expires else "perpetual",
        name=symbol,
        size=size,
        size_token=quote if contract["isInverse"] is True else base,
        components=unrealised(settle, gained),
        contracts=count,
        base=base,
        quote=quote,
        settle=settle,
        entry_price=nonzero(row, "avgEntryPrice"),
        mark_price=nonzero(row, "markPrice"),
        liquidation_price=nonzero(row, "liquidationPrice"),
        unrealised=gained,
        margin=optional(row, "posMargin"),
        margin_mode="cross" if mode == "CROSS" else "isolated",
        leverage=nonzero(row, "leverage"),
        expires_at=from_ms(expires) if expires else None,
        opened_at=from_ms(row["openingTimestamp"]) if row.get("openingTimestamp") else None,
    )


def _contracts(evidence: Sequence[Evidence]) -> Contracts:
    return by_name([data_of(item) for item in evidence], "symbol")


open_positions = positions(path_end="/api/v1/positions", rows_of=rows_of, wallet="futures", read=_read, contracts_of=_contracts)
"""All positions of the futures account."""
