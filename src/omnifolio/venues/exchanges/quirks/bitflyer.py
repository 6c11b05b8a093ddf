"""What is particular to bitFlyer: fills per product, lists that go back by id, and margin of its CFD as an account of its own.

The fee of a spot fill is taken in its base, whichever side it was on. Collateral moves from and to the spot balance; what its
history calls clearing is profit or loss. Times are UTC.
Source: lightning.bitflyer.com/docs, HTTP Private API.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from omnifolio.model.amounts import parse_amount, product, total
from omnifolio.model.errors import InvalidField
from omnifolio.model.facts import Claim, Evidence, Kind, Leg, Status
from omnifolio.venues.contract import Known
from omnifolio.venues.exchanges.answers import Context, Quirks, Scopes, decode, expect_list, read_list
from omnifolio.venues.exchanges.rights import Rights
from omnifolio.venues.exchanges.telling import Held, Source, fill, history, rows_at, snapshots, told
from omnifolio.venues.exchanges.times import from_iso

PAGE_ROWS = 100
TRADES = "trades"
SPOT, CFD = "spot", "cfd"

_STATUSES: Mapping[str, Status] = {"COMPLETED": "confirmed", "CANCELED": "cancelled"}
"""All others are on their way."""
_NAMED_READS = frozenset(
    ("getbalance", "getexecutions", "getcoinins", "getcoinouts", "getdeposits", "getwithdrawals", "getcollateralhistory")
)
"""Rights that the row names; every other one that begins with `get` reads as well."""


def _spot(context: Context, row: Mapping[str, Any]) -> Iterable[Held]:
    yield SPOT, "spot", context.codes.token(row["currency_code"]), parse_amount(row["amount"])


def _collateral(context: Context, row: Mapping[str, Any]) -> Iterable[Held]:
    yield CFD, "collateral", context.codes.token(row["currency_code"]), parse_amount(row["amount"])


def _execution(context: Context, row: Mapping[str, Any]) -> Claim:
    base, separator, quote = context.scope.partition("_")
    if not separator:
        raise InvalidField("product_code: expected base and quote")
    size, price = (parse_amount(row[name], where=name) for name in ("size", "price"))
    token = context.codes.token(base)
    legs = fill(
        row["side"],
        base=token,
        quote=context.codes.token(quote),
        amount=size,
        cost=product(size, price),
        fee=parse_amount(row["commission"], where="commission"),
        fee_token=token,
        wallet=SPOT,
    )
    ref = f"{context.scope}/{row['id']}"
    return told(context, ref=ref, at=from_iso(row["exec_date"]), kind="trade", legs=legs, label=row["side"])


def _transfer(context: Context, row: Mapping[str, Any]) -> Claim:
    """Coins or money in or out. The fees of coins that leave are beside the amount; those of money are not told."""
    is_in = context.kind in ("coin-ins", "deposits")
    token, amount = context.codes.token(row["currency_code"]), parse_amount(row["amount"])
    fee = total(parse_amount(row.get(name) or 0, where=name) for name in ("fee", "additional_fee"))
    peer = row.get("address") or None if not is_in else None
    legs = (
        Leg("amount", SPOT, token, amount if is_in else -amount, "principal", peer),
        Leg("fee", SPOT, token, -fee, "fee"),
    )
    chain, hash_ = context.networks.get(str(row["currency_code"])), row.get("tx_hash")
    return told(
        context,
        ref=row["id"],
        name=row.get("order_id"),
        at=from_iso(row["event_date"]),
        kind="deposit" if is_in else "withdrawal",
        legs=legs,
        label=row["status"],
        status=_STATUSES.get(row["status"], "pending"),
        event=f"{chain}:{hash_}" if chain and hash_ else None,
    )


def _margin(context: Context, row: Mapping[str, Any]) -> Claim:
    """A change of the collateral; posted and cancelled collateral has its other side in the spot balance."""
    token, change, reason = (
        context.codes.token(row["currency_code"]),
        parse_amount(row["change"], where="change"),
        row["reason_code"],
    )
    kind: Kind = "realized_pnl" if reason == "CLEARING_COLL" else "other"
    legs = [Leg("collateral", CFD, token, change)]
    if reason in ("POST_COLL", "CANCEL_COLL"):
        kind = "transfer"
        legs.append(Leg("spot", SPOT, token, -change))
    return told(context, ref=row["id"], at=from_iso(row["date"]), kind=kind, legs=legs, label=reason)


def _backwards(evidence: Evidence) -> Mapping[str, Any]:
    """The oldest id of a full page, before which the following one ends."""
    rows = expect_list(decode(evidence), evidence, where="the answer")
    ids = [row["id"] for row in rows if isinstance(row, dict) and isinstance(row.get("id"), int)]
    return {"next": str(min(ids)) if ids and len(rows) >= PAGE_ROWS else ""}


def scopes(context: Context, known: Known, token: str, answers: Sequence[Evidence]) -> Scopes:
    """Every spot product that has no fills yet; those that stay without are asked again next time."""
    found: list[str] = []

    def read(row: Mapping[str, Any]) -> None:
        stream = f"{TRADES}/{context.codes.canonical(row['product_code'])}"
        if row["market_type"] == "Spot" and stream not in known.cursors:
            found.append(stream)

    gaps = read_list(context, [row for item in answers for row in rows_at()(item)], read)
    return Scopes(streams=tuple(found), token="", keeps_empty=False, gaps=gaps)  # a cursor, no secret


def rights(evidence: Evidence) -> Rights:
    """What the key may do, from the paths that it may call."""
    paths = expect_list(decode(evidence), evidence, where="the answer")
    names = [str(path).rpartition("/")[2] for path in paths]
    return Rights(
        granted=tuple(dict.fromkeys("get" if name.startswith("get") and name not in _NAMED_READS else name for name in names))
    )


_TRANSFERS = history(rows_at(), _transfer, _backwards)

QUIRKS = Quirks(
    parsers={
        TRADES: history(rows_at(), _execution, _backwards),
        "coin-ins": _TRANSFERS,
        "coin-outs": _TRANSFERS,
        "deposits": _TRANSFERS,
        "withdrawals": _TRANSFERS,
        "margin": history(rows_at(), _margin, _backwards),
    },
    snapshots={
        "balances": snapshots(
            Source(path_end="/getbalance", rows_of=rows_at(), read=_spot, tells=((SPOT, "spot"),)),
            Source(path_end="/getcollateralaccounts", rows_of=rows_at(), read=_collateral, tells=((CFD, "collateral"),)),
        )
    },
    rights=rights,
    scopes=scopes,
)
