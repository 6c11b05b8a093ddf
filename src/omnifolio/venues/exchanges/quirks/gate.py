"""What is particular to Gate: an account book for each wallet, whose rows of orders and of the chain are told better elsewhere.

The spot book also notes what orders freeze, so its rows of orders are left to the fills, and those of deposits and withdrawals to
their own records; every other row is one change of the spot wallet. A withdrawal's amount contains its fee. A move between
wallets stands in the books of both.
Source: gate.com/docs/developers/apiv4: spot and margin account book, AccountBook type, trades, wallet deposits and withdrawals,
futures account book, uni interest records, main account keys.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from omnifolio.model.amounts import parse_amount, product, total
from omnifolio.model.clock import EpochMs
from omnifolio.model.errors import InvalidField
from omnifolio.model.facts import Claim, Evidence, Kind, Leg, Role, Status
from omnifolio.venues.exchanges.answers import KEY_START, Context, Page, Parser, Quirks, Seen, distinct, read_list
from omnifolio.venues.exchanges.quirks import gate_balances, gate_positions
from omnifolio.venues.exchanges.quirks.gate_balances import balances, following, rows_of, wallet_of_settle
from omnifolio.venues.exchanges.quirks.gate_words import FUTURES_KINDS, SPOT_KINDS, TOLD_ELSEWHERE
from omnifolio.venues.exchanges.rights import Rights
from omnifolio.venues.exchanges.times import from_ms, from_seconds

GATECODE = "b"
"""The first letter of a record's id that was no chain's transfer but a code handed to another user: the spot book tells those."""
POINT = "POINT"
RIGHTS = frozenset(
    {
        *("wallet", "spot", "futures", "delivery", "earn", "custody", "options", "account", "loan", "margin", "unified", "copy"),
        *("pilot", "otc", "alpha", "crossx"),
    }
)
OTHER_RIGHT = "other"
"""A right of another name that is marked as read-only."""

_DEPOSIT_STATUSES: Mapping[str, Status] = {
    "DONE": "confirmed",
    "DEP_CREDITED": "confirmed",
    "BLOCKED": "failed",
    "INVALID": "failed",
    "CANCEL": "cancelled",
}
_WITHDRAWAL_STATUSES: Mapping[str, Status] = {
    "DONE": "confirmed",
    "CANCEL": "cancelled",
    "REJECT": "failed",
    "INVALID": "failed",
}
_LIQUIDATIONS = frozenset({"pm_liquidate", "comb_margin_liquidate", "scm_liquidate", "liquidate"})

RowReader = Callable[[Context, Mapping[str, Any]], Claim | None]


def history(read: RowReader) -> Parser:
    """The parser of a history whose rows become one claim each, or none where another stream tells them."""

    def parse(context: Context, evidence: Evidence) -> Page:
        rows = rows_of(evidence)
        claims: list[Claim] = []

        def take(row: Mapping[str, Any]) -> None:
            claim = read(context, row)
            if claim is not None:
                claims.append(claim)

        gaps = read_list(context, rows, take)
        return Page(seen=_seen(rows, claims), claims=claims, gaps=gaps)

    return parse


def _seen(rows: Sequence[Any], claims: Sequence[Claim]) -> Seen:
    times = [claim.at for claim in claims]
    return Seen(rows=distinct(len(rows), claims), oldest=min(times, default=None), newest=max(times, default=None))


def _claim(
    context: Context, *, ref: str, at: EpochMs, kind: Kind, legs: Sequence[Leg], label: object = "", status: Status = "confirmed"
) -> Claim:
    moved = tuple(leg for leg in legs if leg.amount) if status in ("confirmed", "pending") else ()
    return Claim(
        book=context.kind,
        ref=ref,
        refs=(f"gate:{context.kind}/{ref}",),
        name=ref,
        at=at,
        kind=kind,
        legs=moved,
        label=str(label or ""),
        status=status,
        evidence=0,
    )


# Trades and the chain.


def _fill(context: Context, row: Mapping[str, Any]) -> Claim:
    base, separator, quote = str(row["currency_pair"]).partition("_")
    if not separator or row["side"] not in ("buy", "sell"):
        raise InvalidField("currency_pair, side: expected BASE_QUOTE and buy or sell")
    codes, sign = context.codes, 1 if row["side"] == "buy" else -1
    amount = parse_amount(row["amount"])
    if row.get("deal"):
        cost = parse_amount(row["deal"], where="deal")
    else:
        cost = product(amount, parse_amount(row["price"], where="price"))
    legs = [Leg("base", "spot", codes.token(base), sign * amount), Leg("quote", "spot", codes.token(quote), -sign * cost)]
    for field, code in (("fee", row.get("fee_currency")), ("gt_fee", "GT"), ("point_fee", POINT)):
        fee = parse_amount(row.get(field) or "0", where=field)
        if fee:
            legs.append(Leg(field, "spot", codes.token(code), -fee, "fee"))
    at = from_ms(str(row["create_time_ms"]).partition(".")[0]) if row.get("create_time_ms") else from_seconds(row["create_time"])
    kind: Kind = "liquidation" if row.get("text") in _LIQUIDATIONS else "trade"
    ref = f"{row['currency_pair']}/{row['id']}"
    return _claim(context, ref=ref, at=at, kind=kind, legs=legs, label=f"{row['side']} {row.get('role') or ''}".strip())


def _deposit(context: Context, row: Mapping[str, Any]) -> Claim:
    status = _DEPOSIT_STATUSES.get(str(row["status"]), "pending")
    return _chain(context, row, "deposit", parse_amount(row["amount"]), status, fee=Decimal(0), peer=None)


def _withdrawal(context: Context, row: Mapping[str, Any]) -> Claim:
    """The amount is what left the account, so what arrived is less by the fee."""
    status = _WITHDRAWAL_STATUSES.get(str(row["status"]), "pending")
    fee = parse_amount(row.get("fee") or "0", where="fee")
    left = parse_amount(row["amount"])
    return _chain(context, row, "withdrawal", total((fee, -left)), status, fee=fee, peer=row.get("address") or None)


def _chain(
    context: Context, row: Mapping[str, Any], kind: Kind, amount: Decimal, status: Status, *, fee: Decimal, peer: str | None
) -> Claim:
    token, number = context.codes.token(row["currency"]), str(row["id"])
    legs: tuple[Leg, ...] = (Leg("amount", "spot", token, amount, "principal", peer), Leg("fee", "spot", token, -fee, "fee"))
    if number.startswith(GATECODE) or row["status"] == "BCODE":
        legs = ()
    claim = _claim(
        context, ref=number, at=from_seconds(row["timestamp"]), kind=kind, legs=legs, label=row["status"], status=status
    )
    chain, hash_ = context.networks.get(str(row.get("chain") or "")), row.get("txid")
    return replace(claim, event=f"{chain}:{hash_}") if chain and hash_ and legs else claim


# Account books.


def _spot_row(context: Context, row: Mapping[str, Any]) -> Claim | None:
    word, change = str(row["type"]), parse_amount(row["change"], where="change")
    if word in TOLD_ELSEWHERE or not change:
        return None
    token, kind = context.codes.token(row["currency"]), SPOT_KINDS.get(word, "other")
    legs = [Leg("change", "spot", token, change, _role(kind))]
    if word in ("lend", "redeem"):
        legs.append(Leg("earn", "earn", token, -change))
    elif word in ("borrow", "repay", "cross_borrow", "cross_repay"):
        # What is borrowed is owed in the same wallet, so its sum stays what it is.
        legs.append(Leg("debt", "spot", token, -change))
    return _claim(context, ref=str(row["id"]), at=from_ms(row["time"]), kind=kind, legs=legs, label=word)


def _role(kind: Kind) -> Role:
    return "fee" if kind == "fee" else "principal"


def _margin_row(context: Context, row: Mapping[str, Any]) -> Claim:
    leg = Leg("change", "margin", context.codes.token(row["currency"]), parse_amount(row["change"], where="change"))
    label = row.get("type") or row.get("currency_pair")
    return _claim(context, ref=str(row["id"]), at=from_ms(row["time_ms"]), kind="transfer", legs=(leg,), label=label)


def futures(context: Context, evidence: Evidence) -> Page:
    """A page of one settlement currency's futures book. Older rows have no id: their content and place stand for it."""
    rows, seen = rows_of(evidence), Counter[str]()
    claims: list[Claim] = []
    settle = context.scope.upper()

    def read(row: Mapping[str, Any]) -> None:
        word, change = str(row["type"]), parse_amount(row["change"], where="change")
        told = str(row.get("id") or f"{row['time']}/{word}/{row['change']}/{row['balance']}/{row.get('text') or ''}")
        seen[told] += 1
        ref = f"{context.scope}/{told}" + (f"/{seen[told]}" if seen[told] > 1 else "")
        kind = FUTURES_KINDS.get(word, "other")
        code = POINT if word.startswith("point_") else settle
        leg = Leg("change", wallet_of_settle(context.scope), context.codes.token(code), change, _role(kind))
        # A trial fund is no part of the balance, so what is taken from it moves nothing.
        legs = () if word == "bonus_offset" else (leg,)
        claims.append(_claim(context, ref=ref, at=from_seconds(row["time"]), kind=kind, legs=legs, label=word))

    gaps = read_list(context, rows, read)
    return Page(seen=_seen(rows, claims), claims=claims, gaps=gaps)


