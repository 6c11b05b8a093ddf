"""What each wallet was worth at the end of each day (UTC), and whether that is calculated or was seen.

A day's quantities are calculated back from an observed balance by the legs after that day, where every history stream has read
all the time between the two. Else they are what was observed on that day. Else the day has no row: unknown is not zero.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Literal

from msgspec import Struct
from sqlalchemy.engine import Connection

from omnifolio.ledger import accounts, coverage, days, quotes, read
from omnifolio.ledger.coverage import StoredGap
from omnifolio.ledger.days import Look, Moved, Observed
from omnifolio.ledger.read import WalletRow
from omnifolio.ledger.tokens import TokenRow, by_number
from omnifolio.model.accounts import Principal
from omnifolio.model.amounts import EXACT, ZERO, total
from omnifolio.model.clock import EpochMs, day_of, end_of_day, start_of_day
from omnifolio.model.facts import Interval
from omnifolio.model.ids import AccountId
from omnifolio.model.prices import BRIDGE
from omnifolio.views.market import rates_for
from omnifolio.views.spam import foreign_among, spam_among
from omnifolio.views.valuation import Total, Valued, sum_up, value_balance

HistorySource = Literal["ledger", "observed"]

_Amounts = Mapping[int, Decimal]


class HistoryRow(Struct, frozen=True, kw_only=True):
    """One wallet at the end of one day. `source` says whether the quantities were calculated or observed."""

    wallet: WalletRow
    day: date
    source: HistorySource
    total: Total


class _Purse(Struct, frozen=True, kw_only=True):
    """Everything known of one wallet's quantities. `reach` is the span that the history streams cover without a hole."""

    looks: Sequence[Look]
    observed: Sequence[Observed]
    moved: Sequence[Moved]
    first_movement: EpochMs | None
    reach: Interval | None


def history(
    conn: Connection,
    principal: Principal,
    account: AccountId,
    *,
    first: date,
    last: date,
    now: EpochMs,
    currency: str,
    wallet: str | None = None,
) -> list[HistoryRow]:
    """The rows of an account's wallets for the days from `first` to `last`, both included. Raises: NotFound."""
    found = accounts.get(conn, principal, account, now)
    start, today = start_of_day(first), day_of(now)
    wallets = [w for w in read.wallets_of(conn, principal) if w.account == account and wallet in (None, w.key)]
    reach = None if found.synced_at is None else _reach(conn, account)
    looks = days.looks(conn, principal, account)
    observed = days.observed(conn, principal, account, start)
    moved = days.moved(conn, principal, account, start)
    quantities: list[tuple[WalletRow, date, HistorySource, _Amounts]] = []
    for purse in wallets:
        known = _Purse(
            looks=[row for row in looks if row.wallet == purse.id],
            observed=[row for row in observed if row.wallet == purse.id],
            moved=[row for row in moved if row.wallet == purse.id],
            first_movement=days.first_movement(conn, principal, account, purse.id),
            reach=reach,
        )
        found_days = _days(known, first=first, last=min(last, today))
        quantities += [(purse, day, source, amounts) for day, source, amounts in found_days]
    return _valued(conn, principal, quantities, now=now, currency=currency)


def _reach(conn: Connection, account: AccountId) -> Interval | None:
    """The latest span that every history stream has read without a hole; None while a stream has not reached the present."""
    marks = [mark for mark in coverage.bookmarks(conn, account) if not coverage.is_present(mark.stream)]
    spans = coverage.intervals_of(conn, account)
    if not spans or any(mark.done_at is None for mark in marks):
        return None
    newest = [items[-1] for items in spans.values()]
    start, end = max(item.start for item in newest), min(item.end for item in newest)
    for gap in coverage.gaps_of(conn, account):
        if not coverage.is_present(gap.stream):
            start = max(start, _after(gap, end))
    return Interval(start, end) if start <= end else None


def _after(gap: StoredGap, end: EpochMs) -> EpochMs:
    """The first instant that a gap leaves certain; beyond `end` when it does not say where it stops."""
    return EpochMs((end if gap.end is None else gap.end) + 1)


def _days(known: _Purse, *, first: date, last: date) -> Iterable[tuple[date, HistorySource, _Amounts]]:
    """The quantities at the end of each day for which they are known, oldest first."""
    begins = [row.first_seen for row in known.looks]
    if known.first_movement is not None:
        begins.append(known.first_movement)
    if not begins:
        return []
    first = max(first, day_of(min(begins)))
    calculated = _calculated(known, first=first, last=last)
    rows: list[tuple[date, HistorySource, _Amounts]] = []
    for number in range((last - first).days + 1):
        day = first + timedelta(days=number)
        if day in calculated:
            rows.append((day, "ledger", calculated[day]))
        elif (seen := _seen_on(known, day)) is not None:
            rows.append((day, "observed", seen))
    return rows


