"""An account's balances against its history: everything that `reconciliation` judges by, in one consistent read."""

from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal
from typing import get_args

from msgspec import Struct
from sqlalchemy.engine import Connection

from omnifolio.ledger import accounts, coverage, days, read, traces
from omnifolio.ledger.coverage import StoredGap
from omnifolio.ledger.read import Look, WalletRow
from omnifolio.ledger.tokens import TokenRow, by_number
from omnifolio.ledger.traces import Movement, Purse, Seen
from omnifolio.model.accounts import Principal
from omnifolio.model.amounts import EXACT, ZERO, total
from omnifolio.model.clock import EpochMs
from omnifolio.model.ids import AccountId, WalletId
from omnifolio.views.coverage import ORDERS, Missing, declared, history_streams, kind_of, missing
from omnifolio.views.reconciliation import (
    Case,
    Reason,
    State,
    Verdict,
    Watched,
    agreed,
    differing,
    sightings,
    watched,
)

OWING = frozenset({"margin", "collateral", "debt"})
"""Products in which less than nothing is nothing strange."""
EARNING = frozenset({"staked", "earn"})
"""Products that grow by themselves."""
UNLISTED = "rewards_not_listed"
"""The code of a reader's statement that what is earned is in no transaction of its source."""
STATES: tuple[State, ...] = get_args(State)
"""From the best to the worst."""


class Line(Struct, frozen=True, kw_only=True):
    """One token in one wallet, over all products. `reported` is None where no balance was ever observed."""

    wallet: WalletRow
    token: TokenRow
    reported: Decimal | None
    calculated: Decimal
    difference: Decimal | None
    verdict: Verdict


class Reconciliation(Struct, frozen=True, kw_only=True):
    """An account's lines by wallet and ticker. `state` is the worst of them; None without any."""

    venue: str
    state: State | None
    lines: Sequence[Line]


class _Told(Struct, frozen=True, kw_only=True):
    """What is read once for all lines."""

    looks: Mapping[WalletId, Sequence[Look]]
    watched: Mapping[WalletId, Mapping[str, Watched]]
    seen: Mapping[Purse, Sequence[Seen]]
    changed_at: Mapping[WalletId, EpochMs]
    movements: Mapping[Purse, Sequence[Movement]]
    tellers: Mapping[Purse, Collection[str]]
    lacking: Sequence[Missing]
    streams: Sequence[str]
    unlisted: Mapping[WalletId, str]
    """Wallets that only grow by themselves, and of which no source tells a movement, with what the reader says of it."""


def reconciliation(conn: Connection, principal: Principal, account: AccountId, now: EpochMs) -> Reconciliation:
    """The reconciliation of an account. Raises: NotFound."""
    venue = accounts.get(conn, principal, account, now).venue
    states = {state.wallet.id: state for state in read.wallet_states(conn, principal, account)}
    looks = {wallet: state.looks for wallet, state in states.items() if state.looks}
    reported = {purse: amount for wallet, found in looks.items() for purse, amount in _reported(wallet, found).items()}
    calculated = {(wallet, token): Decimal(text) for wallet, state in states.items() for token, text in state.sums.items()}
    purses = sorted({*reported, *calculated})
    unequal = [purse for purse in purses if reported.get(purse, ZERO) != calculated.get(purse, ZERO)]
    told = _told(conn, principal, account, venue=venue, looks=looks, moved=calculated, unequal=unequal, now=now)
    tokens = by_number(conn, {token for _, token in purses})
    lines = [
        _line(states[wallet].wallet, tokens[token], reported.get((wallet, token)), calculated.get((wallet, token), ZERO), told)
        for wallet, token in purses
    ]
    lines.sort(key=lambda line: (line.wallet.key, line.token.ticker, line.token.id))
    state = max((line.verdict.state for line in lines), key=STATES.index, default=None)
    return Reconciliation(venue=venue, state=state, lines=lines)


