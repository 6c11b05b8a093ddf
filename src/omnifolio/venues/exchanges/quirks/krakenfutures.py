"""What is particular to Kraken Futures: a log in which every change of a balance is a row, and wallets of three sorts.

The log numbers its rows and states each balance before and after, so that rows add up to the balance; rows of a contract tell how
many of it are held and move no money. A wallet of one collateral lists its contracts among its balances.
Source: docs.kraken.com/exchange (futures: Get wallets, Get account log), in excerpts and samples, 2026-11-28.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from omnifolio.model.amounts import parse_amount, total
from omnifolio.model.errors import InvalidField
from omnifolio.model.facts import Claim, Evidence, Kind, Leg
from omnifolio.model.tokens import TokenId
from omnifolio.venues.exchanges.answers import Context, Page, Quirks, Seen, decode, distinct, expect_dict, expect_list, read_list
from omnifolio.venues.exchanges.positions import together
from omnifolio.venues.exchanges.quirks.krakenfutures_positions import CASH, FLEX, SINGLE, asked, good, open_positions
from omnifolio.venues.exchanges.telling import Held, Source, snapshots, told
from omnifolio.venues.exchanges.times import from_iso

LEDGER = "ledger"

_KINDS: tuple[tuple[str, Kind], ...] = (
    ("liquidat", "liquidation"),
    ("funding", "funding_payment"),
    ("interest", "interest"),
    ("conver", "trade"),
    ("trade", "realized_pnl"),
    ("assign", "realized_pnl"),
    ("unwind", "realized_pnl"),
    ("settle", "realized_pnl"),
)
"""Words of a row's `info` → what it tells; the first that fits counts."""


def _token(context: Context, code: Any) -> TokenId:
    """The venue writes codes in either case. Raises: InvalidField."""
    return context.codes.token(code.upper() if isinstance(code, str) else code)


def _accounts(evidence: Evidence) -> list[Any]:
    """The wallets as rows of their own: each with its name."""
    accounts = expect_dict(good(evidence).get("accounts"), evidence, where="accounts")
    return [{"name": name, "account": account} for name, account in accounts.items()]


def _held(context: Context, row: Mapping[str, Any]) -> Iterable[Held]:
    """What a wallet holds of currencies. Raises: InvalidField for a wallet of an unknown sort."""
    account, sort = row["account"], row["account"]["type"]
    if sort == "multiCollateralMarginAccount":
        for code, held in account["currencies"].items():
            amount = parse_amount(held["quantity"], where="quantity")
            yield FLEX, "debt" if amount < 0 else "collateral", _token(context, code), amount
        return
    if sort not in ("cashAccount", "marginAccount"):
        raise InvalidField(f"type: {str(sort)[:40]!r} is no known sort of wallet")
    for code, held in account["balances"].items():
        if is_contract(code):
            continue
        amount = parse_amount(held, where=code)
        if sort == "cashAccount":
            yield CASH, "spot", _token(context, code), amount
        else:
            yield SINGLE, "debt" if amount < 0 else "collateral", _token(context, code), amount


def is_contract(code: str) -> bool:
    """Whether a name is a contract's: its sort, an underscore, its pair."""
    return "_" in code


def _entry(context: Context, row: Mapping[str, Any]) -> Claim | None:
    """A change of a currency's balance; None where the row counts contracts, or nothing moved."""
    code, info = str(row["asset"]), str(row["info"])
    if is_contract(code):
        return None
    before, after = (parse_amount(row[name], where=name) for name in ("old_balance", "new_balance"))
    moved, token = total((after, -before)), _token(context, code)
    fee = parse_amount(row.get("fee") or "0", where="fee") if "trade" in info else Decimal(0)
    legs = [
        leg
        for leg in (
            Leg(f"{row['id']}", _wallet(row), token, total((moved, fee))),
            Leg(f"{row['id']}:fee", _wallet(row), token, -fee, "fee"),
        )
        if leg.amount
    ]
    booking = row.get("booking_uid")
    return told(
        context,
        ref=row["id"],
        name=row.get("execution") or booking or row["id"],
        at=from_iso(row["date"]),
        kind=_kind(info, moved, is_fee_alone=all(leg.role == "fee" for leg in legs)),
        legs=legs,
        label=" ".join(filter(None, (info, row.get("contract")))),
        shared=(f"{context.codes.venue}:booking/{booking}",) if booking else (),
    )


def _wallet(row: Mapping[str, Any]) -> str:
    """The wallet that a row names. Raises: InvalidField where it names none."""
    name = row["margin_account"]
    if not isinstance(name, str) or not name:
        raise InvalidField("margin_account: the row names no wallet")
    return name if name in (CASH, FLEX) else SINGLE


def _kind(info: str, moved: Decimal, *, is_fee_alone: bool) -> Kind:
    """A row's kind; a trade that moves nothing but its fee costs one."""
    word = info.lower()
    if "transfer" in word:
        if "cross-exchange" in word or "subaccount" in word:
            return "deposit" if moved > 0 else "withdrawal"
        return "transfer"
    found: Kind = next((kind for part, kind in _KINDS if part in word), "other")
    return "fee" if found == "realized_pnl" and moved and is_fee_alone else found


def ledger(context: Context, evidence: Evidence) -> Page:
    """A page of the log; its rows are numbered, whether we tell them or not."""
    rows = expect_list(expect_dict(decode(evidence), evidence, where="the answer").get("logs"), evidence, where="logs")
    claims: list[Claim] = []

    def take(row: Any) -> None:
        claim = _entry(context, row)
        if claim is not None and claim.legs:
            claims.append(claim)

    gaps = read_list(context, rows, take)
    numbers = [row["id"] for row in rows if isinstance(row, dict) and type(row.get("id")) is int]
    times = [claim.at for claim in claims]
    seen = Seen(
        rows=distinct(len(rows), claims),
        oldest=min(times, default=None),
        newest=max(times, default=None),
        last_id=str(max(numbers, default="")),
    )
    return Page(seen=seen, claims=claims, gaps=gaps)


def forms(payload: Any) -> list[Any]:
    """A recorded payload as the answer that it was, and as what may have stood inside."""
    return [payload, {"logs": payload}, {"result": "success", "accounts": payload}]


_balances = snapshots(
    Source(
        path_end="/accounts",
        rows_of=_accounts,
        read=_held,
        tells=((CASH, "spot"), (FLEX, "collateral"), (FLEX, "debt"), (SINGLE, "collateral"), (SINGLE, "debt")),
    )
)


QUIRKS = Quirks(
    parsers={LEDGER: ledger},
    snapshots={"balances": together(_balances, *open_positions)},
    asked=asked,
    forms=forms,
)