def _calculated(known: _Purse, *, first: date, last: date) -> dict[date, _Amounts]:
    """Quantities by going back from the latest observation that the history reaches."""
    if known.reach is None or not known.looks:
        return {}
    seen = [_last_look(known, look, known.reach.end) for look in known.looks]
    anchor = min((at for at in seen if at is not None), default=None)
    if anchor is None or None in seen:
        return {}
    amounts = dict(_state_at(known, anchor))
    found: dict[date, _Amounts] = {}
    moved = [row for row in known.moved if row.at <= anchor]
    place = 0
    day = min(last, day_of(anchor))
    while day >= first and end_of_day(day) >= known.reach.start - 1:
        while place < len(moved) and moved[place].at > end_of_day(day):
            row = moved[place]
            amounts[row.token] = EXACT.subtract(amounts.get(row.token, ZERO), row.amount)
            place += 1
        found[day] = {token: amount for token, amount in amounts.items() if amount}
        day -= timedelta(days=1)
    return found


def _last_look(known: _Purse, look: Look, instant: EpochMs) -> EpochMs | None:
    """When a product of the wallet was last looked at up to an instant; None when never."""
    times = {look.first_seen, look.last_seen}
    for row in known.observed:
        if row.product == look.product:
            times.update((row.first_seen, row.last_seen))
    return max((at for at in times if at <= instant), default=None)


def _state_at(known: _Purse, instant: EpochMs) -> _Amounts:
    """What each product's last look up to an instant saw, added up."""
    amounts: dict[int, list[Decimal]] = {}
    for look in known.looks:
        seen = _last_look(known, look, instant)
        for row in known.observed:
            if seen is not None and row.product == look.product and row.first_seen <= seen <= row.last_seen:
                amounts.setdefault(row.token, []).append(row.amount)
    return {token: total(found) for token, found in amounts.items()}


def _seen_on(known: _Purse, day: date) -> _Amounts | None:
    """What was seen last on a day; None when a product of the wallet was not looked at on it."""
    start, end = start_of_day(day), end_of_day(day)
    for look in known.looks:
        seen = _last_look(known, look, end)
        if seen is None:
            return None
        if seen < start and (look.last_seen < start or not _is_unchanged(known, look, seen, end)):
            return None
    return _state_at(known, end) if known.looks else None


def _is_unchanged(known: _Purse, look: Look, seen: EpochMs, until: EpochMs) -> bool:
    """Whether everything that was there at a look was there unchanged at one after `until`."""
    rows = [row for row in known.observed if row.product == look.product and row.first_seen <= seen <= row.last_seen]
    return all(row.last_seen >= until for row in rows)


def _valued(
    conn: Connection,
    principal: Principal,
    quantities: Sequence[tuple[WalletRow, date, HistorySource, _Amounts]],
    *,
    now: EpochMs,
    currency: str,
) -> list[HistoryRow]:
    tokens = by_number(conn, {token for *_, amounts in quantities for token in amounts})
    spam = spam_among(conn, principal, tokens, foreign_among(tokens), now=now)
    quantities = [
        (purse, day, source, {token: amount for token, amount in amounts.items() if token not in spam})
        for purse, day, source, amounts in quantities
    ]
    asked = {
        (token, _instant(day, now)) for _, day, _, amounts in quantities for token in amounts if tokens[token].kind != "fiat"
    }
    prices = quotes.lookup(conn, asked, principal=principal, tolerance_ms=0)
    currencies = {row.ticker for row in tokens.values() if row.kind == "fiat"} | ({BRIDGE} if asked else set())
    times = {_instant(day, now) for _, day, _, _ in quantities}
    rates = rates_for(conn, currency=currency, sources=currencies, times=times)

    def worth(day: date, amounts: _Amounts) -> Total:
        at = _instant(day, now)
        parts = [(tokens[token].ticker, _balance(tokens[token], amount)) for token, amount in sorted(amounts.items())]
        return sum_up(
            [(name, value_balance(part, at=at, quotes=prices, rates=rates, currency=currency)) for name, part in parts],
            currency=currency,
        )

    return [
        HistoryRow(wallet=purse, day=day, source=source, total=worth(day, amounts)) for purse, day, source, amounts in quantities
    ]


def _balance(token: TokenRow, amount: Decimal) -> Valued:
    return Valued(key="", number=token.number, token=token.id, kind=token.kind, ticker=token.ticker, amount=amount)


def _instant(day: date, now: EpochMs) -> EpochMs:
    """When a day's value is taken: at its end, or now while it lasts."""
    return min(end_of_day(day), now)
