"""Bybit's balances: the unified account with its debts, the funding account, and earn positions.

The wallet balance of the unified account holds what was borrowed for spot; what derivatives owe makes it negative.
Source: bybit-exchange.github.io/docs/v5 of 2026-07-24: Get Wallet Balance, Get All Coins Balance, Get Staked Position.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from omnifolio.model.amounts import parse_amount, total
from omnifolio.model.errors import VenueBadResponse
from omnifolio.model.facts import Evidence
from omnifolio.venues.exchanges.answers import Context, decode, expect_dict, expect_list
from omnifolio.venues.exchanges.telling import Held, RowsOf, Source, snapshots

WALLET_CALL, COINS_CALL, EARN_CALL = (
    "privateGetV5AccountWalletBalance",
    "privateGetV5AssetTransferQueryAccountCoinsBalance",
    "privateGetV5EarnPosition",
)
_FIRST: Mapping[str, dict[str, str]] = {
    WALLET_CALL: {"accountType": "UNIFIED"},
    COINS_CALL: {"accountType": "FUND"},
    EARN_CALL: {"category": "FlexibleSaving"},
}


def result_of(evidence: Evidence) -> dict[str, Any]:
    """The `result` of an answer. Raises: VenueBadResponse when it carries an error or another form."""
    body = expect_dict(decode(evidence), evidence, where="the answer")
    if str(body.get("retCode", 0)) != "0":
        raise VenueBadResponse(f"{evidence.request}: the venue answered with an error")
    return expect_dict(body.get("result"), evidence, where="result")


def rows_of(field: str) -> RowsOf:
    """The rows under a field of the result."""
    return lambda evidence: expect_list(result_of(evidence).get(field), evidence, where=f"result.{field}")


list_of = rows_of("list")
"""The rows under `list`, where most answers have them."""


def amount_of(row: Mapping[str, Any], field: str) -> Decimal:
    """A field that Bybit leaves empty where it does not apply. Raises: InvalidAmount."""
    return parse_amount(row.get(field) or "0", where=field)


def _coins_of(evidence: Evidence) -> list[Any]:
    accounts = [expect_dict(account, evidence, where="result.list") for account in list_of(evidence)]
    return [coin for account in accounts for coin in expect_list(account.get("coin"), evidence, where="coin")]


def _unified(context: Context, row: Mapping[str, Any]) -> Iterable[Held]:
    token, held = context.codes.token(row["coin"]), parse_amount(row["walletBalance"], where="walletBalance")
    yield "unified", "spot", token, max(held, Decimal(0))
    yield "unified", "debt", token, total((min(held, Decimal(0)), -amount_of(row, "spotBorrow")))


def _funding(context: Context, row: Mapping[str, Any]) -> Iterable[Held]:
    yield "funding", "funding", context.codes.token(row["coin"]), parse_amount(row["walletBalance"], where="walletBalance")


def _earn(context: Context, row: Mapping[str, Any]) -> Iterable[Held]:
    """A position; only those on a chain have an id of their own."""
    token, amount = context.codes.token(row["coin"]), parse_amount(row["amount"])
    yield "earn", "staked" if row.get("id") else "earn", token, amount


def following(call: str, last: Evidence | None) -> dict[str, str] | None:
    """Which account is asked for, and both kinds of earn positions."""
    if last is None:
        return dict(_FIRST.get(call, {}))
    is_first_kind = call == EARN_CALL and last.params.get("category") == "FlexibleSaving"
    return {"category": "OnChain"} if is_first_kind else None


balances = snapshots(
    Source(path_end="/wallet-balance", rows_of=_coins_of, read=_unified, tells=(("unified", "spot"), ("unified", "debt"))),
    Source(path_end="/query-account-coins-balance", rows_of=rows_of("balance"), read=_funding, tells=(("funding", "funding"),)),
    Source(path_end="/earn/position", rows_of=list_of, read=_earn, tells=(("earn", "earn"), ("earn", "staked"))),
)
"""One snapshot of each place that is told completely."""
