"""Bitget's balances: a call for each product of a classic account, two for a unified one, and earn for both.

Which of the two it is shows in the first answer: classic calls are refused for unified accounts. Each call tells a product of its
own, so one that fails leaves that product as it was.
Source: bitget.com/api-doc: spot, funding, mix, crossed and isolated margin accounts, earn account assets; v3 account assets.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from omnifolio.model.amounts import parse_amount, total
from omnifolio.model.errors import InvalidField, VenueBadResponse
from omnifolio.model.facts import Balance, Evidence, Gap, Product, Snapshot
from omnifolio.model.tokens import TokenId
from omnifolio.venues.contract import received_at
from omnifolio.venues.exchanges.answers import Context, Page, Seen, decode, expect_dict, expect_list, read_list
from omnifolio.venues.exchanges.codes import Codes

GOOD = "00000"
SPOT_PATH, POSITIONS_PATH = "/spot/account/assets", "/mix/position/all-position"
FUTURES = ("USDT-FUTURES", "USDC-FUTURES", "COIN-FUTURES")
_UNIFIED_CALLS = frozenset({"privateUtaGetV3AccountAssets", "privateUtaGetV3AccountFundingAssets"})
_CLASSIC_CALLS = frozenset(
    {
        "privateSpotGetV2AccountFundingAssets",
        "privateMarginGetV2MarginCrossedAccountAssets",
        "privateMarginGetV2MarginIsolatedAccountAssets",
    }
)

Key = tuple[str, Product]
Held = dict[TokenId, list[Decimal]]


def data_of(evidence: Evidence) -> Any:
    """The `data` of an answer. Raises: VenueBadResponse when it carries an error or has none."""
    body = expect_dict(decode(evidence), evidence, where="the answer")
    if body.get("code") != GOOD or "data" not in body:
        raise VenueBadResponse(f"{evidence.request}: the venue answered without data")
    return body["data"]


def code_of(raw: Any) -> str:
    """A coin's code: Bitget writes it in both cases. Raises: InvalidField."""
    if not isinstance(raw, str) or not raw.strip():
        raise InvalidField(f"coin: expected text, got {type(raw).__name__}")
    return raw.upper()


def asked(call: str, answers: Sequence[Evidence]) -> list[dict[str, str]]:
    """What a call is asked about: classic calls where the classic spot account answered, unified ones where it did not."""
    is_classic = any(item.request.endswith(SPOT_PATH) for item in answers)
    if call in _UNIFIED_CALLS:
        return [] if is_classic else [{}]
    if call in ("privateMixGetV2MixAccountAccounts", "privateMixGetV2MixPositionAllPosition"):
        return [{"productType": product} for product in FUTURES] if is_classic else []
    return [] if call in _CLASSIC_CALLS and not is_classic else [{}]


def balances(context: Context, evidence: Sequence[Evidence]) -> Page:
    """One snapshot of each product whose answer can be read. Raises: VenueBadResponse when a lone answer cannot."""
    gaps: list[Gap] = []
    snapshots: list[Snapshot] = []
    at = received_at(evidence)
    for item in evidence:
        if item.request.endswith(POSITIONS_PATH):
            continue
        try:
            held, bad = _answer(context, item)
        except VenueBadResponse as error:
            if len(evidence) == 1:
                raise
            gaps.append(Gap(stream=context.stream, code=error.code, text=error.message))
            continue
        gaps += bad
        if not bad:
            snapshots += [
                Snapshot(wallet=wallet, product=kind, at=at, balances=_balances(rows), evidence=0)
                for (wallet, kind), rows in held.items()
            ]
    return Page(seen=Seen(rows=len(snapshots)), snapshots=snapshots, gaps=gaps)


def _answer(context: Context, item: Evidence) -> tuple[dict[Key, Held], list[Gap]]:
    """The products that one answer tells, and the rows of it that could not be read."""
    path, codes, data = item.request, context.codes, data_of(item)
    if path.endswith("/v3/account/assets"):
        rows = expect_list(expect_dict(data, item, where="data").get("assets"), item, where="data.assets")
        held: dict[Key, Held] = {("unified", "spot"): {}, ("unified", "debt"): {}}
        return held, read_list(context, rows, lambda row: _unified(codes, row, held))
    rows = [] if data is None else expect_list(data, item, where="data")
    if "/margin/" in path:
        wallet = "isolated-margin" if "/isolated/" in path else "cross-margin"
        held = {(wallet, "margin"): {}, (wallet, "debt"): {}}
        return held, read_list(context, rows, lambda row: _margin(codes, row, held, wallet))
    if "/mix/" in path:
        wallet = item.params.get("productType", FUTURES[0]).lower()
        held = {(wallet, "collateral"): {}}
        return held, read_list(context, rows, lambda row: _futures(codes, row, held[wallet, "collateral"]))
    if path.endswith("/earn/account/assets"):
        held = {("earn", "earn"): {}}
        return held, read_list(context, rows, lambda row: _add(held["earn", "earn"], codes, row, "amount"))
    if path.endswith("/funding-assets"):
        held = {("funding", "funding"): {}}
        return held, read_list(context, rows, lambda row: _add(held["funding", "funding"], codes, row, "available", "frozen"))
    held = {("spot", "spot"): {}}
    return held, read_list(context, rows, lambda row: _add(held["spot", "spot"], codes, row, "available", "frozen", "locked"))


def _unified(codes: Codes, row: Mapping[str, Any], held: Mapping[Key, Held]) -> None:
    _add(held["unified", "spot"], codes, row, "balance")
    owed = parse_amount(row.get("debt") or "0", where="debt")
    held["unified", "debt"].setdefault(codes.token(code_of(row["coin"])), []).append(-abs(owed))


def _margin(codes: Codes, row: Mapping[str, Any], held: Mapping[Key, Held], wallet: str) -> None:
    _add(held[wallet, "margin"], codes, row, "totalAmount")
    owed = total(parse_amount(row[field], where=field) for field in ("borrow", "interest"))
    held[wallet, "debt"].setdefault(codes.token(code_of(row["coin"])), []).append(-owed)


def _futures(codes: Codes, row: Mapping[str, Any], held: Held) -> None:
    """A margin coin's equity without its unrealised profit."""
    equity = parse_amount(row["accountEquity"], where="accountEquity")
    profit = parse_amount(row.get("unrealizedPL") or "0", where="unrealizedPL")
    held.setdefault(codes.token(code_of(row["marginCoin"])), []).append(total((equity, -profit)))


def _add(held: Held, codes: Codes, row: Mapping[str, Any], *fields: str) -> None:
    """The sum of the fields; an empty text is how Bitget writes nothing."""
    amount = total(parse_amount("0" if row[field] == "" else row[field], where=field) for field in fields)
    held.setdefault(codes.token(code_of(row["coin"])), []).append(amount)


def _balances(rows: Mapping[TokenId, list[Decimal]]) -> tuple[Balance, ...]:
    sums = ((token, total(amounts)) for token, amounts in sorted(rows.items()))
    return tuple(Balance(token, amount) for token, amount in sums if amount)
