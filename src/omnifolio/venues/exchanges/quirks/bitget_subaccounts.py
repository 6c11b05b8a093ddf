"""Sub-accounts of a Bitget master's key: their spot wallets, their futures accounts and their unified ones, each list by itself.

A futures account is told by its equity, profit that is not realised included: its positions are not told to the master's key, so
nothing else would count it. Source: bitget.com/api-doc, Get Sub-accounts Assets, Get Subaccount Assets (contract), Get SubAccount
Unified Assets, seen 2026-11-28.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from omnifolio.model.amounts import parse_amount, total
from omnifolio.model.facts import Evidence
from omnifolio.venues.exchanges.answers import Context, expect_dict, expect_list
from omnifolio.venues.exchanges.quirks.bitget_balances import FUTURES, code_of, data_of
from omnifolio.venues.exchanges.subaccounts import HeldThere, Purse, balances

SPOT_CALL = "privateSpotGetV2SpotAccountSubaccountAssets"
FUTURES_CALL = "privateMixGetV2MixAccountSubAccountAssets"
UNIFIED_CALL = "privateUtaGetV3AccountSubUnifiedAssets"
PAGE_ROWS = 50

_NEXT: Mapping[str, tuple[str, str]] = {SPOT_CALL: ("idLessThan", "id"), UNIFIED_CALL: ("cursor", "cursor")}
"""Call → the parameter that asks for the next page, and the field of the last row that it takes."""


def asked(call: str, answers: Sequence[Evidence]) -> list[dict[str, str]]:
    """Futures accounts are asked for by their kind of contract."""
    return [{"productType": product} for product in FUTURES] if call == FUTURES_CALL else [{}]


def following(call: str, last: Evidence | None) -> dict[str, str] | None:
    """Sub-accounts come in pages, but for those of futures; everything else is one answer."""
    if call not in _NEXT:
        return {} if last is None else None
    parameter, field = _NEXT[call]
    if last is None:
        return {"limit": str(PAGE_ROWS)}
    rows = expect_list(data_of(last), last, where="data")
    is_last = len(rows) < PAGE_ROWS or not isinstance(rows[-1], dict) or not rows[-1].get(field)
    return None if is_last else {"limit": str(PAGE_ROWS), parameter: str(rows[-1][field])}


def _purses(evidence: Evidence) -> Iterable[Purse]:
    for row in expect_list(data_of(evidence), evidence, where="data"):
        account = expect_dict(row, evidence, where="data")
        if "subUid" in account:
            rows = expect_list(account.get("assets"), evidence, where="assets")
            yield Purse(name=str(account["subUid"]), place="unified", rows=rows, read=_unified, tells=("spot", "debt"))
        elif "assetList" in account:
            place = evidence.params.get("productType", FUTURES[0]).lower()
            rows = expect_list(account["assetList"], evidence, where="assetList")
            yield Purse(name=str(account.get("userId") or ""), place=place, rows=rows, read=_futures, tells=("collateral",))
        else:
            rows = expect_list(account.get("assetsList"), evidence, where="assetsList")
            yield Purse(name=str(account.get("userId") or ""), place="spot", rows=rows, read=_spot, tells=("spot",))


def _spot(context: Context, row: Mapping[str, Any]) -> Iterable[HeldThere]:
    amounts = (parse_amount(row.get(name) or "0", where=name) for name in ("available", "frozen", "locked"))
    parse_amount(row["available"], where="available")
    yield "spot", context.codes.token(code_of(row["coin"])), total(amounts)


def _futures(context: Context, row: Mapping[str, Any]) -> Iterable[HeldThere]:
    yield "collateral", context.codes.token(code_of(row["marginCoin"])), parse_amount(row["accountEquity"], where="accountEquity")


def _unified(context: Context, row: Mapping[str, Any]) -> Iterable[HeldThere]:
    token, owed = context.codes.token(code_of(row["coin"])), parse_amount(row.get("debt") or "0", where="debt")
    yield "spot", token, parse_amount(row["balance"], where="balance")
    yield "debt", token, -abs(owed)


of_subaccounts = balances(_purses)
