"""What is particular to Kraken: its ledger tells everything, asset codes carry products, and every call is a POST.

The ledger is complete (trades, instant buys, earn, transfers, deposits, withdrawals, fees), so its rows give the legs;
TradesHistory, DepositStatus and WithdrawStatus annotate the same events, which share the ledger's `refid`.
Source: docs.kraken.com, Spot REST: Ledgers, TradesHistory, DepositStatus, WithdrawStatus, BalanceEx, Earn/Allocations,
GetApiKeyInfo.
"""

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from omnifolio.model.amounts import parse_amount, total
from omnifolio.model.clock import EpochMs
from omnifolio.model.errors import InvalidField, VenueBadResponse
from omnifolio.model.facts import Balance, Claim, Evidence, Kind, Leg, Order, Product, Snapshot, Status
from omnifolio.model.tokens import TokenId
from omnifolio.venues.contract import received_at
from omnifolio.venues.exchanges.answers import Context, Page, Quirks, Seen, decode, expect_dict, expect_list, read_list, read_rows
from omnifolio.venues.exchanges.codes import Codes
from omnifolio.venues.exchanges.rights import Rights
from omnifolio.venues.exchanges.times import from_seconds

LEDGER = "ledger"
TRADES = "trades"
LEDGER_RANK, DETAIL_RANK = 0, 1

_TAGGED = re.compile(r"(?P<base>[A-Za-z0-9]+?)(?:\d{2})?\.(?P<tag>S|P|B|M|F|T|HOLD)")
"""Bonded codes may carry the days of their bond before the tag: DOT28.S, ATOM21.S."""
_PRODUCTS: Mapping[str, Product] = {
    "S": "staked",
    "P": "staked",
    "B": "earn",
    "M": "earn",
    "F": "earn",
    "T": "spot",
    "HOLD": "spot",
}
_STAKED_WITHOUT_TAG = {"ETH2": "XETH"}
_WALLETS: Mapping[Product, str] = {"spot": "spot", "staked": "earn", "earn": "earn"}

_KINDS: Mapping[str, Kind] = {
    "trade": "trade",
    "spend": "trade",
    "receive": "trade",
    "sale": "trade",
    "conversion": "trade",
    "settled": "trade",
    "deposit": "deposit",
    "withdrawal": "withdrawal",
    "transfer": "transfer",
    "custodytransfer": "transfer",
    "staking": "staking_reward",
    "reward": "reward",
    "dividend": "airdrop",
    "invite bonus": "referral",
    "nftrebate": "rebate",
    "rollover": "fee",
}
_KINDS_BY_SUBTYPE: Mapping[str, Kind] = {
    "spottostaking": "staking",
    "stakingfromspot": "staking",
    "stakingtospot": "unstaking",
    "spotfromstaking": "unstaking",
    "allocation": "staking",
    "autoallocation": "staking",
    "migration": "staking",
    "deallocation": "unstaking",
    "autodeallocation": "unstaking",
    "airdrop": "airdrop",
}
_STATUSES: Mapping[str, Status] = {
    "success": "confirmed",
    "settled": "confirmed",
    "initial": "pending",
    "pending": "pending",
    "on hold": "pending",
    "failure": "failed",
    "failed": "failed",
    "canceled": "cancelled",
    "cancelled": "cancelled",
}


_ORDER_STATUSES = {"closed": "filled", "canceled": "cancelled"}


def unwrap(evidence: Evidence) -> Any:
    """The `result` of an answer. Raises: VenueBadResponse when it carries an error or no result."""
    body = expect_dict(decode(evidence), evidence, where="the answer")
    if body.get("error"):
        raise VenueBadResponse(f"{evidence.request}: the venue answered with an error")
    if "result" not in body:
        raise VenueBadResponse(f"{evidence.request}: the answer has no result")
    return body["result"]


