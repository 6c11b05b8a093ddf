"""KuCoin's balances: funding, spot, cross and isolated margin, futures, earn, and the sub-accounts of a master's key.

The list of accounts names margin accounts of old too; those are read from the margin calls alone. The futures account is asked
for each currency that contracts settle in: its margin balance is what it holds without unrealised profit.
Source: kucoin.com/docs-new, Get Account List - Spot, Get Account - Cross Margin, - Isolated Margin, - Futures, Get Account
Holding, Get Sub-Account List - Spot Balance (V2).
"""

from collections.abc import Iterable, Mapping
from typing import Any

from omnifolio.model.amounts import parse_amount
from omnifolio.model.errors import InvalidField, VenueBadResponse
from omnifolio.model.facts import Evidence, Product
from omnifolio.venues.exchanges.answers import Context, decode, expect_dict, expect_list
from omnifolio.venues.exchanges.telling import Held, Source, snapshots

PAGE_ROWS = 100
SETTLED_IN = ("USDT", "USDC", "XBT", "ETH")
"""Currencies of the futures account."""
_FIRST: Mapping[str, dict[str, str]] = {
    "privateGetMarginAccounts": {"queryType": "ALL"},
    "privateGetIsolatedAccounts": {"queryType": "ALL"},
    "futuresPrivateGetAccountOverview": {"currency": SETTLED_IN[0]},
    "earnGetEarnHoldAssets": {"currentPage": "1", "pageSize": str(PAGE_ROWS)},
    "privateGetSubAccounts": {"currentPage": "1", "pageSize": str(PAGE_ROWS)},
}
_PLACES: Mapping[str, tuple[str, Product]] = {
    "main": ("main", "funding"),
    "trade": ("trade", "spot"),
    "trade_hf": ("trade", "spot"),
    "option": ("option", "collateral"),
}
_TOLD_BY_MARGIN = frozenset({"margin", "margin_v2", "isolated", "isolated_v2", "contract"})
_STAKING = frozenset({"STAKING", "KCS_STAKING", "ETH2"})


def data_of(evidence: Evidence) -> dict[str, Any]:
    """The object `data` of an answer. Raises: VenueBadResponse when it carries an error or another form."""
    return expect_dict(unwrapped(evidence), evidence, where="data")


def items_of(evidence: Evidence) -> list[Any]:
    """The rows of a page. Raises: VenueBadResponse."""
    return expect_list(data_of(evidence).get("items"), evidence, where="data.items")


def unwrapped(evidence: Evidence) -> Any:
    """What lies under `data`. Raises: VenueBadResponse when the answer carries an error."""
    body = expect_dict(decode(evidence), evidence, where="the answer")
    if str(body.get("code", "200000")) != "200000":
        raise VenueBadResponse(f"{evidence.request}: the venue answered with an error")
    return body.get("data")


def _accounts_of(evidence: Evidence) -> list[Any]:
    return expect_list(unwrapped(evidence), evidence, where="data")


def _account(context: Context, row: Mapping[str, Any]) -> Iterable[Held]:
    name, amount = row["type"], parse_amount(row["balance"], where="balance")
    if name in _TOLD_BY_MARGIN:
        return
    if name not in _PLACES:
        raise InvalidField(f"type: no account is called {str(name)[:24]!r}")
    yield *_PLACES[name], context.codes.token(row["currency"]), amount


def _margin(context: Context, row: Mapping[str, Any], *, wallet: str = "margin") -> Iterable[Held]:
    token = context.codes.token(row["currency"])
    yield wallet, "margin", token, parse_amount(row["total"], where="total")
    yield wallet, "debt", token, -parse_amount(row["liability"], where="liability")


def _isolated(context: Context, row: Mapping[str, Any]) -> Iterable[Held]:
    yield from _margin(context, row["baseAsset"], wallet="isolated")
    yield from _margin(context, row["quoteAsset"], wallet="isolated")


def _futures(context: Context, row: Mapping[str, Any]) -> Iterable[Held]:
    amount = parse_amount(row["marginBalance"], where="marginBalance")
    yield "futures", "collateral", context.codes.token(row["currency"]), amount


def _earn(context: Context, row: Mapping[str, Any]) -> Iterable[Held]:
    kind: Product = "staked" if row["productCategory"] in _STAKING else "earn"
    yield "earn", kind, context.codes.token(row["currency"]), parse_amount(row["holdAmount"], where="holdAmount")


def _sub_account(context: Context, row: Mapping[str, Any]) -> Iterable[Held]:
    kinds: tuple[tuple[str, Product], ...] = (
        ("mainAccounts", "funding"),
        ("tradeAccounts", "spot"),
        ("marginAccounts", "margin"),
    )
    for field, kind in kinds:
        for part in row[field]:
            yield "sub-accounts", kind, context.codes.token(part["currency"]), parse_amount(part["balance"], where="balance")


def following(call: str, last: Evidence | None) -> dict[str, str] | None:
    """Margin accounts of all kinds, each currency of the futures account, and every page of holdings and sub-accounts."""
    if last is None:
        return dict(_FIRST.get(call, {}))
    if call == "futuresPrivateGetAccountOverview":
        place = SETTLED_IN.index(last.params["currency"]) + 1
        return {"currency": SETTLED_IN[place]} if place < len(SETTLED_IN) else None
    if "currentPage" not in last.params:
        return None
    pages, current = data_of(last).get("totalPage"), int(last.params["currentPage"])
    is_last = not items_of(last) or not isinstance(pages, int) or current >= pages
    return None if is_last else {"currentPage": str(current + 1), "pageSize": str(PAGE_ROWS)}


balances = snapshots(
    Source(
        path_end="/api/v1/accounts",
        rows_of=_accounts_of,
        read=_account,
        tells=(("main", "funding"), ("trade", "spot"), ("option", "collateral")),
    ),
    Source(
        path_end="/margin/accounts",
        rows_of=lambda evidence: expect_list(data_of(evidence).get("accounts"), evidence, where="data.accounts"),
        read=_margin,
        tells=(("margin", "margin"), ("margin", "debt")),
    ),
    Source(
        path_end="/isolated/accounts",
        rows_of=lambda evidence: expect_list(data_of(evidence).get("assets"), evidence, where="data.assets"),
        read=_isolated,
        tells=(("isolated", "margin"), ("isolated", "debt")),
    ),
    Source(
        path_end="/account-overview",
        rows_of=lambda evidence: [data_of(evidence)],
        read=_futures,
        tells=(("futures", "collateral"),),
    ),
    Source(path_end="/earn/hold-assets", rows_of=items_of, read=_earn, tells=(("earn", "earn"), ("earn", "staked"))),
    Source(
        path_end="/sub-accounts",
        rows_of=items_of,
        read=_sub_account,
        tells=(("sub-accounts", "funding"), ("sub-accounts", "spot"), ("sub-accounts", "margin")),
    ),
)
"""One snapshot of each place that is told completely."""