def _earn_interest(context: Context, row: Mapping[str, Any]) -> Claim | None:
    """Interest that stays in the position; what is paid out stands in the spot book."""
    if row["interest_status"] != "interest_reinvest":
        return None
    at = from_ms(row["create_time"]) if len(str(row["create_time"])) > 10 else from_seconds(row["create_time"])
    leg = Leg("interest", "earn", context.codes.token(row["currency"]), parse_amount(row["interest"], where="interest"))
    status: Status = "confirmed" if row["status"] == 1 else "failed"
    ref = f"{row['currency']}/{row['create_time']}"
    return _claim(context, ref=ref, at=at, kind="interest", legs=(leg,), label=row["interest_status"], status=status)


def rights(evidence: Evidence) -> Rights:
    """What the key may do, from the list of all keys of the main account; they are shown masked after their first letters."""
    start = evidence.params.get(KEY_START, "")
    rows = [row for row in rows_of(evidence) if isinstance(row, dict) and _is_masked(row.get("key"), start)]
    perms = rows[0].get("perms") if len(rows) == 1 else None
    if not isinstance(perms, list) or not perms:
        return Rights(granted=(), is_known=False)
    granted = []
    for perm in perms:
        name = str(perm.get("name") if isinstance(perm, dict) else perm)
        if isinstance(perm, dict) and perm.get("read_only") is True:
            granted.append(name if name in RIGHTS else OTHER_RIGHT)
        else:
            granted += [name, f"{name}:write"] if name in RIGHTS else [f"{name}:write"]
    allowed = rows[0].get("ip_whitelist")
    return Rights(granted=tuple(granted), ip_restricted=bool(allowed) if isinstance(allowed, list) else None)