def _told(
    conn: Connection,
    principal: Principal,
    account: AccountId,
    *,
    venue: str,
    looks: Mapping[WalletId, Sequence[Look]],
    moved: Mapping[Purse, Decimal],
    unequal: Sequence[Purse],
    now: EpochMs,
) -> _Told:
    gaps = coverage.gaps_of(conn, account)
    spans, marks = coverage.intervals_of(conn, account), coverage.bookmarks(conn, account)
    streams = history_streams(venue, {*spans, *(mark.stream for mark in marks)})
    money = {name: row for name, row in streams.items() if kind_of(name) != ORDERS}
    lacking = [*missing(money, spans, now), *declared(gaps)]
    if not money:
        lacking.append(Missing(stream="history", why="unread", start=None, end=None, text="no history is read here"))
    seen = traces.seen(conn, principal, account)
    edges = days.looks(conn, principal, account)
    by_purse: dict[Purse, list[Seen]] = {}
    for row in seen:
        by_purse.setdefault((row.wallet, row.token), []).append(row)
    tokens = {token for _, token in unequal}
    return _Told(
        looks=looks,
        watched={
            wallet: {
                look.product: watched(
                    [row for row in seen if (row.wallet, row.product) == (wallet, look.product)],
                    (look.first_seen, look.last_seen),
                )
                for look in edges
                if look.wallet == wallet
            }
            for wallet in {wallet for wallet, _ in unequal}
        },
        seen=by_purse,
        changed_at=_changed_at(seen, edges),
        movements=traces.movements(conn, principal, account, tokens) if tokens else {},
        tellers=traces.tellers(conn, principal, account, tokens) if tokens else {},
        lacking=lacking,
        streams=list(money),
        unlisted=_unlisted(gaps, looks, {wallet for wallet, _ in moved}),
    )


def _unlisted(
    gaps: Sequence[StoredGap], looks: Mapping[WalletId, Sequence[Look]], moved: Collection[WalletId]
) -> dict[WalletId, str]:
    texts = [gap.text for gap in gaps if gap.code == UNLISTED and coverage.is_present(gap.stream)]
    grow = [wallet for wallet, found in looks.items() if wallet not in moved and {look.product for look in found} <= EARNING]
    return dict.fromkeys(grow, texts[0]) if texts else {}


def _line(wallet: WalletRow, token: TokenRow, reported: Decimal | None, calculated: Decimal, told: _Told) -> Line:
    purse = (wallet.id, token.number)
    looks = told.looks.get(wallet.id, ())
    if not looks:
        reasons = [Reason("unseen", "no balance of this wallet was ever observed")]
        verdict = Verdict(state="open", reasons=reasons)
        return Line(wallet=wallet, token=token, reported=None, calculated=calculated, difference=None, verdict=verdict)
    held = ZERO if reported is None else reported
    difference = EXACT.subtract(held, calculated)
    if not difference:
        verdict = agreed(told.changed_at[wallet.id], told.lacking)
    elif wallet.id in told.unlisted:
        verdict = Verdict(state="explained", reasons=[Reason(UNLISTED, told.unlisted[wallet.id])])
    else:
        seen = told.seen.get(purse, ())
        verdict = differing(
            Case(
                difference=difference,
                sightings=sightings(told.watched[wallet.id], seen),
                movements=told.movements.get(purse, ()),
                seen_until=min(look.last_seen for look in looks),
                is_doubted=any(token.number in look.doubted for look in looks),
                may_owe=any(row.amount < 0 or row.product in OWING for row in seen),
                lacking=told.lacking,
                tellers=sorted(told.tellers.get(purse, ())) or told.streams,
            )
        )
    return Line(wallet=wallet, token=token, reported=held, calculated=calculated, difference=difference, verdict=verdict)


def _reported(wallet: WalletId, looks: Sequence[Look]) -> dict[Purse, Decimal]:
    """What a wallet held at the last look, over its products, by token."""
    amounts: dict[Purse, list[Decimal]] = {}
    for look in looks:
        for token, amount in zip(look.tokens, look.amounts, strict=True):
            amounts.setdefault((wallet, token), []).append(amount)
    return {purse: total(parts) for purse, parts in amounts.items()}


def _changed_at(seen: Sequence[Seen], edges: Sequence[days.Look]) -> dict[WalletId, EpochMs]:
    """When each wallet was last seen to change; what came before that must be in a complete history."""
    found: dict[WalletId, EpochMs] = {}
    for look in edges:
        found[look.wallet] = max(found.get(look.wallet, look.first_seen), look.first_seen)
    for row in seen:
        found[row.wallet] = max(found[row.wallet], row.first if row.gone_at is None else row.last)
    return found
