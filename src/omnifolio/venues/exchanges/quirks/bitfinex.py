"""What is particular to Bitfinex: rows are arrays without names, and the ledger tells everything.

Legs come from the ledger alone. Movements annotate it with state, chain and address by the number that its sentences name.
Fills can be read where a recording has them, but are not asked for: the ledger names none, so beside it they would count twice.
Source: docs.bitfinex.com, Wallets, Ledgers, Movements, Trades, Key Permissions (seen 2026-11-27).
"""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from omnifolio.model.amounts import parse_amount, product, total
from omnifolio.model.clock import EpochMs
from omnifolio.model.errors import InvalidField, VenueBadResponse
from omnifolio.model.facts import Balance, Claim, Evidence, Leg, Product, Snapshot, Status
from omnifolio.model.tokens import TokenId
from omnifolio.venues.contract import received_at
from omnifolio.venues.exchanges.answers import Context, Page, Parser, Quirks, Seen, decode, distinct, read_rows
from omnifolio.venues.exchanges.quirks.bitfinex_ledger import (
    DERIVATIVE_SUFFIX,
    SECOND_MS,
    fill_ref,
    ledger_row,
    movement_ref,
    token_of,
    wallet_of,
)
from omnifolio.venues.exchanges.rights import Rights
from omnifolio.venues.exchanges.times import from_ms

DETAIL_RANK = 1
PLAIN_PAIR_LENGTH = 6
"""Pairs of two codes with three letters have no colon between them."""

_STATUSES: Mapping[str, Status] = {
    "COMPLETED": "confirmed",
    "SUCCESS": "confirmed",
    "CANCELED": "cancelled",
    "ERROR": "failed",
    "FAILURE": "failed",
}
_PRODUCTS: Mapping[str, Product] = {
    "exchange": "spot",
    "margin": "margin",
    "funding": "funding",
    "derivatives": "collateral",
    "contribution": "spot",
}

Held = dict[TokenId, list[Decimal]]


def rows_of(evidence: Evidence) -> list[Any]:
    """The rows of an answer. Raises: VenueBadResponse; an error is a list too, with the word in the first place."""
    body = decode(evidence)
    if not isinstance(body, list) or (body and body[0] == "error"):
        raise VenueBadResponse(f"{evidence.request}: expected a list of rows")
    return body


def history(read: Callable[[Context, Sequence[Any]], Claim]) -> Parser:
    """The parser of a list whose rows become one claim each."""

    def parse(context: Context, evidence: Evidence) -> Page:
        rows = rows_of(evidence)
        claims: list[Claim] = []
        gaps = read_rows(context, _named(rows), lambda name, row: claims.append(read(context, _array(row))))
        times = [claim.at for claim in claims]
        seen = Seen(rows=distinct(len(rows), claims), oldest=min(times, default=None), newest=max(times, default=None))
        return Page(seen=seen, claims=claims, gaps=gaps)

    return parse


def _named(rows: Sequence[Any]) -> list[tuple[str, Any]]:
    """Each row with its id, else its place."""
    return [
        (str(row[0]) if isinstance(row, list) and row and isinstance(row[0], int) else f"number {place}", row)
        for place, row in enumerate(rows, start=1)
    ]


def _array(row: Any) -> Sequence[Any]:
    if not isinstance(row, list):
        raise InvalidField("row: expected an array")
    return row


def _movement(context: Context, row: Sequence[Any]) -> Claim:
    """A deposit or withdrawal by the sign of its amount."""
    token, _ = token_of(context.codes, row[1])
    amount, fee = parse_amount(row[12], where="AMOUNT"), parse_amount(row[13] or 0, where="FEES")
    status = _STATUSES.get(str(row[9]).upper(), "pending")
    chain, hash_ = context.networks.get(str(row[2]).upper()), row[20]
    peer = str(row[16]) if amount < 0 and row[16] else None
    legs = (Leg("amount", "exchange", token, amount, "principal", peer), Leg("fee", "exchange", token, -abs(fee), "fee"))
    return Claim(
        book="movements",
        rank=DETAIL_RANK,
        ref=str(row[0]),
        refs=(movement_ref(row[0]),),
        name=str(row[0]),
        at=from_ms(row[5]),
        kind="withdrawal" if amount < 0 else "deposit",
        label=str(row[9]),
        status=status,
        event=f"{chain}:{hash_}" if chain and hash_ else None,
        legs=tuple(leg for leg in legs if leg.amount) if status in ("confirmed", "pending") else (),
        evidence=0,
    )