def _is_masked(shown: Any, start: str) -> bool:
    """Whether a masked key such as `c5dcfbf1f3a7*****` can be the one that begins so."""
    letters = str(shown or "").rstrip("*")
    return not start or (bool(letters) and (letters.startswith(start) or start.startswith(letters)))


def forms(payload: Any) -> list[Any]:
    """A recorded payload as the answer that it was: a single row may have been taken out of its list."""
    return [payload, [payload]] if isinstance(payload, dict) else [payload]


def asked(call: str, answers: Sequence[Evidence]) -> list[dict[str, str]]:
    """What a call needs of the answers before it: the account's mode, open positions."""
    of_positions = (*gate_positions.POSITION_CALLS, *gate_positions.CONTRACT_CALLS, *gate_positions.OPTION_CALLS)
    return gate_positions.asked(call, answers) if call in of_positions else gate_balances.asked(call, answers)


QUIRKS = Quirks(
    parsers={
        "trades": history(_fill),
        "deposits": history(_deposit),
        "withdrawals": history(_withdrawal),
        "spot-book": history(_spot_row),
        "margin-book": history(_margin_row),
        "futures-book": futures,
        "earn-interest": history(_earn_interest),
    },
    snapshots={"balances": balances, "positions": gate_positions.open_positions},
    rights=rights,
    asked=asked,
    following=following,
    forms=forms,
)