def split_code(codes: Codes, code: Any) -> tuple[TokenId, Product]:
    """Token and product of a raw asset code: `DOT28.S` is DOT staked, `XXBT.M` is XXBT in earn. Raises: InvalidField.

    A code with a tag that is not documented is a token of its own, so that nothing is added to the wrong one.
    """
    if code in _STAKED_WITHOUT_TAG:
        return codes.token(_STAKED_WITHOUT_TAG[code]), "staked"
    match = _TAGGED.fullmatch(code) if isinstance(code, str) else None
    if match is None:
        return codes.token(code), "spot"
    plain, tag = code.partition(".")[0], match["tag"]
    base = match["base"] if tag == "S" and not codes.is_known(plain) else plain
    return codes.token(_STAKED_WITHOUT_TAG.get(base, base)), _PRODUCTS[tag]


def ledger(context: Context, evidence: Evidence) -> Page:
    """A page of Ledgers: each row is one claim, rows of one event share the refid."""
    result = expect_dict(unwrap(evidence), evidence, where="result")
    rows = expect_dict(result.get("ledger"), evidence, where="result.ledger")
    claims: list[Claim] = []
    gaps = read_rows(context, rows.items(), lambda name, row: claims.append(ledger_row(context.codes, name, row)))
    return Page(seen=_seen(rows, claims, result.get("count")), claims=claims, gaps=gaps)


def ledger_row(codes: Codes, ledger_id: str, row: Mapping[str, Any], *, at: EpochMs | None = None) -> Claim:
    """The claim of one ledger row, as Ledgers and the export `ledgers.csv` both have it; `at` where it is no epoch time.

    Raises: KeyError, InvalidField, InvalidAmount.
    """
    token, product = split_code(codes, row["asset"])
    amount, fee = parse_amount(row["amount"]), parse_amount(row["fee"], where="fee")
    kind = ledger_kind(row["type"], row.get("subtype") or "", product)
    wallet = _WALLETS[product]
    if product == "spot" and row["type"] == "earn":
        wallet = _wallet_of_earn_row(kind, amount)
    legs = []
    if amount:
        legs.append(Leg(ledger_id, wallet, token, amount))
    if fee:
        legs.append(Leg(f"{ledger_id}:fee", wallet, token, -fee, "fee"))
    subtype = row.get("subtype") or ""
    refid = row["refid"]
    if not isinstance(refid, str) or not refid:
        raise InvalidField("refid: expected text")
    return Claim(
        evidence=0,
        book=LEDGER,
        rank=LEDGER_RANK,
        ref=ledger_id,
        refs=(f"kraken:{refid}", f"ledger:{ledger_id}"),
        name=refid,
        at=from_seconds(row["time"]) if at is None else at,
        kind=kind,
        label=f"{row['type']}/{subtype}" if subtype else row["type"],
        legs=tuple(legs),
    )


def ledger_kind(row_type: str, subtype: str, product: Product) -> Kind:
    """What a ledger row's words mean."""
    if row_type == "earn" and subtype not in _KINDS_BY_SUBTYPE:
        return "interest" if product == "earn" else "staking_reward"
    return _KINDS_BY_SUBTYPE.get(subtype) or _KINDS.get(row_type, "other")


def _wallet_of_earn_row(kind: Kind, amount: Decimal) -> str:
    """Earn rows may name the plain code on both sides of a move: what goes in comes from spot, what comes out goes there."""
    if kind == "staking":
        return "spot" if amount < 0 else "earn"
    if kind == "unstaking":
        return "earn" if amount < 0 else "spot"
    return "earn"


def trades(context: Context, evidence: Evidence) -> Page:
    """A page of TradesHistory: fills that the ledger tells too; they add the order's and the pair's names."""
    result = expect_dict(unwrap(evidence), evidence, where="result")
    rows = expect_dict(result.get("trades"), evidence, where="result.trades")
    claims: list[Claim] = []
    gaps = read_rows(context, rows.items(), lambda name, row: claims.append(trade_row(context.codes, name, row)))
    return Page(seen=_seen(rows, claims, result.get("count")), claims=claims, gaps=gaps)