def split_pair(pair: Any) -> tuple[str, str]:
    """Base and quote of tBTCUSD or tLINK:USD. Raises: InvalidField."""
    name = pair.removeprefix("t") if isinstance(pair, str) else ""
    base, separator, quote = name.partition(":")
    if not separator and len(name) == PLAIN_PAIR_LENGTH:
        base, quote = name[:3], name[3:]
    if not base or not quote:
        raise InvalidField(f"PAIR: expected a pair such as tBTCUSD, got {str(pair)[:24]!r}")
    return base, quote


def _fill(context: Context, row: Sequence[Any]) -> Claim:
    """A fill. Of a derivative only the fee moves; its profit is booked when it is settled."""
    codes, (base, quote) = context.codes, split_pair(row[1])
    amount, price, fee = parse_amount(row[4], where="AMOUNT"), parse_amount(row[5], where="PRICE"), parse_amount(row[9] or 0)
    legs = []
    if not base.endswith(DERIVATIVE_SUFFIX):
        legs = [
            Leg("base", "exchange", codes.token(base), amount),
            Leg("quote", "exchange", codes.token(quote), -product(amount, price)),
        ]
    if fee:
        token, is_derivative = token_of(codes, row[10])
        legs.append(Leg("fee", wallet_of("exchange", "", is_derivative=is_derivative), token, fee, "fee"))
    at = from_ms(row[2])
    near = (fill_ref(codes, at + late, str(abs(amount)), base, str(price)) for late in (0, SECOND_MS, -SECOND_MS))
    return Claim(
        book="trades",
        rank=DETAIL_RANK,
        ref=str(row[0]),
        refs=(f"trade:{row[0]}", *near),
        name=str(row[0]),
        at=at,
        kind="trade",
        label=str(row[6] or ""),
        legs=tuple(leg for leg in legs if leg.amount),
        evidence=0,
    )


def balances(context: Context, evidence: Sequence[Evidence]) -> Page:
    """All wallets, one snapshot each. What is lent out is part of the funding wallet's balance.

    A row that names no wallet and currency tells nothing and is a gap alone; an amount that cannot be read withholds its wallet.
    """
    rows = [row for item in evidence for row in rows_of(item)]
    held: dict[str, Held] = {wallet: {} for wallet in _PRODUCTS}
    unread: set[tuple[str, TokenId]] = set()

    def read(name: str, row: Any) -> None:
        token, is_derivative = token_of(context.codes, _array(row)[1])
        wallet = wallet_of(row[0], "", is_derivative=is_derivative)
        unread.add((wallet, token))
        amount = parse_amount(row[2], where="BALANCE")
        held[wallet].setdefault(token, []).append(amount)

    gaps = read_rows(context, ((f"number {place}", row) for place, row in enumerate(rows, start=1)), read)
    doubtful = {wallet for wallet, token in unread if token not in held[wallet]}
    at = received_at(evidence)
    snapshots = [_snapshot(wallet, tokens, at) for wallet, tokens in held.items() if wallet not in doubtful]
    return Page(seen=Seen(rows=len(rows)), snapshots=snapshots, gaps=gaps)


def _snapshot(wallet: str, held: Held, at: EpochMs) -> Snapshot:
    sums = ((token, total(amounts)) for token, amounts in sorted(held.items()))
    told = tuple(Balance(token, amount) for token, amount in sums if amount)
    return Snapshot(wallet=wallet, product=_PRODUCTS[wallet], at=at, balances=told, evidence=0)


def rights(evidence: Evidence) -> Rights:
    """What the key may do, from auth/r/permissions: `[SCOPE, READ, WRITE]`, both 0 or 1."""
    rows = rows_of(evidence)
    if not all(isinstance(row, list) and len(row) >= 3 for row in rows):
        return Rights(granted=(), is_known=False)
    granted = [f"{row[0]}:{right}" for row in rows for right, is_set in (("read", row[1]), ("write", row[2])) if is_set]
    return Rights(granted=tuple(granted), is_known=any(row[0] == "wallets" for row in rows))


def forms(payload: Any) -> list[Any]:
    """A recorded payload as the answer that it was: one row may have lost the list around it."""
    is_row = isinstance(payload, list) and payload and not isinstance(payload[0], list)
    return [payload, [payload]] if is_row else [payload]


QUIRKS = Quirks(
    parsers={
        "ledger": history(lambda context, row: ledger_row(context.codes, row)),
        "movements": history(_movement),
        "trades": history(_fill),
    },
    snapshots={"balances": balances},
    rights=rights,
    forms=forms,
)
