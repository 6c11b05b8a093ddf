"""What is particular to BitMEX: whole units of every currency, and one wallet whose history is the ledger.

Fills of derivatives move no coins; what they gained, funding and commissions included, is settled as one row a day and contract.
Source: www.bitmex.com/api/explorer: User.getMargin, User.getWalletHistory, Wallet.getAssetsConfig.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from omnifolio.model.amounts import from_units, total
from omnifolio.model.errors import InvalidField
from omnifolio.model.facts import Balance, Claim, Evidence, Kind, Leg, Snapshot, Status
from omnifolio.model.tokens import TokenId
from omnifolio.venues.contract import received_at
from omnifolio.venues.exchanges.answers import Context, Page, Quirks, Seen, decode, distinct, expect_list, read_list
from omnifolio.venues.exchanges.quirks.bitmex_positions import open_positions
from omnifolio.venues.exchanges.telling import told
from omnifolio.venues.exchanges.times import from_iso

WALLET = "main"
MARGIN = "GET private user/margin"
_SCALES_MAX = 30
_DOCUMENTED = {"XBt": ("XBT", 8), "USDt": ("USDT", 6)}
"""Unit → currency and decimals, where the assets' list is not at hand."""
_NOT_SETTLED = "00000000-0000-0000-0000-000000000000"
_HASH = re.compile(r"(0x)?[0-9a-fA-F]{64}")
_KINDS: Mapping[str, Kind] = {
    "Deposit": "deposit",
    "Withdrawal": "withdrawal",
    "Transfer": "transfer",
    "RealisedPNL": "realized_pnl",
    "Funding": "funding_payment",
    "AffiliatePayout": "referral",
    "SpotTrade": "trade",
    "Conversion": "trade",
    "StakingReward": "staking_reward",
}
_PAIRED = ("SpotTrade", "Conversion")
_STATUSES: Mapping[str, Status] = {"Completed": "confirmed", "Canceled": "cancelled"}

Scales = Mapping[str, tuple[str, int]]


def scales_in(evidence: Iterable[Evidence]) -> Scales:
    """Unit → currency and decimals, out of every answer that lists assets."""
    found = dict(_DOCUMENTED)
    for item in evidence:
        rows = decode(item)
        for row in rows if isinstance(rows, list) else ():
            if not isinstance(row, dict) or "scale" not in row:
                continue
            unit, currency, scale = row.get("currency"), row.get("majorCurrency") or row.get("asset"), row["scale"]
            if isinstance(unit, str) and isinstance(currency, str) and type(scale) is int and 0 <= scale <= _SCALES_MAX:
                found[unit] = (currency, scale)
    return found


def _amount(context: Context, scales: Scales, unit: Any, raw: Any, *, where: str) -> tuple[TokenId, Decimal]:
    """A token and its exact amount out of whole units. Raises: InvalidField."""
    if unit not in scales:
        raise InvalidField(f"currency: the scale of {str(unit)[:20]} is not known")
    if type(raw) is not int:
        raise InvalidField(f"{where}: expected whole units, got {str(raw)[:24]!r}")
    currency, scale = scales[unit]
    return context.codes.token(currency), from_units(raw, scale)


def ledger(context: Context, evidence: Sequence[Evidence]) -> Page:
    """A page of the wallet's history, each row a claim."""
    page, scales = evidence[0], scales_in(evidence[1:])
    rows = expect_list(decode(page), page, where="the answer")
    claims: list[Claim] = []

    def take(row: Any) -> None:
        # What positions would gain and what the day has brought so far stand among the rows without an id: they are not settled.
        if row["transactID"] != _NOT_SETTLED:
            claims.append(_row(context, scales, row))

    gaps = read_list(context, rows, take)
    times = [claim.at for claim in claims]
    seen = Seen(rows=distinct(len(rows), claims), oldest=min(times, default=None), newest=max(times, default=None))
    return Page(seen=seen, claims=claims, gaps=gaps)


def _row(context: Context, scales: Scales, row: Mapping[str, Any]) -> Claim:
    """One row. The amount is what the balance changed by; a withdrawal's fee is part of it, and may come without its sign."""
    word, ref = str(row["transactType"]), row["transactID"]
    at = from_iso(row.get("transactTime") or row["timestamp"])
    token, amount = _amount(context, scales, row["currency"], row["amount"], where="amount")
    kind = _KINDS.get(word, "other")
    legs = [Leg(f"{ref}/amount", WALLET, token, amount)]
    if kind == "withdrawal":
        _, fee = _amount(context, scales, row["currency"], row.get("fee") or 0, where="fee")
        legs = [
            Leg(f"{ref}/amount", WALLET, token, total((-abs(amount), abs(fee))), "principal", row.get("address") or None),
            Leg(f"{ref}/fee", WALLET, token, -abs(fee), "fee"),
        ]
    tx, chain = str(row.get("tx") or ""), context.networks.get(str(row.get("network")))
    return told(
        context,
        ref=ref,
        at=at,
        kind=kind,
        legs=legs,
        label=word,
        status=_STATUSES.get(str(row["transactStatus"]), "pending"),
        event=f"{chain}:{tx}" if chain and _HASH.fullmatch(tx) and kind in ("deposit", "withdrawal") else None,
        # Both sides of a trade or conversion name its execution.
        shared=(f"bitmex:{word}/{tx}",) if word in _PAIRED and tx else (),
    )


def balances(context: Context, evidence: Sequence[Evidence]) -> Page:
    """The wallet: what it holds once the day's results so far are settled, without what open positions would gain."""
    scales = scales_in(evidence)
    told_by = [item for item in evidence if not item.request.endswith("/assets")]
    rows = [row for item in told_by for row in _each(decode(item), item)]
    held: dict[TokenId, list[Decimal]] = {}

    def take(row: Any) -> None:
        raw = row["walletBalance"] if row.get("walletBalance") is not None else row["amount"]
        token, amount = _amount(context, scales, row["currency"], raw, where="walletBalance")
        held.setdefault(token, []).append(amount)

    gaps = read_list(context, rows, take)
    sums = ((token, total(amounts)) for token, amounts in sorted(held.items()))
    snapshot = Snapshot(
        wallet=WALLET,
        product="collateral",
        at=received_at(evidence),
        balances=tuple(Balance(token, amount) for token, amount in sums if amount),
        evidence=0,
    )
    return Page(seen=Seen(rows=len(rows)), snapshots=[snapshot] if told_by and not gaps else [], gaps=gaps)


def _each(payload: Any, evidence: Evidence) -> list[Any]:
    """The rows of an answer about all currencies, or the one of an answer about one."""
    if isinstance(payload, dict) and "currency" in payload:
        return [payload]
    return expect_list(payload, evidence, where="the answer")


def following(call: str, last: Evidence | None) -> dict[str, str] | None:
    """The one question of each call: every currency at once."""
    if last is not None:
        return None
    return {"currency": "all"} if call == MARGIN else {}


def standing(context: Context, evidence: Sequence[Evidence]) -> Page:
    """What is open, with the scales of its currencies. Raises: VenueBadResponse."""
    scales = scales_in(evidence)

    def money(context: Context, unit: Any, raw: Any) -> tuple[TokenId, Decimal]:
        return _amount(context, scales, unit, raw, where="unrealisedPnl")

    return open_positions(context, evidence, wallet=WALLET, money=money)


QUIRKS = Quirks(snapshots={"balances": balances, "positions": standing}, joined={"ledger": ledger}, following=following)