def trade_row(codes: Codes, trade_id: str, row: Mapping[str, Any], *, at: EpochMs | None = None) -> Claim:
    """The claim of one fill, as TradesHistory and `trades.csv` have it; `at` where it is no epoch time.

    Raises: KeyError, InvalidField, InvalidAmount.
    """
    base, quote = split_pair(codes, row["pair"])
    volume, cost, fee = (parse_amount(row[name], where=name) for name in ("vol", "cost", "fee"))
    if row["type"] not in ("buy", "sell"):
        raise InvalidField("type: expected buy or sell")
    sign = 1 if row["type"] == "buy" else -1
    legs = [Leg("base", "spot", base, sign * volume), Leg("quote", "spot", quote, -sign * cost)]
    if fee:
        legs.append(Leg("fee", "spot", quote, -fee, "fee"))
    return Claim(
        evidence=0,
        book=TRADES,
        rank=DETAIL_RANK,
        ref=trade_id,
        refs=(f"kraken:{trade_id}",),
        name=trade_id,
        at=from_seconds(row["time"]) if at is None else at,
        kind="trade",
        label=f"{row['type']} {row.get('ordertype') or ''}".strip(),
        legs=tuple(leg for leg in legs if leg.amount),
    )


def split_pair(codes: Codes, pair: Any) -> tuple[TokenId, TokenId]:
    """Base and quote of a pair such as XXBTZUSD, XBTUSDC or XBT/USD. Raises: InvalidField."""
    if not isinstance(pair, str) or len(pair) < 4:
        raise InvalidField("pair: expected text")
    base, separator, quote = pair.partition("/")
    if separator:
        return codes.token(base), codes.token(quote)
    for length in (4, 3, 5):
        base, quote = pair[:-length], pair[-length:]
        if codes.is_known(quote) and base:
            if length == 3 and pair[-4] in "XZ" and codes.is_known(pair[-4:]) and codes.is_known(pair[:-4]):
                base, quote = pair[:-4], pair[-4:]
            return codes.token(base), codes.token(quote)
    raise InvalidField("pair: its quote asset is not known")


def orders(context: Context, evidence: Evidence) -> Page:
    """A page of ClosedOrders, or OpenOrders whole."""
    result = expect_dict(unwrap(evidence), evidence, where="result")
    rows = expect_dict(result.get(context.scope), evidence, where=f"result.{context.scope}")
    found: list[Order] = []
    gaps = read_rows(context, rows.items(), lambda name, row: found.append(_order(context.codes, name, row)))
    count = result.get("count")
    return Page(seen=Seen(rows=len(rows), total=count if isinstance(count, int) else None), orders=found, gaps=gaps)


def _order(codes: Codes, order_id: str, row: Mapping[str, Any]) -> Order:
    about = row["descr"]
    base, quote = split_pair(codes, about["pair"])
    limit = parse_amount(about["price"], where="price") if about["ordertype"] != "market" else None
    opened = from_seconds(row["opentm"])
    return Order(
        ref=order_id,
        wallet="spot",
        base=base,
        quote=quote,
        side="buy" if about["type"] == "buy" else "sell",
        type=str(about["ordertype"]).upper(),
        status=_ORDER_STATUSES.get(row["status"], str(row["status"])),
        quantity=parse_amount(row["vol"], where="vol"),
        price=limit or None,
        filled_quantity=parse_amount(row["vol_exec"], where="vol_exec"),
        filled_price=parse_amount(row["cost"], where="cost"),
        created_at=opened,
        updated_at=from_seconds(row["closetm"]) if row.get("closetm") else opened,
        evidence=0,
    )


def transfers(context: Context, evidence: Evidence) -> Page:
    """A page of DepositStatus or WithdrawStatus: state, chain hash and address of what the ledger books by the same refid."""
    result = unwrap(evidence)
    token = ""
    if isinstance(result, dict):
        token = result.get("next_cursor") or ""
        result = result.get("deposits", result.get("withdrawals", result.get("withdrawal", result.get("deposit"))))
    rows = expect_list(result, evidence, where="result")
    claims: list[Claim] = []
    gaps = read_list(context, rows, lambda row: claims.append(_transfer_row(context, row)))
    times = [claim.at for claim in claims]
    seen = Seen(rows=len(rows), oldest=min(times, default=None), newest=max(times, default=None), next=str(token))
    return Page(seen=seen, claims=claims, gaps=gaps)


