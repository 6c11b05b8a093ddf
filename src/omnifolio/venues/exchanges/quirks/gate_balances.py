"""Gate's balances: classic accounts have a wallet for each product, unified ones a single pool that `spot/accounts` shows too.

So the mode is asked first, and what it makes meaningless is not asked at all. Each call tells products of its own; one that fails
leaves them as they were.
Source: gate.com/docs/developers/apiv4: unified mode, spot, unified, margin, futures, delivery and options accounts, uni lends,
fixed-term lends; staking assets as two public clients read them.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from omnifolio.model.amounts import parse_amount, total
from omnifolio.model.errors import InvalidField, VenueBadResponse
from omnifolio.model.facts import Balance, Evidence, Gap, Product, Snapshot
from omnifolio.model.tokens import TokenId
from omnifolio.venues.contract import received_at
from omnifolio.venues.exchanges.answers import Context, Page, Seen, decode, expect_dict, expect_list, read_list, read_rows
from omnifolio.venues.exchanges.codes import Codes

PAGE_ROWS = 100
CLASSIC_CALLS = frozenset({"privateSpotGetAccounts", "privateDeliveryGetSettleAccounts", "privateOptionsGetAccounts"})
SETTLED = "privateFuturesGetSettleAccounts"
SETTLEMENTS = ("usdt", "btc")
PAGED = frozenset({"privateEarnGetUniLends", "privateEarnGetFixedTermUserLend"})

Key = tuple[str, Product]
Held = dict[TokenId, list[Decimal]]


def rows_of(evidence: Evidence) -> list[Any]:
    """The rows of an answer, which is a list. Raises: VenueBadResponse, also for an error, which is an object."""
    return expect_list(decode(evidence), evidence, where="the answer")


def wallet_of_settle(settle: str) -> str:
    """The futures wallet of a settlement currency."""
    return f"futures-{settle}"


def asked(call: str, answers: Sequence[Evidence]) -> list[dict[str, str]]:
    """What a call is asked about: settlement currencies, and nothing where the account's mode leaves the call no meaning."""
    is_classic = mode_of(answers) == "classic"
    if call == "privateUnifiedGetAccounts":
        return [] if is_classic else [{}]
    if call == SETTLED:
        return [{"settle": settle} for settle in SETTLEMENTS] if is_classic else []
    if call == "privateDeliveryGetSettleAccounts":
        return [{"settle": "usdt"}] if is_classic else []
    return [] if call in CLASSIC_CALLS and not is_classic else [{}]


def mode_of(answers: Sequence[Evidence]) -> str:
    """The account's mode, which is the first thing asked; without an answer it is taken for a classic one."""
    for item in answers:
        if item.request.endswith("/unified/unified_mode"):
            return str(expect_dict(decode(item), item, where="the answer").get("mode") or "classic")
    return "classic"


def following(call: str, last: Evidence | None) -> dict[str, str] | None:
    """The next page of lends."""
    if call not in PAGED:
        return {} if last is None else None
    asked_for = {"order_type": "1"} if call == "privateEarnGetFixedTermUserLend" else {}
    page = {"limit": str(PAGE_ROWS), **asked_for}
    if last is None:
        return {"page": "1", **page}
    return {"page": str(int(last.params["page"]) + 1), **page} if len(_lends(last)) >= PAGE_ROWS else None


def _lends(evidence: Evidence) -> list[Any]:
    """Flexible lends are a list, fixed ones have an envelope."""
    body = decode(evidence)
    if isinstance(body, dict):
        inner = expect_dict(body.get("data"), evidence, where="data")
        return expect_list(inner.get("list") or [], evidence, where="data.list")
    return expect_list(body, evidence, where="the answer")


def balances(context: Context, evidence: Sequence[Evidence]) -> Page:
    """One snapshot of each product that is told completely. Raises: VenueBadResponse when a lone answer cannot be read."""
    gaps: list[Gap] = []
    held: dict[Key, Held] = {}
    spoilt: set[str] = set()
    for item in evidence:
        if item.request.endswith("/unified/unified_mode"):
            continue
        part: dict[Key, Held] = {}
        try:
            bad = _answer(context, item, part)
        except VenueBadResponse as error:
            if len(evidence) == 1:
                raise
            bad = [Gap(stream=context.stream, code=error.code, text=error.message)]
            part = {key: {} for key in _keys_of(item)}
        gaps += bad
        for (wallet, kind), rows in part.items():
            spoilt |= {wallet} if bad else set()
            mine = held.setdefault((wallet, kind), {})
            for token, amounts in rows.items():
                mine.setdefault(token, []).extend(amounts)
    if any(key == ("earn", "earn") for key in held) and not _has_all(evidence, "/earn/uni/lends", "/earn/fixed-term/user/lend"):
        # Flexible and fixed lends are one product: one of them alone would empty the other.
        spoilt |= {"earn"} if len(evidence) > 1 else set()
    at = received_at(evidence)
    snapshots = [
        Snapshot(wallet=wallet, product=kind, at=at, balances=_balances(rows), evidence=0)
        for (wallet, kind), rows in held.items()
        if wallet not in spoilt
    ]
    return Page(seen=Seen(rows=len(snapshots)), snapshots=snapshots, gaps=gaps)


def _has_all(evidence: Sequence[Evidence], *paths: str) -> bool:
    return all(any(item.request.endswith(path) for item in evidence) for path in paths)


def _keys_of(item: Evidence) -> tuple[Key, ...]:
    """The products that an answer tells."""
    path = item.request
    if path.endswith(("/spot/accounts", "/unified/accounts")):
        return (("spot", "spot"), ("spot", "debt"))
    if path.endswith("/margin/accounts"):
        return (("margin", "margin"), ("margin", "debt"))
    if path.endswith("/earn/staking/assets"):
        return (("staking", "staked"),)
    if "/earn/" in path:
        return (("earn", "earn"),)
    for family in ("futures", "delivery"):
        if f"/{family}/" in path:
            settle = item.params.get("settle") or path.partition(f"/{family}/")[2].partition("/")[0]
            return ((f"{family}-{settle}", "collateral"),)
    return (("options", "collateral"),)


def _answer(context: Context, item: Evidence, part: dict[Key, Held]) -> list[Gap]:
    """Reads one answer into the products that it tells."""
    part |= {key: {} for key in _keys_of(item)}
    codes, path = context.codes, item.request
    if path.endswith("/unified/accounts"):
        rows = expect_dict(decode(item), item, where="the answer").get("balances")
        named = expect_dict(rows, item, where="balances")
        return read_rows(context, named.items(), lambda code, row: _unified(codes, code, row, part))
    if path.endswith("/spot/accounts"):
        part.pop(("spot", "debt"))
        return read_list(context, rows_of(item), lambda row: _add(part, ("spot", "spot"), codes, row, "available", "locked"))
    if path.endswith("/margin/accounts"):
        return read_list(context, rows_of(item), lambda row: _margin(codes, row, part))
    if path.endswith("/earn/staking/assets"):
        rows = rows_of(item)
        return read_list(
            context, rows, lambda row: _add(part, ("staking", "staked"), codes, row, "mortgage_amount", code="mortgage_coin")
        )
    if path.endswith("/earn/uni/lends"):
        return read_list(context, _lends(item), lambda row: _add(part, ("earn", "earn"), codes, row, "amount"))
    if path.endswith("/earn/fixed-term/user/lend"):
        return read_list(context, _lends(item), lambda row: _add(part, ("earn", "earn"), codes, row, "principal", code="asset"))
    ((wallet, kind),) = _keys_of(item)
    account = expect_dict(decode(item), item, where="the answer")
    return read_list(context, [account], lambda row: _contracts(codes, row, part[wallet, kind]))


def _contracts(codes: Codes, row: Mapping[str, Any], held: Held) -> None:
    """The balance of a contract account, without what is not realised yet, and its points."""
    held.setdefault(codes.token(row["currency"]), []).append(parse_amount(row["total"], where="total"))
    points = parse_amount(row.get("point") or "0", where="point")
    if points:
        held.setdefault(codes.token("POINT"), []).append(points)


def _margin(codes: Codes, row: Mapping[str, Any], part: Mapping[Key, Held]) -> None:
    for side in ("base", "quote"):
        money = row[side]
        if not isinstance(money, dict):
            raise InvalidField(f"{side}: expected an object")
        _add(part, ("margin", "margin"), codes, money, "available", "locked")
        owed = total(parse_amount(money[field], where=field) for field in ("borrowed", "interest"))
        part["margin", "debt"].setdefault(codes.token(money["currency"]), []).append(-owed)


def _unified(codes: Codes, code: str, row: Mapping[str, Any], part: Mapping[Key, Held]) -> None:
    """A currency of the pool: what is there, borrowed amounts included, and what is owed for it.

    An overdraft is told as such only where it is not already what makes the amount negative.
    """
    token = codes.token(code)
    held = total(parse_amount(row[field], where=field) for field in ("available", "freeze"))
    owed = [parse_amount(row["borrowed"], where="borrowed")]
    if held >= 0:
        owed.append(parse_amount(row.get("negative_liab") or "0", where="negative_liab"))
    part["spot", "spot"].setdefault(token, []).append(held)
    part["spot", "debt"].setdefault(token, []).append(-total(owed))


def _add(part: Mapping[Key, Held], key: Key, codes: Codes, row: Mapping[str, Any], *fields: str, code: str = "currency") -> None:
    amount = total(parse_amount(row[field], where=field) for field in fields)
    part[key].setdefault(codes.token(row[code]), []).append(amount)


def _balances(rows: Mapping[TokenId, list[Decimal]]) -> tuple[Balance, ...]:
    sums = ((token, total(amounts)) for token, amounts in sorted(rows.items()))
    return tuple(Balance(token, amount) for token, amount in sums if amount)