def _transfer_row(context: Context, row: Mapping[str, Any]) -> Claim:
    token, _ = split_code(context.codes, row["asset"])
    amount, fee = parse_amount(row["amount"]), parse_amount(row.get("fee") or "0", where="fee")
    status: Status = _STATUSES.get(str(row["status"]).lower(), "pending")
    sign = 1 if context.kind == "deposits" else -1
    chain = context.networks.get(str(row.get("network") or row.get("method") or ""))
    txid = row.get("txid")
    # The address of a deposit is the account's own at the venue; only a withdrawal's names the other side.
    counterparty = row.get("info") or None if context.kind == "withdrawals" else None
    legs = [Leg("amount", "spot", token, sign * amount, "principal", counterparty)]
    if fee:
        legs.append(Leg("fee", "spot", token, -fee, "fee"))
    return Claim(
        evidence=0,
        book=context.kind,
        rank=DETAIL_RANK,
        ref=row["refid"],
        refs=(f"kraken:{row['refid']}",),
        name=row["refid"],
        at=from_seconds(row["time"]),
        kind="deposit" if context.kind == "deposits" else "withdrawal",
        label=str(row.get("method") or ""),
        status=status,
        event=f"{chain}:{txid}" if chain and txid else None,
        legs=tuple(leg for leg in legs if leg.amount) if status in ("confirmed", "pending") else (),
    )


def balances(context: Context, evidence: Sequence[Evidence]) -> Page:
    """All balances out of BalanceEx: one snapshot each for spot, staked and earn. A code's hold is part of its balance."""
    answers = expect_dict(unwrap(evidence[0]), evidence[0], where="result")
    found: dict[Product, dict[TokenId, list[Decimal]]] = {"spot": {}, "staked": {}, "earn": {}}

    def read(name: str, row: Any) -> None:
        token, product = split_code(context.codes, name)
        # `Balance` states the bare amount where `BalanceEx` states it with its hold.
        amount = row["balance"] if isinstance(row, dict) else row
        found[product].setdefault(token, []).append(parse_amount(amount, where="balance"))

    gaps = read_rows(context, answers.items(), read)
    at = received_at(evidence)
    snapshots = [] if gaps else [_snapshot(product, rows, at) for product, rows in found.items()]
    return Page(seen=Seen(rows=len(answers)), snapshots=snapshots, gaps=gaps)


def _snapshot(product: Product, rows: Mapping[TokenId, list[Decimal]], at: EpochMs) -> Snapshot:
    sums = ((token, total(amounts)) for token, amounts in sorted(rows.items()))
    held = tuple(Balance(token, amount) for token, amount in sums if amount)
    return Snapshot(wallet=_WALLETS[product], product=product, at=at, balances=held, evidence=0)


def _seen(rows: Mapping[str, Any], claims: list[Claim], count: Any) -> Seen:
    times = [claim.at for claim in claims]
    known = count if isinstance(count, int) and not isinstance(count, bool) else None
    return Seen(rows=len(rows), oldest=min(times, default=None), newest=max(times, default=None), total=known)


def rights(evidence: Evidence) -> Rights:
    """What the key may do, from GetApiKeyInfo."""
    info = expect_dict(unwrap(evidence), evidence, where="result")
    flags = expect_list(info.get("permissions"), evidence, where="result.permissions")
    expires = info.get("validUntil")
    allowed = info.get("ipAllowlist")
    return Rights(
        granted=tuple(str(flag) for flag in flags),
        ip_restricted=bool(allowed) if isinstance(allowed, list) else None,
        expires_at=from_seconds(expires) if expires not in (None, "", "0", 0) else None,
    )


def forms(payload: Any) -> list[Any]:
    """A recorded payload as the answer that it was, and inside the envelope that a recording may have lost."""
    return [payload, {"error": [], "result": payload}]


QUIRKS = Quirks(
    parsers={"ledger": ledger, "trades": trades, "deposits": transfers, "withdrawals": transfers, "orders": orders},
    snapshots={"balances": balances},
    rights=rights,
    forms=forms,
)
